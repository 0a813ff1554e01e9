# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The component table: the one place that knows what a component needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Protocol = Literal["tcp", "udp"]


@dataclass(frozen=True)
class Port:
    """A port or a range of ports that must be reachable; `name` is what operators call it."""

    name: str
    protocol: Protocol
    first: int
    last: int
    purpose: str


@dataclass(frozen=True)
class Listener:
    """A local port that only this host may reach."""

    port: int
    purpose: str


@dataclass(frozen=True)
class Component:
    """One row: `role` is None as long as the collection has no role that provides it."""

    name: str
    title: str
    ports: tuple[Port, ...] = ()
    role: str | None = None
    optional: bool = True
    upstream: Listener | None = None
    routes: tuple[str, ...] = ()
    certificate_units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Backend:
    """One way to provide a part: `units` reload when the certificate changes."""

    name: str
    units: tuple[str, ...] = ()


def _both(name: str, port: int, purpose: str) -> tuple[Port, Port]:
    return Port(name, "tcp", port, port, purpose), Port(name, "udp", port, port, purpose)


def _tcp(name: str, port: int, purpose: str) -> Port:
    return Port(name, "tcp", port, port, purpose)


def _udp(name: str, port: int, purpose: str) -> Port:
    return Port(name, "udp", port, port, purpose)


RELAY = Port("relay", "udp", 49152, 49573, "TURN relays for calls")
TURN_PORT = 3478
TURN_TLS_PORT = 5349
HTTPS_PORT = 443
FEDERATION_PORT = 8448

_ROWS = (
    Component(
        name="ssh",
        title="SSH",
        ports=(_tcp("ssh", 22, "SSH"),),
        role="firewall",
        optional=False,
    ),
    Component(
        name="reverse_proxy",
        title="Web server",
        ports=(
            _tcp("http", 80, "HTTP: certificates and redirects to HTTPS"),
            _tcp("https", HTTPS_PORT, "HTTPS: clients"),
        ),
        role="reverse_proxy",
        optional=False,
    ),
    Component(
        name="synapse",
        title="Synapse",
        ports=(_tcp("federation", FEDERATION_PORT, "HTTPS: federation with other servers"),),
        role="synapse",
        optional=False,
        upstream=Listener(8008, "Synapse without TLS"),
        routes=("/_matrix/", "/_synapse/client/"),
    ),
    Component(
        name="coturn",
        title="TURN server",
        ports=(
            *_both("turn", TURN_PORT, "TURN: calls"),
            *_both("turns", TURN_TLS_PORT, "TURN over TLS: calls"),
            RELAY,
        ),
        role="coturn",
        optional=False,
        certificate_units=("coturn.service",),
    ),
    Component(
        name="jitsi",
        title="Jitsi Meet",
        ports=(
            _tcp("jitsi_tcp", 4443, "Jitsi: video where UDP is blocked"),
            _udp("jitsi_video", 10000, "Jitsi: video"),
        ),
    ),
    Component(
        name="postmoogle",
        title="E-mail bridge",
        ports=(
            _tcp("smtp", 25, "SMTP: e-mail from other servers"),
            _tcp("submission", 587, "SMTP: e-mail from programs"),
        ),
    ),
    Component(
        name="heisenbridge",
        title="IRC bridge",
        ports=(_tcp("ident", 113, "Ident: who is who on IRC"),),
    ),
    Component(
        name="wireguard",
        title="WireGuard",
        ports=(_udp("wireguard", 51820, "WireGuard: private network"),),
    ),
    Component(
        name="dnsmasq",
        title="DNS for the private network",
        ports=_both("dns", 53, "DNS"),
    ),
    Component(
        name="admin_ui",
        title="Administration page",
    ),
)

COMPONENTS = {row.name: row for row in _ROWS}
OPTIONAL = tuple(row.name for row in _ROWS if row.optional)
ALWAYS = tuple(row.name for row in _ROWS if not row.optional)

REVERSE_PROXIES = {row.name: row for row in (Backend("nginx", ("nginx.service",)),)}
FIREWALLS = {
    row.name: row
    for row in (Backend("nftables"), Backend("ufw"), Backend("firewalld"), Backend("none"))
}
CERTIFICATES = ("acme", "files", "self_signed")
REGISTRATIONS = ("invite", "closed", "email", "open")

# Ports on which a Matrix host often answers by mistake; a stranger must get nothing there.
INTERNAL_LISTENERS = (
    Listener(111, "rpcbind"),
    Listener(5432, "PostgreSQL"),
    Listener(5766, "coturn's command line"),
    Listener(6379, "Redis"),
    Listener(8080, "a web server without TLS"),
    Listener(9000, "Synapse's metrics"),
    Listener(9090, "Prometheus"),
    Listener(9100, "the host's metrics"),
    Listener(9641, "coturn's metrics"),
)
