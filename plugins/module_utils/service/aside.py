# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of somebody else in our way: a copy of each is kept before anything is changed.

What a package of Debian brought, and nobody has edited since, is not kept: the package has it.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Container, Iterable, Mapping
from pathlib import Path

from ..already_there import Found
from . import nodes
from . import record as records
from .machine import Machine
from .wish import Change

FOLDER = "adopted"
"""Below our own state; in it a directory for each day, and below that the paths of the host."""

ALREADY_THERE = (
    Found(
        "a file or link that somebody else wrote where one of ours belongs",
        "copies aside",
        f"to `/var/lib/homestead/{FOLDER}/DATE`, and a warning names it",
    ),
    Found("a file there as its package brought it, unedited", "uses", "the package still has it"),
)


def set_aside(changes: Iterable[Change], ours: Container[str], host: Machine) -> dict[str, str]:
    """Return where the copy of each file belongs that we did not write and shall replace."""
    own = {host.places.configuration, host.places.state}
    elsewhere = (c for c in changes if own.isdisjoint(Path(c.wish.path).parents))
    foreign = [change for change in elsewhere if _is_foreign(change, ours)]
    if not foreign:
        return {}
    recorded, packaged = records.files_of_all(host.places), _packaged(host)
    strange = (change for change in foreign if change.wish.path not in recorded)
    lost = (change for change in strange if not _is_packaged(change.wish.path, packaged))
    return {change.wish.path: _place(change, host.places.state / FOLDER) for change in lost}


def keep(places: Mapping[str, str], changes: Iterable[Change]) -> None:
    """Write the copies; one that stands already stays."""
    for change in changes:
        place = places.get(change.wish.path)
        if place and nodes.read(place) != change.before:
            os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
            nodes.write(place, change.before)


def _is_foreign(change: Change, ours: Container[str]) -> bool:
    wish, before = change.wish, change.before
    stood = before.kind in ("file", "link") and not wish.keep and wish.path not in ours
    same = (before.kind, before.content, before.target)
    return stood and same != (wish.node.kind, wish.node.content, wish.node.target)


def _packaged(host: Machine) -> dict[str, str]:
    """Return the MD5 sums of configuration files as their packages brought them (dpkg-query(1))."""
    listed = host.run(["dpkg-query", "--show", "--showformat=${Conffiles}\\n"]).output
    words = (line.split() for line in listed.splitlines())
    return {line[0]: line[1] for line in words if len(line) > 1}


def _is_packaged(path: str, packaged: Mapping[str, str]) -> bool:
    """Tell whether a file, or that to which a link leads, is as its package brought it."""
    real = os.path.realpath(path)
    try:
        content = Path(real).read_bytes()
    except OSError:
        return False
    return packaged.get(real) == hashlib.md5(content, usedforsecurity=False).hexdigest()


def _place(change: Change, folder: Path) -> str:
    """Return the place of a copy: that of an earlier one that is the same, or today's."""
    inner = change.wish.path.lstrip("/")
    earlier = sorted(str(day / inner) for day in folder.glob("*"))
    same = (place for place in earlier if nodes.read(place) == change.before)
    return next(same, str(folder / time.strftime("%Y-%m-%d") / inner))
