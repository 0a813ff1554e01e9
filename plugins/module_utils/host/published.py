# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that NAT leads past the host's own firewall, as Docker publishes those of containers.

Their packets are sent on before they would come to the rules for the host itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

_TARGET = re.compile(r"(?P<host>\[.*\]|[^:]*)(?::(?P<first>\d+)(?:-(?P<last>\d+))?)?")


def written(first: int, last: int) -> str:
    """Write a port, or a range of ports."""
    return str(first) if first == last else f"{first}-{last}"


@dataclass(frozen=True, order=True)
class Destination:
    """Where packets are led: 172.17.0.2:80, [fd00::2]:8000-8003, or an address alone."""

    host: str
    first: int = 0
    last: int = 0

    @classmethod
    def parse(cls, text: str) -> Destination:
        match = _TARGET.fullmatch(text)
        if match is None:
            return cls(text)
        first = int(match["first"] or 0)
        return cls(match["host"].strip("[]"), first, int(match["last"] or first))

    def __str__(self) -> str:
        host = f"[{self.host}]" if self.first and ":" in self.host else self.host
        return f"{host}:{written(self.first, self.last)}" if self.first else host


@dataclass(frozen=True, order=True)
class Published:
    """A port, or a range, that leads past the firewall."""

    protocol: str
    first: int
    last: int
    target: Destination

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Published:
        """Read what `as_dict` wrote."""
        first, last = int(given["first"]), int(given["last"])
        return cls(str(given["protocol"]), first, last, Destination.parse(str(given["to"])))

    def as_dict(self) -> dict[str, Any]:
        """Return the port as the modules and the plan show it."""
        numbers = {"first": self.first, "last": self.last}
        return {"protocol": self.protocol, **numbers, "to": str(self.target)}

    @property
    def label(self) -> str:
        """How people write it: 8080/tcp, 8000-8003/udp."""
        return f"{written(self.first, self.last)}/{self.protocol}"

    @property
    def numbers(self) -> set[tuple[str, int]]:
        """Every single port, with its protocol."""
        return numbers(self.protocol, self.first, self.last)

    def leads(self, address: str) -> bool:
        """Whether a packet to this address can be led there: it stays in its family."""
        return (":" in self.target.host) == (":" in address)

    def continues(self, other: Published) -> bool:
        """Whether this begins where the other ends, here and there."""
        here, there = self.target, other.target
        beginning = (self.protocol, self.first, here.host, here.first)
        return beginning == (other.protocol, other.last + 1, there.host, there.last + 1)

    def extended(self, other: Published) -> Published:
        """Return both as one range."""
        return replace(self, last=other.last, target=replace(self.target, last=other.target.last))


def numbers(protocol: str, first: int, last: int) -> set[tuple[str, int]]:
    """Return every single port of a range, with its protocol."""
    return {(protocol, number) for number in range(first, last + 1)}


def open_to_everybody(opened: Iterable[Mapping[str, Any]]) -> set[tuple[str, int]]:
    """Return every port that these entries of `matrix_site.ports` open to everybody."""
    rows = (port for port in opened if not port["sources"])
    return set().union(*(numbers(row["protocol"], row["first"], row["last"]) for row in rows))


def unexpected(ports: Iterable[Published], *, admitted: Set[tuple[str, int]]) -> list[Published]:
    """Return the published ports that the description does not open to everybody."""
    return [port for port in ports if not port.numbers <= admitted]


def remedy(port: Published) -> str:
    """Say what to do about a published port."""
    loopback = "[::1]" if ":" in port.target.host else "127.0.0.1"
    here = written(port.first, port.last)
    there = written(port.target.first, port.target.last) if port.target.first else here
    protocol = "" if port.protocol == "tcp" else f"/{port.protocol}"
    return (
        f"Publish it on {loopback.strip('[]')} in the container's settings, "
        f"like -p {loopback}:{here}:{there}{protocol}, "
        "or list it in firewall_extra_ports if it shall be open."
    )
