# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Homeservers that others set up: how they are known, and whether a run may go on."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from ..already_there import Found


@dataclass(frozen=True)
class Homeserver:
    """A homeserver that others set up: where it stands, and the service that ours would be."""

    title: str
    paths: tuple[str, ...]
    service: str = ""


_UNITS = ("etc/systemd/system", "lib/systemd/system")


def _native(title: str, *names: str, service: str = "") -> Homeserver:
    """Describe a homeserver by the names of its directory in /etc and of its unit."""
    units = (f"{folder}/{name}.service" for folder in _UNITS for name in names)
    return Homeserver(title, (*(f"etc/{name}" for name in names), *units), service)


HOMESERVERS = (
    _native("Synapse", "matrix-synapse", "synapse", service="synapse"),
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
    Found(f"a {row.title}", "refuses", "take another host, or move away what nobody needs")
    for row in HOMESERVERS
)


def homeserver_faults(there: Container[str], services: Container[str]) -> Iterator[str]:
    """Refuse a host on which others' accounts, rooms and signing key would be lost from sight.

    `there` holds the paths that exist, without the first slash; `services` the names of ours.
    """
    strange = (row for row in HOMESERVERS if row.service not in services)
    found = ((row, next(filter(there.__contains__, row.paths), "")) for row in strange)
    for row, path in found:
        if path:
            yield (
                f"The host has a {row.title} that this collection did not set up (/{path}); its "
                "accounts, rooms and signing key would be lost from sight. Take another host: this "
                "release cannot adopt a server. If nothing there is needed any more, move it away."
            )
