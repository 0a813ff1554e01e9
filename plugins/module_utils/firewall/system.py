# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host as the firewall's parts see it: the only place that runs programs and touches files."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Rules = Mapping[str, str]  # the files of one firewall program by name; none: it is not ours

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


TIMED_OUT = 124  # what timeout(1) ends with when it had to end a program


class FirewallError(Exception):
    """What stands in the way, in one sentence."""


@dataclass(frozen=True)
class Finished:
    """How a program ended."""

    code: int
    output: str
    errors: str


class System(Protocol):
    """What the firewall needs of a host."""

    def finds(self, program: str) -> bool: ...

    def run(self, command: Sequence[str], *, text: str = "") -> Finished: ...

    def names(self, folder: str) -> list[str]: ...

    def read(self, path: str) -> str | None: ...

    def write(self, path: str, text: str) -> None: ...

    def move(self, source: str, target: str) -> bool: ...

    def remove(self, path: str) -> None: ...

    def ssh_connection(self) -> str: ...

    def alone(self, lock: str) -> AbstractContextManager[None]:
        """Hold a lock that others wait for."""

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """End programs that would take longer than these seconds in all."""

    def wait(self, happened: Callable[[], bool], *, seconds: float) -> None:
        """Wait until something has happened, at most these seconds."""


def require(system: System, command: Sequence[str], *, text: str = "") -> str:
    """Run a program that must succeed and return what it prints."""
    finished = system.run(command, text=text)
    if finished.code == TIMED_OUT:
        raise FirewallError(f"{' '.join(command[:2])} did not end in time")
    if finished.code:
        words = finished.errors.strip() or finished.output.strip() or f"exit code {finished.code}"
        raise FirewallError(f"{' '.join(command[:2])}: {words}")
    return finished.output


def put(system: System, path: str, text: str | None) -> None:
    """Make a file hold this text, or not exist; one that is right stays untouched."""
    if text == system.read(path):
        return
    if text is None:
        system.remove(path)
    else:
        system.write(path, text)


def way_back(system: System, paths: Iterable[str], *, folder: str) -> str:
    """Save files into a folder and return the shell lines that make them so again."""
    lines = []
    for path in paths:
        text, copy = system.read(path), f"{folder}{path}"
        if text is not None:
            system.write(copy, text)
        restore = f"cmp -s {copy} {path} || cp {copy} {path}"
        lines.append(f"rm -f {path}" if text is None else restore)
    return "\n".join(lines)


class Host:
    """The real host."""

    def __init__(self) -> None:
        self._deadline: float | None = None

    def finds(self, program: str) -> bool:
        return shutil.which(program, path=_PATH) is not None

    def run(self, command: Sequence[str], *, text: str = "") -> Finished:
        """Run a program in plain English, so that its words can be judged and shown."""
        # A module's run_command is not at hand here: this class knows nothing of Ansible.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            [*self._bounds(), *command],
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env={"PATH": _PATH, "LC_ALL": "C.UTF-8"},
            check=False,
        )
        return Finished(code=done.returncode, output=done.stdout, errors=done.stderr)

    def names(self, folder: str) -> list[str]:
        try:
            return os.listdir(folder)
        except FileNotFoundError:
            return []

    def read(self, path: str) -> str | None:
        try:
            return Path(path).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def write(self, path: str, text: str) -> None:
        """Write a file whole or not at all, also if the power fails; its mode stays as it is.

        What a killed process leaves has the name that the next one uses, and goes with it.
        """
        folder = Path(path).parent
        folder.mkdir(parents=True, exist_ok=True)
        name = folder / f".{Path(path).name}.homestead-new"
        try:
            handle = os.open(name, _NEW, 0o600)
            with open(handle, "w", encoding="utf-8") as stream:
                os.fchmod(stream.fileno(), _mode(path))
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(name, path)
        except OSError:
            name.unlink(missing_ok=True)
            raise
        _settle(folder)

    def move(self, source: str, target: str) -> bool:
        """Rename a directory; of several who try, one succeeds."""
        try:
            os.rename(source, target)
        except FileNotFoundError:
            return False
        return True

    def remove(self, path: str) -> None:
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        except IsADirectoryError:
            shutil.rmtree(path)

    @contextmanager
    def alone(self, lock: str) -> Iterator[None]:
        with open(lock, "w", encoding="utf-8") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        self._deadline = time.monotonic() + seconds
        try:
            yield
        finally:
            self._deadline = None

    def wait(self, happened: Callable[[], bool], *, seconds: float) -> None:
        latest = time.monotonic() + seconds
        while not happened() and time.monotonic() < latest:
            time.sleep(0.2)

    def _bounds(self) -> list[str]:
        """Return what ends a program, and all that it started, at the deadline."""
        if self._deadline is None:
            return []
        left = max(self._deadline - time.monotonic(), 0.1)
        return ["timeout", "--kill-after=1", f"{left:.1f}"]

    def ssh_connection(self) -> str:
        """Find SSH_CONNECTION with this process or its ancestors: sudo hides it from us."""
        process = os.getpid()
        while process > 1:
            for entry in Path(f"/proc/{process}/environ").read_bytes().split(b"\0"):
                if entry.startswith(b"SSH_CONNECTION="):
                    return entry.partition(b"=")[2].decode()
            process = _parent(process)
        return ""


def _mode(path: str) -> int:
    return os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o644


def _parent(process: int) -> int:
    status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    return int(status.rpartition(")")[2].split()[1])


def _settle(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
