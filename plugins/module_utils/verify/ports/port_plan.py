# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ports that a plan opens and closes, and what proves each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...host.published import (
    Published,
    unexpected,
)
from . import port_probes as probes
from .mail import smtp
from .port_probes import Probe

_PROBES: dict[tuple[str, str, int], Probe] = {
    ("ssh", "tcp", 0): probes.ssh,
    ("reverse_proxy", "tcp", 80): probes.http,
    ("reverse_proxy", "tcp", 443): probes.https,
    ("synapse", "tcp", 8448): probes.federation,
    ("coturn", "tcp", 3478): probes.stun_tcp,
    ("coturn", "udp", 3478): probes.stun_udp,
    ("coturn", "tcp", 5349): probes.stun_tls,
    ("coturn", "udp", 5349): probes.dtls,
    ("postmoogle", "tcp", 25): smtp,
    ("postmoogle", "tcp", 0): smtp,
    ("heisenbridge", "tcp", 0): probes.ident,
    ("dnsmasq", "tcp", 0): probes.dns_tcp,
    ("dnsmasq", "udp", 0): probes.dns_udp,
}
"""By component, protocol and port; 0 is any other port, on which nothing needs to listen."""


@dataclass(frozen=True)
class PlannedPort:
    """A port, or a range, that the plan opens or closes."""

    protocol: str
    first: int
    last: int
    purpose: str
    component: str = ""
    narrowed: bool = False

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
        )

    @property
    def is_range(self) -> bool:
        return self.last > self.first

    @property
    def number(self) -> tuple[str, int]:
        """Return the protocol and the port, the first one of a range."""
        return (self.protocol, self.first)

    @property
    def part(self) -> str:
        """Return the port's name in the id of a finding."""
        return f"{self.protocol}-{self.first}"

    @property
    def probe(self) -> Probe | None:
        """Return what proves that this port is open; None if nothing does."""
        for number in (self.first, 0):
            if probe := _PROBES.get((self.component, self.protocol, number)):
                return probe
        return probes.knock if self.protocol == "tcp" else None

    @property
    def is_needed(self) -> bool:
        """Tell whether something must listen there, as soon as the component is installed."""
        exact = (self.component, self.protocol, self.first)
        return exact in _PROBES or self.component == "ssh"

    @property
    def is_for_others(self) -> bool:
        """Tell whether silence is what a stranger is likely to meet there."""
        return self.narrowed or self.component == "dnsmasq"

    def __str__(self) -> str:
        ports = f"{self.first}-{self.last}" if self.is_range else str(self.first)
        return f"{ports}/{self.protocol} ({self.purpose})" if self.purpose else ports


@dataclass(frozen=True)
class Ports:
    """Ports that must be open, ports that must be closed, and what NAT publishes beside them."""

    opened: Sequence[PlannedPort]
    closed: Sequence[PlannedPort]
    published: Sequence[Published]

    @classmethod
    def of(cls, planned: Mapping[str, Any], published: Iterable[Mapping[str, Any]]) -> Ports:
        opened = planned.get("open", [])
        return cls(
            opened=[PlannedPort.of(port) for port in opened],
            closed=[PlannedPort.of(port) for port in planned.get("closed", [])],
            published=unexpected(map(Published.of, published), opened=opened),
        )
