# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host as the firewall's parts see it: the only place that runs programs and touches files."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


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


def require(system: System, command: Sequence[str], *, text: str = "") -> str:
    """Run a program that must succeed and return what it prints."""
    finished = system.run(command, text=text)
    if finished.code:
        words = finished.errors.strip() or finished.output.strip() or f"exit code {finished.code}"
        raise FirewallError(f"{' '.join(command[:2])}: {words}")
    return finished.output


class Host:
    """The real host."""

    def finds(self, program: str) -> bool:
        return shutil.which(program, path=_PATH) is not None

    def run(self, command: Sequence[str], *, text: str = "") -> Finished:
        """Run a program in plain English, so that its words can be judged and shown."""
        # A module's run_command is not at hand here: this class knows nothing of Ansible.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            command,
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
        """Write a file whole or not at all, also if the power fails."""
        folder = Path(path).parent
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".homestead-")
        try:
            with open(handle, "w", encoding="utf-8") as stream:
                os.fchmod(stream.fileno(), 0o644)
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(name, path)
        except OSError:
            os.unlink(name)
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


def _settle(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
