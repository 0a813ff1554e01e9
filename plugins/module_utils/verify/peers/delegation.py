# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The meaning of /.well-known/matrix/server (server-server API, Server discovery)."""

from __future__ import annotations

from typing import Any

from ...names import ServerName
from ..findings import Check, Finding
from ..strict_json import loads, text_at

DELEGATION = Check(
    "well_known.server.m_server",
    "well-known",
    "Server-Server API, GET /.well-known/matrix/server",
    'Publish {"m.server": "<host>:<port>"}: a host name and a port, no scheme, no path.',
)
EXTRA = Check(
    "well_known.server.keys",
    "well-known",
    "Server-Server API, GET /.well-known/matrix/server",
    "Take the other keys out; peers read only m.server.",
)


def delegated_name(body: bytes) -> str:
    """Return the server name a document delegates to, as written, or raise ValueError."""
    return _name_in(loads(body).value)


def _name_in(value: Any) -> str:
    name = text_at(value, "m.server")
    if name is None:
        raise ValueError("m.server is missing or not a text")
    ServerName.parse(name)
    return name


def judge_delegation(value: dict[str, Any]) -> list[Finding]:
    """Judge the document's value."""
    try:
        name = _name_in(value)
    except ValueError as error:
        return [DELEGATION.error(f"Peers ignore the document, because {error}.")]
    findings = [DELEGATION.ok(f"Peers are sent to {name}.", delegation=name)]
    if extra := sorted(set(value) - {"m.server"}):
        findings.append(EXTRA.info(f"The document has keys that peers do not read: {extra[:10]}."))
    return findings
