# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What proves each port of a plan, and what NAT publishes beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...host.published import (
    Published,
    unexpected,
)
from ..expectations import Expectations, PlannedPort
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
    "quiet": probes.whisper,
}
"""By the plan's words."""


def probe_of(port: PlannedPort) -> Probe | None:
    """Return what proves that this port is open; None if nothing does."""
    return _PROBES.get(port.word) or (probes.knock if port.protocol == "tcp" else None)


@dataclass(frozen=True)
class Ports:
    """Ports that must be open, ports that must be closed, and what NAT publishes beside them."""

    opened: Sequence[PlannedPort]
    closed: Sequence[PlannedPort]
    published: Sequence[Published]

    @classmethod
    def of(cls, expected: Expectations, published: Iterable[Mapping[str, Any]]) -> Ports:
        admitted = {
            number for port in expected.opened if not port.narrowed for number in port.numbers
        }
        beside = unexpected(map(Published.of, published), admitted=admitted)
        return cls(expected.opened, expected.closed, beside)
