# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of paper: files in a dictionary, and the few programs the firewall calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ansible_collections.homestead.matrix.plugins.module_utils.firewall.commit import (
    PENDING,
    TIMER,
    UNDOING,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.nftables import (
    EMPTY,
    UNIT_FILE,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.system import Finished

DONE = Finished(code=0, output="", errors="")


@dataclass
class PaperHost:
    """A host whose nft lists the very text it loaded."""

    files: dict[str, str] = field(default_factory=dict)
    table: str = ""
    armed: bool = False
    enabled: bool = False
    programs: set[str] = field(default_factory=lambda: {"nft", "sshd"})
    sshd: str = "port 22\nlistenaddress 0.0.0.0:22\n"
    connection: str = "192.0.2.1 40000 192.0.2.2 22"
    breaks: dict[str, str] = field(default_factory=dict)
    full: str = ""

    def finds(self, program: str) -> bool:
        return program in self.programs

    def run(self, command: Sequence[str], *, text: str = "") -> Finished:
        line = " ".join(command)
        for start, words in self.breaks.items():
            if line.startswith(start):
                return Finished(code=1, output="", errors=words)
        tool = command[0].rpartition("/")[2].replace("-", "_")
        return getattr(self, f"_{tool}")(line, text)

    def _nft(self, line: str, text: str) -> Finished:
        if " list " in line:
            missing = Finished(code=1, output="", errors="Error: No such file or directory")
            listing = '{"nftables": []}' if "-j" in line else self.table
            return Finished(code=0, output=listing, errors="") if self.table else missing
        if "-c" not in line:
            self.table = text.replace(EMPTY, "")
        return DONE

    def _systemctl(self, line: str, _text: str) -> Finished:
        if "ssh.socket" in line:
            return Finished(code=0, output="ActiveState=inactive\n", errors="")
        if " show " in line:
            up = self.enabled and UNIT_FILE in self.files
            states = "ActiveState=active\nUnitFileState=enabled\n"
            return Finished(code=0, output=states if up else "", errors="")
        if "stop" in line and TIMER in line:
            self.armed = False
        if "enable" in line:
            self.enabled = "disable" not in line
        return DONE

    def _systemd_run(self, _line: str, _text: str) -> Finished:
        self.armed = True
        return DONE

    def _sshd(self, _line: str, _text: str) -> Finished:
        return Finished(code=0, output=self.sshd, errors="")

    def _sh(self, line: str, _text: str) -> Finished:
        """Undo, as the timer does."""
        if UNDOING in line and (self.names(UNDOING) or self.move(PENDING, UNDOING)):
            self.table = self.files[f"{UNDOING}/former.nft"].replace(EMPTY, "")
            self.remove(UNDOING)
        return DONE

    def names(self, folder: str) -> list[str]:
        return [path for path in self.files if path.startswith(f"{folder}/")]

    def read(self, path: str) -> str | None:
        return self.files.get(path)

    def write(self, path: str, text: str) -> None:
        if self.full and path.startswith(self.full):
            raise OSError(28, "No space left on device")
        self.files[path] = text

    def move(self, source: str, target: str) -> bool:
        moving = self.names(source)
        for path in moving:
            self.files[path.replace(source, target, 1)] = self.files.pop(path)
        return bool(moving)

    def remove(self, path: str) -> None:
        for name in [path, *self.names(path)]:
            self.files.pop(name, None)

    def ssh_connection(self) -> str:
        return self.connection

    def boot(self) -> None:
        """Forget what a boot forgets, and load what it loads."""
        for path in self.names("/run"):
            del self.files[path]
        self.armed = False
        up = self.enabled and UNIT_FILE in self.files
        self.table = self.files.get("/etc/homestead/firewall.nft", "") if up else ""
