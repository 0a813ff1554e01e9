# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that touches the host's programs and knows where our own state lives."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .model import ServiceError


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
    ) -> Outcome: ...


@dataclass(frozen=True)
class Places:
    state: Path = Path("/var/lib/homestead")
    secrets: Path = Path("/etc/homestead/secrets")
    locks: Path = Path("/run/homestead")


_SEARCH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
_BASICS = {"LC_ALL": "C.UTF-8", "PATH": _SEARCH}

_MANNERS: Mapping[str, object] = {
    "stdin": subprocess.DEVNULL,
    "capture_output": True,
    "cwd": "/",
    "umask": 0o022,
    "text": True,
    "errors": "replace",
}


def run_program(
    argv: Sequence[str],
    *,
    user: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a program to its end, as `user` with all of that user's groups."""
    identity = _identity(user) if user else {}
    surroundings = {**os.environ, **_BASICS, **_home(user), **(environment or {})}
    try:
        # A module's run_command is not at hand here: this file knows nothing of Ansible.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            list(argv),
            check=False,
            env=surroundings,
            **_MANNERS,  # type: ignore[call-overload]  # plain options
            **identity,
        )
    except OSError as error:
        return Outcome(127, errors=f"{argv[0]}: {error.strerror}")
    return Outcome(done.returncode, done.stdout, done.stderr)


def _identity(user: str) -> dict[str, object]:
    account = find_user(user)
    groups = os.getgrouplist(user, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": groups}


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
class Host:
    places: Places = field(default_factory=Places)
    run: Run = run_program
    settle: float = 0.6
