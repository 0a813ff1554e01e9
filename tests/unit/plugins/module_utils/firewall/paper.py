# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of paper: files in a dictionary, and the few programs the firewall calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from ansible_collections.homestead.matrix.plugins.module_utils.firewall.commit import TIMER, UNDO
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.nftables import (
    EMPTY,
    RULES,
    UNIT,
    UNIT_FILE,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.proof import END
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.system import (
    TIMED_OUT,
    Outcome,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall import (
    paper_shell,
)

DONE = Outcome(code=0, output="", errors="")
VERBS = {
    "enable": ("enabled", True),
    "disable": ("enabled", False),
    "start": ("active", True),
    "stop": ("active", False),
    "mask": ("masked", True),
    "unmask": ("masked", False),
}


def failed(words: str = "") -> Outcome:
    return Outcome(code=1, output="", errors=words)


def printed(text: str) -> Outcome:
    return Outcome(code=0, output=text, errors="")


@dataclass
class PaperHost:
    """A host whose nft lists the very text it loaded."""

    files: dict[str, str] = field(default_factory=dict)
    table: str = ""
    timer: str = ""
    units: dict[str, set[str]] = field(default_factory=dict)
    programs: set[str] = field(default_factory=lambda: {"nft", "sshd"})
    sshd: str = "port 22\nlistenaddress 0.0.0.0:22\n"
    connection: str = "192.0.2.1 40000 192.0.2.2 22"
    breaks: dict[str, str] = field(default_factory=dict)
    full: str = ""
    slow: str = ""
    script: str = ""
    calls: list[str] = field(default_factory=list)
    listens: dict[str, str] = field(default_factory=dict)
    judging: str = ""
    came: str = ""

    @property
    def armed(self) -> bool:
        return bool(self.timer)

    def finds(self, program: str) -> bool:
        return program in self.programs

    def run(self, command: Sequence[str], *, text: str = "") -> Outcome:
        line = " ".join(command)
        self.calls.append(line)
        for start, words in self.breaks.items():
            if line.startswith(start):
                return failed(words)
        if self.slow and line.startswith(self.slow):
            return Outcome(code=TIMED_OUT, output="", errors="")
        tool = command[0].rpartition("/")[2].replace("-", "_")
        program = getattr(self, f"_{tool}", None)
        if program is None:
            raise FileNotFoundError(2, "No such file or directory", command[0])
        finished: Outcome = program(line, text)
        return finished

    def _nft(self, line: str, text: str) -> Outcome:
        path = line.rpartition(" ")[2]
        if "homestead_proof" in f"{line} {self.files.get(path)}":
            return self._nft_of_the_proof(line, path)
        if " list " in line:
            listing = '{"nftables": []}' if "-j" in line else self.table
            return printed(listing) if self.table else failed("Error: No such file or directory")
        if " delete " in line:
            self.table = ""
        elif "-c" not in line:
            self.table = (text if path == "-" else self.files[path]).replace(EMPTY, "")
        return DONE

    def _nft_of_the_proof(self, line: str, path: str) -> Outcome:
        if "list" in line:
            return printed(self.came) if self.judging else failed()
        self.judging = self.files[path].replace(END, "")
        return DONE

    def _systemctl(self, line: str, _text: str) -> Outcome:
        _tool, verb, *others = line.split()
        states = self.units.setdefault(others[-1], set()) if others else set()
        if verb == "show":
            return printed(_shown(states))
        if verb == "is-active":
            return DONE if "active" in states else failed()
        if verb == "start" and "masked" in states:
            return failed(f"Unit {others[-1]} is masked.")
        self._change(verb, states)
        if "--now" in others:
            self._change("start" if verb == "enable" else "stop", states)
        if TIMER in line:
            self.timer = ""
        return DONE

    def _change(self, verb: str, states: set[str]) -> None:
        state, comes = VERBS.get(verb, ("", False))
        if comes:
            states.add(state)
        else:
            states.discard(state)

    def _systemd_run(self, line: str, _text: str) -> Outcome:
        self.timer = line.partition(" /bin/sh ")[2]
        return DONE

    def _sshd(self, _line: str, _text: str) -> Outcome:
        return printed(self.sshd)

    def _sh(self, line: str, _text: str) -> Outcome:
        words = line.partition(" ")[2]
        if words.startswith("-c "):
            return paper_shell.carry_out(self, words.partition(" ")[2])
        return paper_shell.carry_out(self, self.script)

    def expire(self) -> None:
        """Let the timer run out: what it holds is done, and again while that fails."""
        if self.timer and not self.run(["/bin/sh", self.timer]).code:
            self.timer = ""

    def boot(self) -> None:
        """Forget what a boot forgets, and load what it loads."""
        for path in self.names("/run"):
            del self.files[path]
        self.timer = ""
        for states in self.units.values():
            states.discard("active")
            states.update({"active"} if "enabled" in states else ())
        up = "enabled" in self.units.get(UNIT, ()) and UNIT_FILE in self.files
        self.table = self.files.get(RULES, "") if up else ""

    def names(self, folder: str) -> list[str]:
        return [path for path in self.files if path.startswith(f"{folder}/")]

    def read(self, path: str) -> str | None:
        return self.files.get(path)

    def write(self, path: str, text: str) -> None:
        if self.full and path.startswith(self.full):
            raise OSError(28, "No space left on device")
        if path == UNDO:
            self.script = text  # it stays, and does nothing unless a change waits for its proof
        else:
            self.files[path] = text

    def move(self, source: str, target: str) -> bool:
        moving = self.names(source)
        for path in moving:
            self.files[path.replace(source, target, 1)] = self.files.pop(path)
        return bool(moving)

    def remove(self, path: str) -> None:
        for name in [path, *self.names(path)]:
            self.files.pop(name, None)

    def alone(self, lock: str) -> AbstractContextManager[None]:
        self.calls.append(f"alone {lock}")
        return nullcontext()

    def within(self, seconds: float) -> AbstractContextManager[None]:
        self.calls.append(f"within {seconds}")
        return nullcontext()

    def wait(self, happened: Callable[[], bool], *, seconds: float) -> None:
        """Let the timer run out if anybody waits for it."""
        self.calls.append(f"wait {seconds}")
        if not happened():
            self.expire()

    def listening(self) -> dict[str, str]:
        return self.listens

    def ssh_connection(self) -> str:
        return self.connection


def _shown(states: set[str]) -> str:
    """Return what ``systemctl show`` says of a unit."""
    active = "active" if "active" in states else "inactive"
    masked = "masked" if "masked" in states else "disabled"
    return f"ActiveState={active}\nUnitFileState={'enabled' if 'enabled' in states else masked}\n"
