# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fault is, and where its services have their files."""

from __future__ import annotations

from dataclasses import dataclass

from damage import Damage, Edit

SERVER = "/etc/nginx/snippets/homestead-server.conf"
SITE = "/etc/nginx/conf.d/homestead.conf"
REDIRECTS = "/etc/nginx/snippets/matrix-well-known.conf"
SYNAPSE = "/etc/matrix-synapse/homeserver.yaml"
COTURN = "/etc/turnserver.conf"
DOCUMENTS = "/var/lib/homestead/well-known"
MATRIX = "https://matrix.homestead.test"
UPSTREAM = "include /etc/nginx/snippets/homestead-proxy.conf; proxy_pass http://homestead_synapse;"
CORS = "include /etc/nginx/snippets/homestead-cors.conf;"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and every finding that must name it: verdict and id."""

    name: str
    damage: Damage
    named: frozenset[str]
    planned: bool = True


def fault(name: str, damage: Damage, *named: str, planned: bool = True) -> Fault:
    """Describe a fault in a line; without `planned` the stranger knows no plan of the server."""
    return Fault(name, damage, frozenset(named), planned)


def served(path: str, answer: str) -> Edit:
    """Let the Matrix host's web server answer for a path in another way."""
    first = "    location /_matrix/ {"
    return Edit("matrix", SITE, first, f"    location {path} {{ {answer} }}\n{first}")


def synapse(old: str, new: str) -> Edit:
    return Edit("matrix", SYNAPSE, old, new, restart=("matrix-synapse",))


def coturn(old: str, new: str) -> Edit:
    return Edit("matrix", COTURN, old, new, restart=("coturn",))
