# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an older Synapse is run: its units, its configuration files, its Python."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..host.homeservers import SYNAPSE

PROGRAMS = re.compile(SYNAPSE)
PROPERTIES = "Id,ExecStart,User,WorkingDirectory,ActiveState,UnitFileState,DropInPaths"
PACKAGE = "/etc/matrix-synapse"
_PACKAGED_PYTHON = "/opt/venvs/matrix-synapse/bin/python"
_SYSTEM_PYTHON = "/usr/bin/python3"
_ARGUMENTS = re.compile(r"argv\[\]=(?P<words>.*?) ; ")
_CONFIGURATION = re.compile(r"(?:^|\s)(?:-c|--config-path)[ =](?P<path>/\S+|\S+\.ya?ml)")
_KEYS = re.compile(r"\s--keys-directory[ =](?P<path>\S+)")
_WORKER = re.compile(r"generic_worker|synapse_worker")


@dataclass(frozen=True)
class Unit:
    """A unit of systemd that starts Synapse."""

    name: str
    command: str
    user: str
    folder: str
    active: bool
    enabled: bool
    drop_ins: tuple[str, ...]

    @property
    def is_worker(self) -> bool:
        return _WORKER.search(self.command) is not None


def read_units(shown: str) -> list[Unit]:
    """Read what `systemctl show` says of units, those that matter most first."""
    units = [_unit(block) for block in shown.strip().split("\n\n") if block]
    return sorted(units, key=lambda unit: (not unit.active, not unit.enabled, unit.name))


def _unit(block: str) -> Unit:
    said = dict(line.partition("=")[::2] for line in block.splitlines())
    command = _ARGUMENTS.search(said.get("ExecStart", ""))
    return Unit(
        name=said.get("Id", ""),
        command=command["words"] if command else "",
        user=said.get("User") or "root",
        folder=said.get("WorkingDirectory", "").lstrip("!-") or "/",
        active=said.get("ActiveState") in ("active", "activating", "reloading"),
        enabled=said.get("UnitFileState", "").startswith("enabled"),
        drop_ins=tuple(said.get("DropInPaths", "").split()),
    )


def configured_at(units: Iterable[Unit]) -> list[str]:
    """Return files and directories of the configuration, in the order in which they count."""
    for unit in units:
        paths = [found["path"] for found in _CONFIGURATION.finditer(unit.command)]
        if not paths and "synctl" in unit.command:
            paths = ["homeserver.yaml"]
        if paths and not unit.is_worker:
            return [os.path.join(unit.folder, path) for path in paths]
    return [f"{PACKAGE}/homeserver.yaml", f"{PACKAGE}/conf.d"]


def keys_directory(units: Iterable[Unit], files: Iterable[str]) -> str:
    """Return where a signing key is whose path the configuration does not name."""
    commands = (unit.command for unit in units if not unit.is_worker)
    told = next(filter(None, map(_KEYS.search, commands)), None)
    return told["path"] if told else os.path.dirname(list(files)[-1])


def pythons(units: Iterable[Unit]) -> list[str]:
    """Return the programs that may be able to read the configuration, the likeliest first."""
    found = []
    for unit in units:
        program = unit.command.partition(" ")[0]
        is_python = os.path.basename(program).startswith("python")
        found.append(program if is_python else f"{os.path.dirname(program)}/python")
    return list(dict.fromkeys((*found, _PACKAGED_PYTHON, _SYSTEM_PYTHON)))
