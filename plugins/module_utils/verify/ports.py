# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every port of the plan: open ones proven by their own protocol, closed ones proven closed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ..published import Published, unexpected
from . import port_probes as probes
from .findings import Check, Finding
from .port_probes import Place, Probe, Seen
from .published_ports import check_published
from .transport import Transport

_AREA = "ports"
PLAN = Check("ports.plan", _AREA, "", "")
ADDRESS = Check(
    "ports.address",
    _AREA,
    "",
    "Correct the DNS record, or let the host answer at this address: clients and servers try it.",
)
OPEN = Check(
    "ports.open.{part}",
    _AREA,
    "",
    "Start the service, and let {part} through the firewalls of host and provider.",
)
CLOSED = Check(
    "ports.closed.{part}",
    _AREA,
    "",
    "Let the service listen on 127.0.0.1 only, and close {part} in the firewalls.",
)
_PROBES: dict[tuple[str, str, int], Probe] = {
    ("ssh", "tcp", 0): probes.ssh,
    ("reverse_proxy", "tcp", 80): probes.http,
    ("reverse_proxy", "tcp", 443): probes.https,
    ("synapse", "tcp", 8448): probes.federation,
    ("coturn", "tcp", 3478): probes.stun_tcp,
    ("coturn", "udp", 3478): probes.stun_udp,
    ("coturn", "tcp", 5349): probes.stun_tls,
    ("coturn", "udp", 5349): probes.dtls,
    ("postmoogle", "tcp", 0): probes.smtp,
    ("heisenbridge", "tcp", 0): probes.ident,
    ("dnsmasq", "tcp", 0): probes.dns_tcp,
    ("dnsmasq", "udp", 0): probes.dns_udp,
}
_DEAF = ("filtered", "silent", "unreachable", "no_route", "private")
_SMTP_PORT = 25
_AT_ONCE = 64


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

    def __str__(self) -> str:
        ports = f"{self.first}-{self.last}" if self.is_range else str(self.first)
        return f"{ports}/{self.protocol} ({self.purpose})" if self.purpose else ports


@dataclass(frozen=True)
class Knock:
    """One port at one address, and what was seen there."""

    port: PlannedPort
    address: str
    seen: Seen

    @property
    def where(self) -> str:
        return f"{self.port} at {self.address}"

    @property
    def facts(self) -> dict[str, Any]:
        return {"address": self.address, "state": self.seen.state, **self.seen.facts}


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


async def check_ports(
    transport: Transport,
    expectations: Mapping[str, Any],
    published: Iterable[Mapping[str, Any]] = (),
) -> list[Finding]:
    """Try every port of the plan at every address of the host, all at once."""
    planned = expectations.get("ports") or {}
    host = str(expectations.get("hostname") or "")
    if not planned or not host:
        return [PLAN.skipped("There is no plan to compare the ports with.")]
    ports = Ports.of(planned, published)
    limit = asyncio.Semaphore(_AT_ONCE)
    addresses = await asyncio.gather(transport.resolve(host, "A"), transport.resolve(host, "AAAA"))
    places = [
        Place(transport, host, address, 0) for answer in addresses for address in answer.records
    ]
    jobs = [_check_address(place, ports, limit=limit) for place in places]
    return list(chain.from_iterable(await asyncio.gather(*jobs)))


async def _check_address(place: Place, ports: Ports, *, limit: asyncio.Semaphore) -> list[Finding]:
    """Judge one address; where nothing at all answers, that is the one finding."""
    led = [port for port in ports.published if port.leads(place.address)]
    taken = {number for port in led for number in port.numbers}
    unwanted = [port for port in ports.closed if port.number not in taken]
    shut = {port.number for port in ports.closed}
    opened, closed, published = await asyncio.gather(
        asyncio.gather(*(_try(place, port, limit=limit) for port in ports.opened if port.probe)),
        asyncio.gather(*(_try_closed(place, port, limit=limit) for port in unwanted)),
        check_published(place, led, shut=shut, limit=limit),
    )
    tried = [knock for knock in opened if not knock.port.narrowed]
    if tried and all(knock.seen.state in _DEAF for knock in tried):
        return [_deaf(place.address, tried)]
    silent = [_unknowable(port, place.address) for port in ports.opened if port.probe is None]
    return [*map(judge_open, opened), *silent, *map(judge_closed, closed), *published]


async def _try(place: Place, port: PlannedPort, *, limit: asyncio.Semaphore) -> Knock:
    probe = port.probe or probes.knock
    async with limit:
        seen = await probe(Place(place.transport, place.host, place.address, port.first))
    return Knock(port, place.address, seen)


async def _try_closed(place: Place, port: PlannedPort, *, limit: asyncio.Semaphore) -> Knock:
    probe = probes.knock if port.protocol == "tcp" else probes.whisper
    async with limit:
        seen = await probe(Place(place.transport, place.host, place.address, port.first))
    return Knock(port, place.address, seen)


def judge_open(knock: Knock) -> Finding:
    """Say what a port that must be open looks like."""
    check, seen, where = OPEN.of(knock.port.part), knock.seen, knock.where
    if seen.state == "answers":
        return check.ok(f"{where} answers ({seen.what}).", **knock.facts)
    if seen.state == "open":
        return check.error(f"{where} is open, but does not speak {seen.what}.", **knock.facts)
    return _judge_shut(check, knock)


def _judge_shut(check: Check, knock: Knock) -> Finding:
    """Say what it means that a port is refused, or that nothing answers."""
    port, state, where = knock.port, knock.seen.state, knock.where
    if port.narrowed:
        message = f"{where} is open to some sources only, and not to this vantage."
        return check.info(message, **knock.facts)
    if state == "refused":
        message = f"{where} is refused: nothing listens there."
        ours = (port.component, port.protocol, port.first) in _PROBES or port.component == "ssh"
        return check.error(message, **knock.facts) if ours else check.info(message, **knock.facts)
    if port.component == "ssh":
        message = f"{where} is filtered: SSH is not open to this vantage."
        return check.info(message, **knock.facts)
    if port.first == _SMTP_PORT:
        message = f"{where} does not answer; many networks let nobody connect to port 25."
        return check.unknown(message, **knock.facts)
    return check.error(f"{where} does not answer: filtered, or not running.", **knock.facts)


def judge_closed(knock: Knock) -> Finding:
    """Say what a port that must be closed looks like."""
    check, state, where = CLOSED.of(knock.port.part), knock.seen.state, knock.where
    if state in ("answers", "open"):
        return check.error(f"{where} answers strangers.", **knock.facts)
    if state == "refused":
        return check.ok(f"{where} is closed: refused.", **knock.facts)
    if state in ("filtered", "unreachable"):
        return check.ok(f"{where} is closed: {state}.", **knock.facts)
    return check.unknown(f"{where} does not answer, which over UDP proves nothing.", **knock.facts)


def _unknowable(port: PlannedPort, address: str) -> Finding:
    check, where = OPEN.of(port.part), f"{port} at {address}"
    if port.component == "coturn":
        message = f"{where} is never scanned: turn.relay_outside samples it."
        return check.skipped(message, address=address)
    return check.unknown(f"{where} never answers strangers, open or not.", address=address)


def _deaf(address: str, knocks: Sequence[Knock]) -> Finding:
    facts = {"address": address, "tried": [knock.port.part for knock in knocks]}
    states = {knock.seen.state for knock in knocks}
    if states == {"private"}:
        return ADDRESS.skipped(f"{address} is private, so no port was tried there.", **facts)
    if states == {"no_route"}:
        return ADDRESS.unknown(f"This vantage has no route to {address}.", **facts)
    return ADDRESS.error(f"Nothing answers at {address}.", **facts)
