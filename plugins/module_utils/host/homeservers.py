# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Homeservers that others set up: how they are known, and whether a run may go on."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from ..already_there import Found


@dataclass(frozen=True)
class Homeserver:
    """A homeserver that others set up, and the service that ours would be."""

    title: str
    paths: tuple[str, ...]
    """Where it stands, without the first slash."""
    program: str = ""
    """A pattern of what a unit of any name starts."""
    service: str = ""
    """The only one that can be adopted is of the make of ours."""


UNIT_FOLDERS = ("etc/systemd/system", "lib/systemd/system")


def _native(title: str, *names: str, program: str = "", service: str = "") -> Homeserver:
    """Describe a homeserver by the names of its directory in /etc, of its unit and program."""
    units = (f"{folder}/{name}.service" for folder in UNIT_FOLDERS for name in names)
    program = program or rf"/({'|'.join(names)})(-[^/\s]*)?(\s|$)"
    return Homeserver(title, (*(f"etc/{name}" for name in names), *units), program, service)


SYNAPSE = r"synapse[./]app[./](homeserver|generic_worker)|synapse_(homeserver|worker)|\bsynctl\b"
"""What stands in the command line of every Synapse."""
HOMESERVERS = (
    _native("Synapse", "matrix-synapse", "synapse", program=SYNAPSE, service="synapse"),
    _native("Dendrite", "dendrite", "matrix-dendrite"),
    _native("Conduit", "conduit", "matrix-conduit"),
    _native("Continuwuity", "conduwuit", "continuwuity"),
    _native("Tuwunel", "tuwunel"),
    Homeserver(
        "homeserver in containers (matrix-docker-ansible-deploy)",
        ("matrix/synapse", "matrix/dendrite", "matrix/conduit", "matrix/continuwuity"),
    ),
)

ALREADY_THERE = tuple(
    found
    for row in HOMESERVERS
    for found in (
        Found(
            f"a {row.title}",
            "refuses",
            "take another host, or move away what nobody needs"
            + (", or adopt it" if row.service else ""),
        ),
        *(
            [Found(f"a {row.title}, with `matrix_adopt: true`", "adopts", "[how](adoption.md)")]
            if row.service
            else []
        ),
    )
)


def others(
    paths: Container[str], units: Mapping[str, str], services: Container[str]
) -> Iterator[tuple[Homeserver, str]]:
    """Yield each homeserver that is none of ours, with a path, without the first slash.

    `paths` holds those of the table that there are, `units` the texts of units, `services` ours.
    """
    for row in HOMESERVERS:
        if row.service in services:
            continue
        started = (path for path, text in units.items() if _starts(row, text))
        found = next((path for path in row.paths if path in paths), "") or next(started, "")
        if found:
            yield row, found


def _starts(row: Homeserver, unit: str) -> bool:
    lines = (line for line in unit.splitlines() if line.startswith("ExecStart="))
    return bool(row.program) and any(re.search(row.program, line) for line in lines)


def refusal(row: Homeserver, path: str) -> str:
    """Say why others' accounts, rooms and signing key would be lost from sight, and two ways on."""
    ways = (
        "Adopt it with matrix_adopt: true, or take another host."
        if row.service
        else "Take another host: only a Synapse can be adopted."
    )
    return (
        f"The host has a {row.title} that this collection did not set up (/{path}); its accounts, "
        f"rooms and signing key would be lost from sight. {ways} If nothing there is needed any "
        "more, move it away."
    )
