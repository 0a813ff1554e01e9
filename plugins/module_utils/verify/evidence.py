# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen, as plain and bounded data for the report."""

from __future__ import annotations

from typing import Any

from .findings import shortened
from .redirect_chain import Chain
from .wire.transport import Exchange

EXCERPT = 200
SEEN_LIMIT = 16 * 1024
"""How many characters `seen` has at most as JSON, in which one character may take six."""
_URL_SHOWN = 500
_LINES_SHOWN = 10
_TELLING = frozenset(
    {"content-type", "content-encoding", "location", "server", "cache-control", "vary"}
    | {f"access-control-allow-{what}" for what in ("origin", "methods", "headers")}
)


def excerpt(body: bytes) -> str:
    """Return the beginning of a body as printable text."""
    text = body[:EXCERPT].decode("utf-8", "backslashreplace")
    return "".join(character if character.isprintable() else " " for character in text)


def seen(exchange: Exchange) -> dict[str, Any]:
    """Return one exchange without its body."""
    facts = {
        "method": exchange.request.method,
        "url": shortened(exchange.request.url, _URL_SHOWN),
        "address": exchange.address,
        "status": exchange.status,
        "headers": [
            f"{name}: {value[:EXCERPT]}"
            for name, value in exchange.headers
            if name.lower() in _TELLING
        ][:_LINES_SHOWN],
        "milliseconds": exchange.milliseconds,
        "error": shortened(str(exchange.error), EXCERPT) if exchange.error else "",
    }
    return {name: value for name, value in facts.items() if value}


def hops(chain: Chain) -> list[dict[str, Any]]:
    """Return every hop of a chain."""
    return [seen(exchange) for exchange in chain.hops]
