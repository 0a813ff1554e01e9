# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TURN server that others set up."""

from __future__ import annotations

from collections.abc import Container

from ..already_there import Found

_UNCONFIGURED = {
    "syslog",
    "no-rfc5780",
    "no-stun-backward-compatibility",
    "response-origin-only-with-rfc5780",
}
"""All that Debian's package sets in /etc/turnserver.conf."""

ALREADY_THERE = (
    Found(
        "a TURN server with a configuration (`/etc/turnserver.conf`)",
        "refuses",
        "take another host, or move that file away",
    ),
    Found(
        "a TURN server as its package left it", "uses", "nobody has configured it, so it is ours"
    ),
)


def fault(configuration: str, services: Container[str]) -> str:
    """Refuse to take a TURN server away from whoever uses it."""
    lines = {line.strip() for line in configuration.splitlines()}
    settings = {line for line in lines if line and not line.startswith("#")}
    if "coturn" in services or settings <= _UNCONFIGURED:
        return ""
    return (
        "The host has a TURN server that this collection did not set up (/etc/turnserver.conf); "
        "whoever uses it would lose it. Take another host, or move that file away."
    )
