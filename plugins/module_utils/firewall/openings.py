# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports: what the rules must open, what they open now, and the difference in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Any, Literal, Union

Portless = Literal["ah", "esp", "gre", "ipv6", "vrrp"]
Address = Union[IPv4Address, IPv6Address]
Network = Union[IPv4Network, IPv6Network]

PORTLESS: dict[Portless, int] = {"ah": 51, "esp": 50, "gre": 47, "ipv6": 41, "vrrp": 112}
"""Protocols that are let in as a whole, and their numbers; their first and last port is 0."""

_BY_WORD = {word: name for name, number in PORTLESS.items() for word in (name, str(number))}

_PURPOSE = re.compile(r"[^\"\x00-\x1f\x7f]*")
_PURPOSE_BYTES = 120  # nftables keeps 128 bytes of a comment


def portless(word: object) -> Portless | None:
    """Return the protocol without ports that a program tells by name, or by number (it has both).

    A host without a list of names has numbers.
    """
    return _BY_WORD.get(str(word))


def place(protocol: str, first: int, last: int) -> str:
    """Name a port without its purpose, as ``tcp 443``, ``udp 49152-49573`` or ``gre``."""
    if protocol in PORTLESS:
        return protocol
    return f"{protocol} {first}" if first == last else f"{protocol} {first}-{last}"


@dataclass(frozen=True)
class Opening:
    """A port or range of ports, who may reach it (nobody named: everybody), and why."""

    protocol: str
    first: int
    last: int
    purpose: str
    sources: tuple[Network, ...] = ()

    def __str__(self) -> str:
        sources = ", ".join(str(source) for source in self.sources)
        return f"{self.place} {self.purpose}".rstrip() + (f" from {sources}" if sources else "")

    @property
    def place(self) -> str:
        return place(self.protocol, self.first, self.last)

    def includes(self, number: int) -> bool:
        return self.first <= number <= self.last

    def covers(self, place: str) -> bool:
        """Tell whether a single port, like ``tcp 443``, is this or in this range."""
        protocol, number = place.split()
        return protocol == self.protocol and self.includes(int(number))

    def admits(self, address: Address | None) -> bool:
        """Tell whether this address may use the port; an unknown one may if anybody may."""
        return address is None or not self.sources or any(address in net for net in self.sources)


def ordered(networks: Iterable[Network]) -> tuple[Network, ...]:
    """Put networks in one order, whoever wrote them down."""
    return tuple(sorted(set(networks), key=lambda net: (net.version, net.network_address.packed)))


def parse(row: Mapping[str, Any]) -> Opening:
    """Read one row of the port table."""
    port = Opening(
        protocol=row["protocol"],
        first=row["first"],
        last=row["last"],
        purpose=row["purpose"],
        sources=ordered(map(ip_network, row.get("sources") or ())),
    )
    if port.protocol in PORTLESS:
        if port.first or port.last:
            raise ValueError(f"{port.protocol} has no ports, so first and last must be 0")
    elif not 1 <= port.first <= port.last <= 65535:
        raise ValueError(f"{port.place} is no port between 1 and 65535")
    if not _PURPOSE.fullmatch(port.purpose) or len(port.purpose.encode()) > _PURPOSE_BYTES:
        raise ValueError(
            f"the purpose of {port.place} must be one line of at most 120 bytes without quotes"
        )
    return port


def changes(former: Iterable[Opening], wanted: Iterable[Opening]) -> list[str]:
    """Say which ports open (+) and which close (-), in reading order."""
    before = {(port.place, port.sources): port for port in former}
    after = {(port.place, port.sources): port for port in wanted}
    opened = [f"+ {port}" for key, port in after.items() if key not in before]
    closed = [f"- {port}" for key, port in before.items() if key not in after]
    return opened + closed
