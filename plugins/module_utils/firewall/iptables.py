# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``iptables-save`` tells of ufw: whether it filters, what it opens, how to load it again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from .openings import Network, Opening, ordered, place, portless

Range = tuple[str, int, int]

_OURS = re.compile(r":(?:INPUT|FORWARD|OUTPUT|ufw)|-A (?:(?:INPUT|FORWARD|OUTPUT) -j )?ufw")
_WATCHED = re.compile(
    r":INPUT |-A INPUT -j ufw|-A ufw6?-(?:\w+-input|not-local|user-limit|user-limit-accept) "
)
_BAN = re.compile(r"-A ufw6?-user-input .*-s .*-j (?:DROP|REJECT)")
_COUNTER = re.compile(r" \[\d+:\d+\]$")
_ADMITTING = re.compile(r"-A ufw6?-user-input (?P<match>.*)-j (?:ACCEPT|ufw6?-user-limit-accept)$")
_PROTOCOLS = ("tcp", "udp")
_ANY = "1:65535"


@dataclass(frozen=True)
class Family:
    """One version of IP in ufw: its programs' first name, its chains' prefix, its rule file."""

    tables: str
    chains: str
    path: str
    everybody: Network
    without: tuple[str, ...] = ()


IPV4 = Family("iptables", "ufw", "/etc/ufw/user.rules", ip_network("0.0.0.0/0"))
IPV6 = Family("ip6tables", "ufw6", "/etc/ufw/user6.rules", ip_network("::/0"), ("ipv6",))
FAMILIES = (IPV4, IPV6)


def filters(saved: str, *, family: Family) -> bool:
    """Tell whether ufw's rules are in force."""
    name = family.chains
    hooks = (f"INPUT -j {name}-before-input", f"{name}-before-input -j {name}-user-input")
    return all(f"\n-A {hook}\n" in saved for hook in hooks)


def restorable(saved: str) -> str:
    """Return what puts ufw's chains, their calls and the policies back as they are now."""
    return "\n".join(["*filter", *filter(_OURS.match, saved.splitlines()), "COMMIT", ""])


def watched(saved: str) -> str:
    """Return what decides on incoming packets; addresses that others ban come and go."""
    lines = (_COUNTER.sub("", line) for line in saved.splitlines() if _WATCHED.match(line))
    return "".join(f"{line}\n" for line in lines if not _BAN.match(line))


def open_ports(saved: Mapping[Family, str], *, purposes: Mapping[str, str]) -> list[Opening]:
    """Return the ports that ufw admits; of rules that ask for more, only the port is told."""
    found: dict[Range, list[Network]] = {}
    for family, text in saved.items():
        for ports, source in _admitted(text, everybody=family.everybody):
            found.setdefault(ports, []).append(source)
    return [
        Opening(*ports, purpose=purposes.get(place(*ports), ""), sources=_narrowed(ports, sources))
        for ports, sources in found.items()
    ]


def _admitted(saved: str, *, everybody: Network) -> Iterator[tuple[Range, Network]]:
    for rule in filter(None, map(_ADMITTING.match, saved.splitlines())):
        source = re.search(r"-s (\S+) ", rule["match"])
        for ports in _ranges(rule["match"]):
            yield ports, ip_network(source[1]) if source else everybody


def _ranges(match: str) -> Iterator[Range]:
    protocol = re.search(r"-p (\S+) ", match)
    ports = re.search(r"--dports? (\S+) ", match)
    if protocol and (whole := portless(protocol[1])):
        yield whole, 0, 0
    for name in _PROTOCOLS:
        if protocol and protocol[1] != name:
            continue
        for text in ports[1].split(",") if ports else [_ANY]:
            first, _colon, last = text.partition(":")
            yield name, int(first), int(last or first)


def _narrowed(ports: Range, sources: list[Network]) -> tuple[Network, ...]:
    """Return the sources; everybody of all families that it comes in needs no mention."""
    everybody = {family.everybody for family in FAMILIES if ports[0] not in family.without}
    return () if everybody <= set(sources) else ordered(sources)
