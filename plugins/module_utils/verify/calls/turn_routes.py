# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ways lead to a TURN server, by the URIs that clients are given (RFC 7065)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ...names import HIGHEST_PORT
from ..wire.guard import Guard
from ..wire.hosts import authority
from ..wire.transport import Transport
from ..wire.turn_client import Credentials

RouteKind = Literal["udp", "tcp", "tls", "dtls"]
_KINDS: dict[tuple[str, str], RouteKind] = {
    ("turn", "udp"): "udp",
    ("turn", "tcp"): "tcp",
    ("turns", "tcp"): "tls",
    ("turns", "udp"): "dtls",
}
_PREFERENCE: tuple[RouteKind, ...] = ("udp", "tcp", "tls", "dtls")
_LABELS = {"udp": "UDP", "tcp": "TCP", "tls": "TLS", "dtls": "DTLS"}
_URI = re.compile(
    r"(?P<scheme>turns?):(?P<host>\[[0-9a-fA-F:.]+\]|[0-9a-zA-Z.-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?(?:\?transport=(?P<transport>udp|tcp))?"
)


@dataclass(frozen=True)
class Route:
    """One way to the TURN server."""

    kind: RouteKind
    host: str
    port: int


@dataclass(frozen=True)
class Way:
    """One route to one address."""

    route: Route
    address: str

    @property
    def version(self) -> int:
        return 6 if ":" in self.address else 4

    @property
    def facts(self) -> dict[str, Any]:
        """Return what the evidence of every finding on this way says."""
        return {"transport": self.route.kind, "address": self.address, "port": self.route.port}

    def __str__(self) -> str:
        return f"over {_LABELS[self.route.kind]} at {authority(self.address, self.route.port)}"


@dataclass(frozen=True)
class Expected:
    """What the play configured; realm and relay ports are unknown (empty, 0) elsewhere."""

    routes: tuple[Route, ...]
    realm: str = ""
    relay_first: int = 0
    relay_last: int = 0

    @classmethod
    def of(cls, expectations: Mapping[str, Any]) -> Expected | None:
        """Read the part `turn` of the expectations; None if no TURN server is expected."""
        given = expectations.get("turn") or {}
        routes = routes_of(given.get("uris") or _uris(given))
        if not routes:
            return None
        return cls(
            routes=routes,
            realm=str(given.get("realm") or ""),
            relay_first=int(given.get("relay_first") or 0),
            relay_last=int(given.get("relay_last") or 0),
        )

    def may_relay_at(self, port: int) -> bool:
        """Tell whether a relay may have this port."""
        return not self.relay_last or self.relay_first <= port <= self.relay_last


@dataclass(frozen=True)
class Caller:
    """Somebody who may use the relay, and what he knows about it."""

    transport: Transport
    user: Credentials
    expected: Expected
    guard: Guard
    expired: Credentials | None = None


def routes_of(uris: Iterable[str]) -> tuple[Route, ...]:
    """Return the ways that TURN URIs name, each once, UDP first."""
    routes = {_route(match) for uri in uris if (match := _URI.fullmatch(str(uri)))}
    possible = [route for route in routes if 0 < route.port <= HIGHEST_PORT]
    return tuple(sorted(possible, key=lambda route: (_PREFERENCE.index(route.kind), route.port)))


def _route(match: re.Match[str]) -> Route:
    secure = match["scheme"] == "turns"
    transport = match["transport"] or ("tcp" if secure else "udp")
    port = int(match["port"] or (5349 if secure else 3478))
    return Route(_KINDS[match["scheme"], transport], match["host"].strip("[]"), port)


def _uris(given: Mapping[str, Any]) -> list[str]:
    """Return the usual URIs of a TURN server of which only host and ports are known."""
    host, port, tls_port = (given.get(name) for name in ("host", "port", "tls_port"))
    if not host:
        return []
    plain = [f"turn:{host}:{port or 3478}?transport={kind}" for kind in ("udp", "tcp")]
    return [*plain, f"turns:{host}:{tls_port or 5349}?transport=tcp"]
