# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host remembers of a service: its files, and with which inputs its units run."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from . import nodes
from .machine import Places
from .model import Data, Reaction, ServiceError
from .nodes import Node

UNKNOWN = "unknown"
VERSION = 1
"""Written into each record; of one of another version all is read that it shares with this one."""


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
    data: Data = field(default_factory=Data)

    @property
    def is_retired(self) -> bool:
        """Whether nothing but data is left of the service."""
        return self.data != Data() and self == Record(transaction=self.transaction, data=self.data)

    def including(self, other: Record) -> Record:
        """Return what is remembered of both; where they disagree, this one knows better."""
        return replace(
            self,
            files={**other.files, **self.files},
            folders=tuple(dict.fromkeys((*self.folders, *other.folders))),
            units=tuple(dict.fromkeys((*self.units, *other.units))),
            inputs={**other.inputs, **self.inputs},
            commands=tuple(sorted({*self.commands, *other.commands})),
            data=self.data.including(other.data),
        )

    @property
    def forgotten(self) -> set[str]:
        """The units that a run which died was about to turn."""
        return {
            unit for unit, have in self.inputs.items() if UNKNOWN in (have.restart, have.reload)
        }

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


def all_of(places: Places) -> dict[str, Record]:
    """Return the records of all our services on this host, by their names."""
    paths = (places.state / "services").glob("*.json")
    return {path.stem: read(str(path)) for path in paths}


def files_of_all(places: Places) -> set[str]:
    """Return every path that any of our services manages on this host."""
    return {path for record in all_of(places).values() for path in record.files}


def read(path: str) -> Record:
    """Return the record that stands at a path; none at all is the record of a new service."""
    content = nodes.read(path).content
    if not content:
        return Record()
    try:
        return _load(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ServiceError(
            f"{path} is no record of this collection ({error!r}). Move it away, and the next run "
            "writes it anew; what it alone knew, files and units to remove, is yours to remove."
        ) from error


def _load(data: dict[str, Any]) -> Record:
    return Record(
        files={path: _reaction(entry) for path, entry in data["files"].items()},
        folders=tuple(data.get("folders", ())),
        units=tuple(data.get("units", ())),
        inputs={unit: _inputs(entry) for unit, entry in data.get("inputs", {}).items()},
        commands=tuple(data.get("commands", ())),
        transaction=data.get("transaction", ""),
        data=_data(data.get("data", {})),
    )


def dump(record: Record) -> Node:
    """Return the file that holds this record."""
    data = {
        "version": VERSION,
        "files": {path: vars(reaction) for path, reaction in sorted(record.files.items())},
        "folders": record.folders,
        "units": record.units,
        "inputs": {unit: vars(inputs) for unit, inputs in sorted(record.inputs.items())},
        "commands": record.commands,
        "transaction": record.transaction,
        "data": vars(record.data),
    }
    return Node("file", content=json.dumps(data, indent=1).encode() + b"\n", mode=0o600)


def _reaction(entry: dict[str, list[str]]) -> Reaction:
    return Reaction(tuple(entry.get("restart", ())), tuple(entry.get("reload", ())))


def _data(entry: dict[str, list[Any]]) -> Data:
    databases = (tuple(database) for database in entry.get("databases", ()))
    return Data(tuple(entry.get("paths", ())), tuple(databases), tuple(entry.get("secrets", ())))


def _inputs(entry: dict[str, str]) -> Inputs:
    return Inputs(entry.get("restart", ""), entry.get("reload", ""))
