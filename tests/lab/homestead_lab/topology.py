# Copyright: the homestead.matrix contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts a lab has, and which addresses."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LABS = 16  # as many /28 as fit into the documentation range
HOSTS = 14
OF_EACH_RELEASE = ("debian", "firewalls")
"""Images that there are for each release of Debian; all others stand on the newest."""


@dataclass(frozen=True)
class Host:
    """One machine of the lab, a line of the topology."""

    name: str
    image: str
    number: int
    names: tuple[str, ...] = ()
    group: str = ""
    domain: str = ""
    release: str = ""

    @property
    def image_tag(self) -> str:
        suffix = f":{self.release}" if self.release else ""
        return f"homestead-lab/{self.image}{suffix}"


@dataclass(frozen=True)
class Subnet:
    """The addresses of one lab, from the ranges for documentation (RFC 5737, RFC 3849)."""

    index: int

    @property
    def ipv4(self) -> IPv4Network:
        return list(IPv4Network("198.51.100.0/24").subnets(new_prefix=28))[self.index]

    @property
    def ipv6(self) -> IPv6Network:
        return IPv6Network(f"2001:db8:0:{self.index:x}::/64")

    @property
    def networks(self) -> list[IPv4Network | IPv6Network]:
        return [self.ipv4, self.ipv6]

    @property
    def ranges(self) -> list[str]:
        return [str(network) for network in self.networks]

    def addresses(self, host: Host) -> list[str]:
        return [str(network[host.number]) for network in self.networks]


def load(path: Path, *, release: str) -> dict[str, Host]:
    """Read a topology; hosts of images for each release that name none get this one."""
    return {
        name: parse(name, line, release) for name, line in tomllib.loads(path.read_text()).items()
    }


def parse(name: str, line: dict[str, str | int | list[str]], release: str) -> Host:
    image = str(line["image"])
    names = line.get("names", [])
    return Host(
        name=name,
        image=image,
        number=int(str(line["number"])),
        names=tuple(names) if isinstance(names, list) else (),
        group=str(line.get("group", "")),
        domain=str(line.get("domain", "")),
        release=str(line.get("release", release)) if image in OF_EACH_RELEASE else "",
    )


def bare(name: str, *, taken: set[int], release: str) -> Host:
    """Return a bare host that no topology names, at the first free number from the end."""
    free = [number for number in range(HOSTS, 1, -1) if number not in taken]
    if not free:
        raise ValueError(f"a lab has room for {HOSTS - 1} hosts")
    return Host(name=name, image="debian", number=free[0], release=release)
