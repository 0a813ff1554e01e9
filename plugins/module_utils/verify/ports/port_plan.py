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

_PROBES: dict[str, Probe] = {
    "ssh": probes.ssh,
    "http": probes.http,
    "https": probes.https,
    "federation": probes.federation,
    "stun_tcp": probes.stun_tcp,
    "stun_udp": probes.stun_udp,
    "stun_tls": probes.stun_tls,
    "dtls": probes.dtls,
    "smtp": smtp,
    "ident": probes.ident,
    "dns_tcp": probes.dns_tcp,
    "dns_udp": probes.dns_udp,
}
"""By the plan's words."""


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
    def part(self) -> str:
        """Return the port's name in the id of a finding."""
        return f"{self.protocol}-{self.first}"

    @property
    def probe(self) -> Probe | None:
        """Return what proves that this port is open; None if nothing does."""
        return _PROBES.get(self.word) or (probes.knock if self.protocol == "tcp" else None)

    @property
    def is_for_others(self) -> bool:
        """Tell whether silence is what a stranger is likely to meet there."""
        return self.narrowed or self.inside

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
