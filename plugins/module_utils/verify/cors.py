# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a browser may read an answer (client-server API, Web Browser Clients; Fetch standard)."""

from __future__ import annotations

from .wire.transport import Exchange

METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "OPTIONS"})
HEADERS = frozenset({"x-requested-with", "content-type", "authorization"})
PREFLIGHT = (
    ("Access-Control-Request-Method", "POST"),
    ("Access-Control-Request-Headers", "authorization,content-type"),
)


def origin_fault(exchange: Exchange) -> str:
    """Say why browsers refuse this answer, from its raw header lines; nothing if they take it."""
    lines = exchange.header("Access-Control-Allow-Origin")
    if not lines:
        return "it has no Access-Control-Allow-Origin header"
    if len(lines) > 1:
        return f"it has the Access-Control-Allow-Origin header {len(lines)} times"
    if "," in lines[0]:
        return (
            f"its Access-Control-Allow-Origin header is {lines[0]!r}, which names several origins"
        )
    if lines[0].strip() not in ("*", _asking(exchange)):
        return f"its Access-Control-Allow-Origin header is {lines[0]!r} instead of '*'"
    return ""


def repeats_origin(exchange: Exchange) -> bool:
    """Whether browsers take this answer only because it names the origin that asks."""
    values = {value.strip() for value in exchange.header("Access-Control-Allow-Origin")}
    return values == {_asking(exchange)} and not origin_fault(exchange)


def varies(exchange: Exchange) -> bool:
    """Whether caches are told to keep the answers for different origins apart (RFC 9110 12.5.5)."""
    names = {name.strip().lower() for name in ",".join(exchange.header("Vary")).split(",")}
    return not names.isdisjoint({"origin", "*"})


def _asking(exchange: Exchange) -> str:
    """Return the origin that the request told."""
    return dict(exchange.request.headers).get("Origin", "")


def preflight_fault(exchange: Exchange) -> str:
    """Say why browsers stop after this answer to OPTIONS; nothing if they go on."""
    if not exchange.whole:
        return str(exchange.error)
    if not 200 <= exchange.status < 300:
        return f"the answer to OPTIONS is {exchange.status} instead of 200"
    return origin_fault(exchange) or _headers_fault(exchange)


def missing_methods(exchange: Exchange) -> list[str]:
    """Return the methods of the specification that the preflight does not allow."""
    return sorted(METHODS - {item.upper() for item in _items(exchange, "Methods")})


def _headers_fault(exchange: Exchange) -> str:
    """Judge the allowed headers: `*` does not cover Authorization (Fetch standard)."""
    allowed = {item.lower() for item in _items(exchange, "Headers")}
    missing = sorted(HEADERS - allowed)
    if not missing:
        return ""
    return f"its Access-Control-Allow-Headers header lacks {', '.join(missing)}"


def _items(exchange: Exchange, what: str) -> set[str]:
    merged = ",".join(exchange.header(f"Access-Control-Allow-{what}"))
    return {item.strip() for item in merged.split(",") if item.strip()}
