# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that touches the host's programs and knows where our own state lives."""

from __future__ import annotations

import grp
import os
import pwd
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from .model import ServiceError

PATIENCE = 300.0
"""Seconds after which a program is stopped, unless it was given more."""
TIMED_OUT, MISSING = 124, 127
"""The codes of a program that was stopped, and of one that cannot be run, as a shell has them."""


@dataclass(frozen=True)
class Outcome:
    code: int
    output: str = ""
    errors: str = ""

    def last_words(self, lines: int = 20) -> str:
        """Return the end of what the program said, as one text."""
        said = f"{self.output}\n{self.errors}".strip().splitlines()
        return "\n".join(line.rstrip() for line in said[-lines:] if line.strip())


class Run(Protocol):
    def __call__(
        self,
        argv: Sequence[str],
        *,
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
        seconds: float = PATIENCE,
        stdin: str = "",
    ) -> Outcome: ...


@dataclass(frozen=True)
class Places:
    state: Path = Path("/var/lib/homestead")
    secrets: Path = Path("/etc/homestead/secrets")
    locks: Path = Path("/run/homestead")
    configuration: Path = Path("/etc/homestead")
    """What stands here or in `state` is ours by its place, whichever of our programs wrote it."""

    @property
    def downloads(self) -> Path:
        """Return where downloads wait for the transaction, under their checksums."""
        return self.state / "downloads"


_SEARCH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
_BASICS = {"LC_ALL": "C.UTF-8", "PATH": _SEARCH}
_KEPT = re.compile(
    r"HOME|USER|LOGNAME|TZ|TMPDIR|\w+_(proxy|PROXY)|SSL_CERT_(FILE|DIR)|(REQUESTS|CURL)_CA_BUNDLE"
)
"""Which of the owner's variables programs see: who they are, and how they reach others.

Any other (PYTHONHOME, PGHOST, TAR_OPTIONS, LANGUAGE, ...) was meant for the owner's own programs.
"""

_MANNERS: Mapping[str, object] = {
    "cwd": "/",
    "umask": 0o022,
    "start_new_session": True,
}


def run_program(
    argv: Sequence[str],
    *,
    user: str | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float = PATIENCE,
    stdin: str = "",
) -> Outcome:
    """Run a program to its end, as `user` with all of that user's groups.

    What it starts and leaves running may keep its output open: nobody waits for that.
    """
    identity = _identity(user) if user else {}
    surroundings = {**_kept(user), **_BASICS, **_home(user), **(environment or {})}
    with _memory() as output, _memory() as errors, _memory() as given:
        given.write(stdin.encode())
        given.seek(0)
        try:
            # A module's run_command is not at hand here: this file knows nothing of Ansible.
            process = subprocess.Popen(  # pylint: disable=ansible-bad-function,consider-using-with
                list(argv),
                env=surroundings,
                stdin=given if stdin else subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                **_MANNERS,  # type: ignore[call-overload]  # plain options
                **identity,
            )
        except OSError as error:
            return Outcome(MISSING, errors=f"{argv[0]}: {error.strerror}")
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            late = f"it did not end within {seconds:g} s and was stopped"
            return Outcome(TIMED_OUT, _text(output), f"{_text(errors)}\n{late}".strip())
        return Outcome(process.returncode, _text(output), _text(errors))


def _memory() -> IO[bytes]:
    """Return a file that needs no disk, which may be full."""
    return os.fdopen(os.memfd_create("output"), "w+b")


def _text(written: IO[bytes]) -> str:
    written.seek(0)
    return written.read().decode(errors="replace")


def _identity(user: str) -> dict[str, object]:
    account = find_user(user)
    groups = os.getgrouplist(user, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": groups}


def _kept(user: str | None) -> dict[str, str]:
    """Return the variables that a program sees; another user may not enter our TMPDIR."""
    kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
    return {name: value for name, value in kept.items() if not (user and name == "TMPDIR")}


def _home(user: str | None) -> dict[str, str]:
    return {"HOME": find_user(user).pw_dir, "USER": user, "LOGNAME": user} if user else {}


def find_user(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except KeyError:
        raise ServiceError(f"there is no user {name!r}") from None


def find_group(name: str) -> grp.struct_group:
    try:
        return grp.getgrgid(int(name)) if name.isdigit() else grp.getgrnam(name)
    except KeyError:
        raise ServiceError(f"there is no group {name!r}") from None


@dataclass(frozen=True)
class Machine:
    places: Places = field(default_factory=Places)
    run: Run = run_program
    settle: float = 0.6
    """Seconds for which units that were started are watched."""
    patience: float = 10
    """Seconds in which a program takes its new configuration."""
    root: Path = Path("/")
