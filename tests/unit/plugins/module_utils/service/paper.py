# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of paper: real files in a folder, programs that only answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.homestead.matrix.plugins.module_utils.service.arguments import (
    ARGUMENTS,
    given_key,
    pack,
    parse,
)
from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import (
    Machine,
    Outcome,
    Places,
    run_program,
)
from ansible_collections.homestead.matrix.plugins.module_utils.service.model import Service
from ansible_collections.homestead.matrix.plugins.module_utils.service.run import make_true

Answer = Callable[[], Outcome]
US = {"owner": str(os.getuid()), "group": str(os.getgid())}


@dataclass
class PaperUnit:
    loaded: bool = True
    active: bool = False
    enabled: bool = False
    first: int = 0

    def properties(self) -> str:
        words = {
            "LoadState": "loaded" if self.loaded else "not-found",
            "ActiveState": "active" if self.active else "inactive",
            "UnitFileState": ("enabled" if self.enabled else "disabled") if self.loaded else "",
            "Type": "simple",
            "NRestarts": "0",
            "MainPID": str(self.first),
        }
        return "\n".join(f"{key}={value}" for key, value in words.items())


@dataclass
class Programs:
    """Answers for programs, and a list of what was asked of them."""

    units: dict[str, PaperUnit] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    real: tuple[str, ...] = ("openssl",)
    """Programs that are really run."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
        seconds: float = 0,  # noqa: ARG002 - nothing takes time here
        stdin: str = "",
    ) -> Outcome:
        line = " ".join([*argv, *(f"{k}={v}" for k, v in (environment or {}).items())])
        self.asked.append(f"{line} as {user}" if user else line)
        if line in self.answers:
            return self.answers[line]()
        if argv[0] in self.real:
            return run_program(argv, stdin=stdin)
        if argv[0] == "systemctl":
            return self._systemctl(argv[1], [word for word in argv[2:] if not word.startswith("-")])
        return self._query(argv) if argv[0] == "dpkg-query" else Outcome(0)

    def _query(self, argv: Sequence[str]) -> Outcome:
        found = [f"{p} installed {v}" for p, v in self.packages.items() if p in argv]
        return Outcome(0, "\n".join(found))

    def _systemctl(self, verb: str, names: list[str]) -> Outcome:
        units = [self.units.setdefault(name, PaperUnit()) for name in names]
        if verb == "show":
            return Outcome(0, "\n\n".join(unit.properties() for unit in units))
        for unit in units:
            unit.active = {"restart": True, "stop": False}.get(verb, unit.active)
            unit.enabled = {"enable": True, "disable": False}.get(verb, unit.enabled)
        return Outcome(0)

    @property
    def changes(self) -> list[str]:
        """What was asked for, without questions."""
        readers = (
            "systemctl show",
            "dpkg-query",
            "journalctl",
            "systemctl reset-failed",
            "openssl",
        )
        return [line for line in self.asked if not line.startswith(readers)]


@dataclass
class Paper:
    """A host whose own state lives in `root`."""

    root: Path
    programs: Programs = field(default_factory=Programs)

    @property
    def host(self) -> Machine:
        folders = (self.root / name for name in ("state", "secrets", "locks", "ours"))
        places = Places(*folders)
        return Machine(places, self.programs, settle=0, patience=0, root=self.root)

    def path(self, name: str) -> str:
        return str(self.root / name)

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def process(self, number: int, parent: int) -> None:
        """Start a process, as /proc shows it."""
        folder = self.root / f"proc/{number}"
        folder.mkdir(parents=True)
        (folder / "stat").write_text(f"{number} (nginx: worker) S {parent} 1 1")

    def file(self, name: str, content: str, **more: Any) -> dict[str, Any]:
        return {"path": self.path(name), "content": content, **US, **more}

    def apply(self, *, check: bool = False, **task: Any) -> dict[str, Any]:
        """Make the service true as a first step, forgetting what was asked before."""
        self.programs.asked.clear()
        service = service_of(self.host.places, **{"name": "demo", **task})
        return make_true(service, self.host, check=check, show_diff=True)


def service_of(places: Places | None = None, **task: Any) -> Service:
    """Return the service of a task as it arrives from the action plugin."""
    files = [dict(entry) for entry in task.get("files", ())]
    contents = {
        entry["path"]: entry.pop("content").encode() for entry in files if "content" in entry
    }
    values = task.pop("values", {})
    contents |= {given_key(name): value.encode() for name, value in values.items()}
    validated = ArgumentSpecValidator(ARGUMENTS).validate(
        {**task, "files": files, "contents": pack(contents)}
    )
    assert not validated.error_messages, validated.error_messages
    return parse(validated.validated_parameters, places)
