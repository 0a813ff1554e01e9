# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which checks look at which ports by themselves, so that a fault there is said once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .expectations import Expectations
from .peers.resolution import Resolution
from .web.sites import host_of


@dataclass(frozen=True)
class WatchedPort:
    """A port of a host that a check looks at, at every address or at this one."""

    check: str
    host: str
    protocol: str
    port: int
    address: str = ""


@dataclass(frozen=True)
class Elsewhere:
    """Everything that is looked at apart from the list of ports."""

    watches: tuple[WatchedPort, ...] = ()

    @classmethod
    def of(cls, expected: Expectations, *, base: str, resolution: Resolution) -> Elsewhere:
        """Tell what the checks of this run look at; `base` is the base URL that clients use."""
        return cls((*_clients(base), *_peers(resolution), *_turn(expected)))

    def watcher(self, host: str, address: str, *, protocol: str, port: int) -> str:
        """Return the id of the check that looks at a port too, or nothing."""
        wanted = (host.lower(), protocol, port)
        for watch in self.watches:
            if (watch.host.lower(), watch.protocol, watch.port) != wanted:
                continue
            if watch.address in ("", address):
                return watch.check
        return ""


def _clients(base: str) -> Iterable[WatchedPort]:
    host, port = host_of(base)
    if host:
        yield WatchedPort("client.reach", host, "tcp", port)


def _peers(resolution: Resolution) -> Iterable[WatchedPort]:
    """Peers ask for the host in the certificate, whatever the server name is."""
    host = resolution.certificate_name
    for endpoint in resolution.endpoints:
        yield WatchedPort("federation.reach", host, "tcp", endpoint.port, endpoint.address)


def _turn(expected: Expectations) -> Iterable[WatchedPort]:
    for route in expected.turn.routes if expected.turn else ():
        protocol = "udp" if route.kind in ("udp", "dtls") else "tcp"
        check = f"turn.{route.kind} or turn.server"
        yield WatchedPort(check, route.host, protocol, route.port)
