# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ports of a host: from the component table and from the operator, each once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

from ...module_utils.firewall.openings import PORTLESS
from . import values
from .components import (
    COMPONENTS,
    INTERNAL_LISTENERS,
    Component,
    Port,
    Protocol,
)

if TYPE_CHECKING:
    import netaddr

OPERATOR = "operator"
_OF_ROWS = ("switch", "number", "relayed")
_EXTRA_KEYS = ("protocol", "first", "last", "purpose", "sources")


@dataclass(frozen=True)
class OpenPort:
    """A port that the firewall opens, to everybody or only to the sources.

    A protocol without ports has 0 for the first and the last.
    """

    name: str
    protocol: Protocol
    first: int
    last: int
    purpose: str
    component: str
    sources: tuple[str, ...] = ()
    probe: str = ""
    needed: bool = False
    inside: bool = False

    @classmethod
    def of(cls, row: Port, component: str) -> OpenPort:
        """Return the port of a row, open to everybody."""
        shared = {name: value for name, value in vars(row).items() if name not in _OF_ROWS}
        return cls(component=component, **shared)

    @property
    def label(self) -> str:
        """How people write it: 443/tcp, 49152-49573/udp, gre."""
        if not self.first:
            return self.protocol
        numbers = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{numbers}/{self.protocol}"

    def overlaps(self, other: OpenPort) -> bool:
        """Whether a packet could belong to both."""
        if self.protocol != other.protocol:
            return False
        return self.first <= other.last and other.first <= self.last

    def expected(self) -> dict[str, object]:
        """Return the port as the verifier must know it."""
        hints = {"probe": self.probe, "needed": self.needed, "inside": self.inside}
        return {**self.as_dict(), **hints}

    def as_dict(self) -> dict[str, object]:
        """Return the port as `matrix_site.ports` and the plan show it."""
        return {
            "protocol": self.protocol,
            "first": self.first,
            "last": self.last,
            "purpose": self.purpose,
            "component": self.component,
            "name": self.name,
            "sources": list(self.sources),
        }


def component_ports(
    components: Iterable[str], *, closed: Collection[str] = (), **numbers: int
) -> tuple[OpenPort, ...]:
    """Return the ports these components need, in the order of the table, but for the `closed`.

    Those are named by their switches; ports that inputs have moved have other `numbers`.
    """
    found = []
    for component in components:
        for row in COMPONENTS[component].ports:
            number = numbers.get(row.number)
            moved = replace(row, first=number, last=number) if number else row
            if row.switch not in closed:
                found.append(OpenPort.of(moved, component))
    return tuple(found)


def read_extra(variable: str, value: object) -> tuple[OpenPort, ...]:
    """Read the operator's own ports."""
    faults = values.Faults()
    found = []
    for number, item in enumerate(values.items(variable, value), start=1):
        entry = faults.read(_read_entry, f"entry {number} of {variable}", item)
        if entry is not None:
            found.append(entry)
    faults.check()
    return tuple(found)


def _read_entry(variable: str, item: object) -> OpenPort | None:
    entry = values.mapping(variable, item)
    if unknown := sorted(set(entry) - set(_EXTRA_KEYS)):
        known = values.listed(_EXTRA_KEYS)
        raise ValueError(f"In {variable} the key {unknown[0]!r} is unknown; it may have {known}.")
    protocols: tuple[Protocol, ...] = ("tcp", "udp", *PORTLESS)
    protocol = values.choice(f"The protocol of {variable}", entry.get("protocol"), protocols)
    first, last = (0, 0) if protocol in PORTLESS else _read_range(variable, entry)
    if protocol in PORTLESS and (entry.get("first") or entry.get("last")):
        raise ValueError(f"In {variable} {protocol} has no ports; leave out first and last.")
    return OpenPort(
        name=f"extra_{protocol}_{first}" if first else f"extra_{protocol}",
        protocol=protocol,
        first=first,
        last=last,
        purpose=str(entry.get("purpose") or "Opened by the operator"),
        component=OPERATOR,
        sources=read_networks(f"{variable}.sources", entry.get("sources") or []),
    )


def _read_range(variable: str, entry: Mapping[str, object]) -> tuple[int, int]:
    first = values.port(f"The first port of {variable}", entry.get("first"))
    last = entry.get("last") or first
    return first, values.number(f"The last port of {variable}", last, first, values.HIGHEST_PORT)


def read_sources(variable: str, value: object) -> dict[str, tuple[str, ...]]:
    """Read the networks that may connect, by the name of a component or of a port."""
    faults = values.Faults()
    found = {
        name: faults.read(_read_source, f"{variable}.{name}", name, networks) or ()
        for name, networks in values.mapping(variable, value).items()
    }
    faults.check()
    return found


def source_names() -> tuple[str, ...]:
    """Return what can be narrowed: every component with ports, every port."""
    rows = [row for row in COMPONENTS.values() if row.ports]
    return tuple(dict.fromkeys(name for row in rows for name in _names(row)))


def _names(row: Component) -> list[str]:
    return [row.name, *(port.name for port in row.ports)]


def _read_source(variable: str, name: str, networks: object) -> tuple[str, ...]:
    if name in COMPONENTS and COMPONENTS[name].is_private:
        raise ValueError(f"{variable} has no port to narrow; write matrix_admin_networks instead.")
    if name not in source_names():
        known = values.listed(source_names())
        raise ValueError(f"{variable} names no component and no port; write {known}.")
    if not networks:
        raise ValueError(f"{variable} is empty; list the networks that may connect or remove it.")
    return read_networks(variable, networks)


def read_networks(variable: str, value: object) -> tuple[str, ...]:
    """Read networks in CIDR form; those that contain each other become one."""
    items = values.items(variable, value)
    return _merged([_read_network(variable, str(item)) for item in items]) if items else ()


def _read_network(variable: str, text: str) -> netaddr.IPNetwork:
    try:
        import netaddr  # only operators who narrow a port need it
    except ImportError:
        raise ValueError(
            f"{variable} needs the library netaddr; run: python -m pip install -r requirements.txt."
        ) from None
    try:
        network = netaddr.IPNetwork(text)
    except (netaddr.AddrFormatError, ValueError):
        raise ValueError(
            f"{variable} cannot have {text!r}; write a network like 192.0.2.0/24 or 2001:db8::/32."
        ) from None
    if network.ip != network.network:
        raise ValueError(
            f"{variable} has {text!r}, which is inside of a network; write {network.cidr}."
        )
    return network


def _merged(networks: list[netaddr.IPNetwork]) -> tuple[str, ...]:
    import netaddr

    return tuple(map(str, netaddr.cidr_merge(networks)))


def narrowed(
    ports: Iterable[OpenPort], *, sources: Mapping[str, tuple[str, ...]]
) -> tuple[OpenPort, ...]:
    """Narrow the ports to their sources; a port's own name counts more than its component's."""
    return tuple(
        replace(port, sources=sources.get(port.name, sources.get(port.component, port.sources)))
        for port in ports
    )


def collisions(ports: Sequence[OpenPort], *, components: Iterable[str]) -> list[str]:
    """Return one sentence for each pair of ports that cannot both be right."""
    everything = [*ports, *_local_ports(components)]
    return [
        f"{_described(one)} collides with {_described(other)}; choose another port for one of them."
        for one, other in combinations(everything, 2)
        if one.overlaps(other)
    ]


def _local_ports(components: Iterable[str]) -> list[OpenPort]:
    return [
        OpenPort("local", "tcp", listener.port, listener.port, listener.purpose, name)
        for name in components
        for listener in COMPONENTS[name].local
    ]


def _described(port: OpenPort) -> str:
    origin = {OPERATOR: "firewall_extra_ports ", "ssh": "matrix_ssh_port "}.get(port.component, "")
    return f"{origin}{port.label} ({port.purpose})"


def closed_ports(ports: Iterable[OpenPort]) -> list[dict[str, object]]:
    """Return the ports on which a stranger must get no answer, never one that is open."""
    taken = [port for port in ports if port.protocol == "tcp"]
    local = [listener for row in COMPONENTS.values() for listener in row.local]
    listeners = sorted({*local, *INTERNAL_LISTENERS}, key=lambda listener: listener.port)
    return [
        {"protocol": "tcp", "port": listener.port, "purpose": listener.purpose}
        for listener in listeners
        if not any(port.first <= listener.port <= port.last for port in taken)
    ]
