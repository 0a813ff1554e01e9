# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stranger must see, as the play tells it in `matrix_site.expectations`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..host.published import numbers
from ..names import HIGHEST_PORT

RouteKind = Literal["udp", "tcp", "tls", "dtls"]
_KINDS: dict[tuple[str, str], RouteKind] = {
    ("turn", "udp"): "udp",
    ("turn", "tcp"): "tcp",
    ("turns", "tcp"): "tls",
    ("turns", "udp"): "dtls",
}
_PREFERENCE: tuple[RouteKind, ...] = ("udp", "tcp", "tls", "dtls")
_URI = re.compile(
    r"(?P<scheme>turns?):(?P<host>\[[0-9a-fA-F:.]+\]|[0-9a-zA-Z.-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?(?:\?transport=(?P<transport>udp|tcp))?"
)


@dataclass(frozen=True)
class TurnRoute:
    """One way to the TURN server."""

    kind: RouteKind
    host: str
    port: int


@dataclass(frozen=True)
class TurnServer:
    """What the play configured; realm and relay ports are unknown (empty, 0) elsewhere."""

    routes: tuple[TurnRoute, ...]
    realm: str = ""
    relay_first: int = 0
    relay_last: int = 0

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> TurnServer | None:
        """Read the part `turn`; None if no TURN server is expected."""
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
class PlannedPort:
    """A port, or a range, that the plan opens or closes."""

    protocol: str
    first: int
    last: int
    purpose: str
    component: str = ""
    narrowed: bool = False
    word: str = ""
    is_needed: bool = False
    """Whether something must listen there as soon as the component is installed."""
    inside: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> PlannedPort:
        first = int(given.get("first") or given["port"])
        return cls(
            protocol=str(given["protocol"]),
            first=first,
            last=int(given.get("last") or first),
            purpose=str(given.get("purpose") or ""),
            component=str(given.get("component") or ""),
            narrowed=bool(given.get("sources")),
            word=str(given.get("probe") or ""),
            is_needed=bool(given.get("needed")),
            inside=bool(given.get("inside")),
        )

    @property
    def is_range(self) -> bool:
        return self.last > self.first

    @property
    def number(self) -> tuple[str, int]:
        """Return the protocol and the port, the first one of a range."""
        return (self.protocol, self.first)

    @property
    def numbers(self) -> set[tuple[str, int]]:
        """Return every single port, with its protocol."""
        return numbers(self.protocol, self.first, self.last)

    @property
    def part(self) -> str:
        """Return the port's name in the id of a finding."""
        return f"{self.protocol}-{self.first}"

    @property
    def is_for_others(self) -> bool:
        """Tell whether silence is what a stranger is likely to meet there."""
        return self.narrowed or self.inside

    def __str__(self) -> str:
        ports = f"{self.first}-{self.last}" if self.is_range else str(self.first)
        return f"{ports}/{self.protocol} ({self.purpose})" if self.purpose else ports


@dataclass(frozen=True)
class PrivatePlace:
    """An address at which strangers get nothing, and the networks that get more."""

    url: str
    purpose: str = ""
    networks: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> PrivatePlace:
        return cls(
            url=str(given["url"]),
            purpose=str(given.get("purpose") or ""),
            networks=tuple(map(str, given.get("networks") or ())),
        )


@dataclass(frozen=True)
class Page:
    """What answers everybody below a name that a component has of its own.

    `served` by the web server itself, else by the service behind it, which may want more than a
    plain question.
    """

    url: str
    purpose: str = ""
    served: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Page:
        return cls(str(given["url"]), str(given.get("purpose") or ""), bool(given.get("served")))


_TEXTS = ("hostname", "base_url", "delegation", "registration")


@dataclass(frozen=True)
class Expectations:
    """What is planned; everything is empty where nothing is, as for somebody else's server."""

    hostname: str = ""
    base_url: str = ""
    delegation: str = ""
    registration: str = ""
    max_upload_mb: int = 0
    well_known: Mapping[str, Any] = field(default_factory=dict)
    turn: TurnServer | None = None
    opened: tuple[PlannedPort, ...] = ()
    closed: tuple[PlannedPort, ...] = ()
    private: tuple[PrivatePlace, ...] = ()
    pages: tuple[Page, ...] = ()
    addresses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What the DNS shall say of each name, where the operator says it."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Expectations:
        """Read the module's argument, of which any part may be missing."""
        size, ports = given.get("max_upload_mb"), given.get("ports") or {}
        return cls(
            **{name: str(given.get(name) or "") for name in _TEXTS},
            max_upload_mb=size if isinstance(size, int) else 0,
            well_known=given.get("well_known") or {},
            turn=TurnServer.of(given.get("turn") or {}),
            opened=tuple(map(PlannedPort.of, ports.get("open", ()))),
            closed=tuple(map(PlannedPort.of, ports.get("closed", ()))),
            private=tuple(map(PrivatePlace.of, given.get("private") or ())),
            pages=tuple(map(Page.of, given.get("pages") or ())),
            addresses=given.get("addresses") or {},
        )

    @property
    def names_ports(self) -> bool:
        return bool(self.opened or self.closed)

    def __bool__(self) -> bool:
        return self != Expectations()


def routes_of(uris: Iterable[str]) -> tuple[TurnRoute, ...]:
    """Return the ways that TURN URIs name, each once, UDP first."""
    routes = {_route(match) for uri in uris if (match := _URI.fullmatch(str(uri)))}
    possible = [route for route in routes if 0 < route.port <= HIGHEST_PORT]
    return tuple(sorted(possible, key=lambda route: (_PREFERENCE.index(route.kind), route.port)))


def _route(match: re.Match[str]) -> TurnRoute:
    secure = match["scheme"] == "turns"
    transport = match["transport"] or ("tcp" if secure else "udp")
    port = int(match["port"] or (5349 if secure else 3478))
    return TurnRoute(_KINDS[match["scheme"], transport], match["host"].strip("[]"), port)


def _uris(given: Mapping[str, Any]) -> list[str]:
    """Return the usual URIs of a TURN server of which only host and ports are known."""
    host, port, tls_port = (given.get(name) for name in ("host", "port", "tls_port"))
    if not host:
        return []
    plain = [f"turn:{host}:{port or 3478}?transport={kind}" for kind in ("udp", "tcp")]
    return [*plain, f"turns:{host}:{tls_port or 5349}?transport=tcp"]
