# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host as the firewall's parts see it: the only place that runs programs and touches files."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from ..service import nodes
from ..service.machine import PATIENCE, TIMED_OUT, Outcome, run_program
from ..service.nodes import Node

Rules = Mapping[str, str]  # the files of one firewall program by name; none: it is not ours

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class FirewallError(Exception):
    """What stands in the way, in one sentence."""


class System(Protocol):
    """What the firewall needs of a host."""

    def finds(self, program: str) -> bool: ...

    def run(self, command: Sequence[str], *, text: str = "") -> Outcome: ...

    def names(self, folder: str) -> list[str]: ...

    def read(self, path: str) -> str | None: ...

    def write(self, path: str, text: str) -> None: ...

    def move(self, source: str, target: str) -> bool: ...

    def remove(self, path: str) -> None: ...

    def ssh_connection(self) -> str: ...

    def listening(self) -> Mapping[str, str]:
        """Return the ports on which the host listens to others, as "tcp 443", and who does."""

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

    def run(self, command: Sequence[str], *, text: str = "") -> Outcome:
        """Run a program, and end it at the deadline with all that it started."""
        left = PATIENCE if self._deadline is None else self._deadline - time.monotonic()
        return run_program(command, seconds=max(left, 0.1), stdin=text)

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
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else 0o644
        nodes.write(path, Node("file", text.encode(), mode=mode))

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

    def listening(self) -> Mapping[str, str]:
        from ..host import reading  # a run without a change does not need all that

        return reading.listening()

    def ssh_connection(self) -> str:
        """Find SSH_CONNECTION with this process or its ancestors: sudo hides it from us."""
        process = os.getpid()
        while process > 1:
            for entry in Path(f"/proc/{process}/environ").read_bytes().split(b"\0"):
                if entry.startswith(b"SSH_CONNECTION="):
                    return entry.partition(b"=")[2].decode()
            process = _parent(process)
        return ""


def _parent(process: int) -> int:
    status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    return int(status.rpartition(")")[2].split()[1])
