# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups of everything a transaction touches, on disk before its first write.

A journal that a killed run left behind holds the last good state: the next run keeps those
backups, adds what is new, and goes back to them if it fails.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from . import nodes
from .model import ServiceError
from .nodes import Node

VERSION = 1


@dataclass(frozen=True)
class UnitBefore:
    active: bool
    enabled: bool


Kind = TypeVar("Kind", Node, UnitBefore)


@dataclass(frozen=True)
class Journal:
    folder: Path
    identity: str = ""
    left_over: bool = False
    entries: tuple[tuple[str, Node], ...] = ()
    units: tuple[tuple[str, UnitBefore], ...] = ()

    def protect(self, paths: Iterable[str], units: dict[str, UnitBefore]) -> Journal:
        """Return the journal with backups of these paths too, all of it safely on disk."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        have = dict(self.entries)
        fresh = [path for path in dict.fromkeys(paths) if path not in have]
        first = len(self.entries)
        added = [(path, self._keep(number, path)) for number, path in enumerate(fresh, first)]
        journal = replace(
            self,
            identity=self.identity or os.urandom(8).hex(),
            entries=(*self.entries, *added),
            units=tuple({**units, **dict(self.units)}.items()),
        )
        nodes.write(str(self.folder / "journal.json"), _dump(journal))
        return journal

    def _keep(self, number: int, path: str) -> Node:
        """Keep what stands at `path`: a file as a second name of itself, so no disk is needed."""
        node = nodes.read(path)
        if node.kind == "file":
            backup = self._backup(number)
            nodes.remove(backup)
            try:
                nodes.name_as_well(path, backup)
            except OSError as error:
                if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
                    raise
                nodes.write(backup, node)
        return replace(node, content=b"")

    def _backup(self, number: int) -> str:
        return str(self.folder / str(number))

    def restore(self) -> list[str]:
        """Put everything back, and return the paths that had changed."""
        changed = []
        for number, (path, node) in self._in_order_of_return():
            nodes.clear_draft(path)
            if self._restore(number, path, node):
                changed.append(path)
        return sorted(changed)

    def _in_order_of_return(self) -> list[tuple[int, tuple[str, Node]]]:
        """Return new files first (they may fill the disk), new directories last (empty by then)."""
        numbered = list(enumerate(self.entries))
        gone = [entry for entry in reversed(numbered) if entry[1][1].kind == "absent"]
        kept = [entry for entry in numbered if entry[1][1].kind != "absent"]
        kept.sort(key=lambda entry: (entry[1][1].kind != "directory", entry[1][0]))
        folders = [entry for entry in gone if os.path.isdir(entry[1][0])]
        return [*(entry for entry in gone if entry not in folders), *kept, *folders]

    def _restore(self, number: int, path: str, node: Node) -> bool:
        if node.kind != "file":
            return _restore_node(path, node)
        backup = self._backup(number)
        if os.path.exists(path) and os.path.samefile(path, backup):
            return False
        if nodes.read(path) == nodes.read(backup):
            return False
        _put_back(path, backup)
        return True

    @property
    def is_litter(self) -> bool:
        """Whether a finished transaction was killed while it cleaned up."""
        return not self.left_over and self.folder.exists()

    def close(self) -> None:
        """Forget the backups: the transaction has ended, in success or as if never begun."""
        for path, _unused in self.entries:
            nodes.clear_draft(path)
        nodes.remove(str(self.folder / "journal.json"))
        shutil.rmtree(self.folder, ignore_errors=True)


def open_journal(folder: Path, finished: str) -> Journal:
    """Return the journal a killed run left, or a new one; `finished` names the last success."""
    path = folder / "journal.json"
    content = nodes.read(str(path)).content
    if not content:
        return Journal(folder)
    try:
        return _load(folder, json.loads(content), finished)
    except (ValueError, KeyError, TypeError) as error:
        raise ServiceError(
            f"{path} is no journal of this collection ({error!r}). A run was interrupted, and the "
            "files that it meant to change stand beside it: look at them, then move the folder "
            "away and run again."
        ) from error


def _load(folder: Path, data: dict[str, Any], finished: str) -> Journal:
    if data["identity"] == finished:
        return Journal(folder)
    return Journal(
        folder,
        identity=data["identity"],
        left_over=True,
        entries=tuple((path, _known(Node, entry)) for path, entry in data["entries"]),
        units=tuple((unit, _known(UnitBefore, before)) for unit, before in data["units"]),
    )


def _known(kind: type[Kind], entry: dict[str, Any]) -> Kind:
    """Return what an entry says; fields of another release's are passed over."""
    names = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in entry.items() if name in names})


def _dump(journal: Journal) -> Node:
    entries = [
        (path, {key: value for key, value in vars(node).items() if key != "content"})
        for path, node in journal.entries
    ]
    units = [(unit, vars(before)) for unit, before in journal.units]
    data = {"version": VERSION, "identity": journal.identity, "entries": entries, "units": units}
    return Node("file", content=json.dumps(data, indent=1).encode() + b"\n", mode=0o600)


def _restore_node(path: str, node: Node) -> bool:
    if nodes.read(path) == node:
        return False
    try:
        nodes.write(path, node)
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise
        return False  # a new directory in which a program already keeps data
    return True


def _put_back(path: str, backup: str) -> None:
    try:
        nodes.put_back(path, backup)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        _copy_back(path, nodes.read(backup))


def _copy_back(path: str, node: Node) -> None:
    try:
        nodes.write(path, node)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        nodes.remove(path)  # a full disk: the new file must make room for the old one
        nodes.write(path, node)
