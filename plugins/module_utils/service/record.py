# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host remembers of a service: its files, and with which inputs its units run."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from .host import Places
from .model import Reaction
from .nodes import Node

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Inputs:
    """Fingerprints of what a unit reads; empty where it reads nothing of that kind."""

    restart: str = ""
    reload: str = ""


@dataclass(frozen=True)
class Record:
    """The last success; between the first write and the next success, what may be there."""

    files: dict[str, Reaction] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    inputs: dict[str, Inputs] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    transaction: str = ""

    def including(self, other: Record) -> Record:
        """Return what is remembered of both; where they disagree, this one knows better."""
        return replace(
            self,
            files={**other.files, **self.files},
            folders=tuple(dict.fromkeys((*self.folders, *other.folders))),
            units=tuple(dict.fromkeys((*self.units, *other.units))),
            inputs={**other.inputs, **self.inputs},
            commands=tuple(sorted({*self.commands, *other.commands})),
        )

    def forget(self, reaction: Reaction) -> Record:
        """Return the record with the inputs of these units unknown, so that they must react."""
        inputs = dict(self.inputs)
        for unit in reaction.restart:
            inputs[unit] = replace(inputs.get(unit, Inputs()), restart=UNKNOWN)
        for unit in reaction.reload:
            inputs[unit] = replace(inputs.get(unit, Inputs()), reload=UNKNOWN)
        return replace(self, inputs=inputs)


def path_of(places: Places, name: str) -> str:
    return str(places.state / "services" / f"{name}.json")


def load(content: bytes) -> Record:
    """Return the record these bytes hold; nothing at all is the record of a new service."""
    if not content:
        return Record()
    data: dict[str, Any] = json.loads(content)
    return Record(
        files={path: _reaction(entry) for path, entry in data["files"].items()},
        folders=tuple(data["folders"]),
        units=tuple(data["units"]),
        inputs={unit: Inputs(**entry) for unit, entry in data["inputs"].items()},
        commands=tuple(data["commands"]),
        transaction=data["transaction"],
    )


def dump(record: Record) -> Node:
    """Return the file that holds this record."""
    data = {
        "files": {path: vars(reaction) for path, reaction in sorted(record.files.items())},
        "folders": record.folders,
        "units": record.units,
        "inputs": {unit: vars(inputs) for unit, inputs in sorted(record.inputs.items())},
        "commands": record.commands,
        "transaction": record.transaction,
    }
    return Node("file", content=json.dumps(data, indent=1).encode() + b"\n", mode=0o600)


def _reaction(entry: dict[str, list[str]]) -> Reaction:
    return Reaction(tuple(entry["restart"]), tuple(entry["reload"]))
