# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every port of the plan: open ones proven by their own protocol, closed ones proven closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from ..elsewhere import Elsewhere
from ..expectations import Expectations, PlannedPort
from ..findings import Check, Finding
from ..together import Sight, together
from ..wire.hosts import addresses_of
from ..wire.silence import RoundTrips
from ..wire.transport import Transport
from .port_plan import Ports, probe_of
from .port_probes import PLAIN, Place, Probe
from .port_verdicts import ADDRESS, Knock, deaf, judge_closed, judge_open, unknowable
from .published_ports import check_published

PLAN = Check("ports.plan", "ports", "", "")
_DEAF = ("filtered", "silent", "unreachable", "no_route", "private")
_AT_ONCE = 64


@dataclass(frozen=True)
class Look:
    """What was seen at one address: of ports that must be open, and whatever else was judged."""

    place: Place
    opened: Sequence[Knock]
    findings: Sequence[Finding]


async def check_ports(
    transport: Transport,
    expected: Expectations,
    published: Iterable[Mapping[str, Any]] = (),
    *,
    elsewhere: Awaitable[Elsewhere] | None = None,
    trips: RoundTrips | None = None,
) -> list[Finding]:
    """Try every port of the plan at every address, all at once; a fault is said once.

    `elsewhere` tells what other checks look at; it is waited for only when all was tried.
    """
    host = expected.hostname
    if not expected.names_ports or not host:
        return [PLAN.skipped("There is no plan to compare the ports with.")]
    ports = Ports.of(expected, published)
    limit = asyncio.Semaphore(_AT_ONCE)
    addresses = await addresses_of(transport, host)
    if not addresses:
        return [ADDRESS.skipped(f"No address of {host} is known, so no port was tried.", host=host)]
    measured = trips or RoundTrips(transport)
    places = [Place(transport, host, address, 0, measured) for address in addresses]
    looks = await asyncio.gather(*(_look(place, ports, limit=limit) for place in places))
    watched = await elsewhere if elsewhere else Elsewhere()
    return together(chain.from_iterable(_sights(look, watched) for look in looks))


def _sights(look: Look, watched: Elsewhere) -> Iterable[Sight]:
    """Judge the open ports of an address, knowing what the other checks look at."""
    address, host = look.place.address, look.place.host
    for knock in look.opened:
        port = knock.port
        watcher = watched.watcher(host, address, protocol=port.protocol, port=port.first)
        yield Sight(address, judge_open(knock, watcher=watcher))
        yield from knock.seen.sights
    for finding in look.findings:
        yield Sight(address, finding)


async def _look(place: Place, ports: Ports, *, limit: asyncio.Semaphore) -> Look:
    """Look at one address; where nothing at all answers, that is the one finding."""
    led = [port for port in ports.published if port.leads(place.address)]
    taken = {number for port in led for number in port.numbers}
    unwanted = [port for port in ports.closed if port.number not in taken]
    shut = {port.number for port in ports.closed}
    opened, closed, published = await asyncio.gather(
        asyncio.gather(
            *(
                _prove(place, port, probe, limit=limit)
                for port in ports.opened
                if (probe := probe_of(port))
            )
        ),
        asyncio.gather(
            *(_try(place, port, PLAIN[port.protocol], limit=limit) for port in unwanted)
        ),
        check_published(place, led, shut=shut, limit=limit),
    )
    tried = [knock for knock in opened if not knock.port.narrowed]
    if tried and all(knock.seen.state in _DEAF for knock in tried):
        return Look(place, [], [deaf(place.address, tried)])
    silent = [unknowable(port, place.address) for port in ports.opened if probe_of(port) is None]
    return Look(place, opened, [*silent, *map(judge_closed, closed), *published])


async def _prove(
    place: Place, port: PlannedPort, probe: Probe, *, limit: asyncio.Semaphore
) -> Knock:
    """Give a port that must be open the usual time, unless it is for others and stays silent."""
    if not port.is_for_others:
        return await _try(replace(place, trips=None), port, probe, limit=limit)
    if port.protocol == "tcp":
        heard = await _try(place, port, PLAIN["tcp"], limit=limit)
        if heard.seen.state == "filtered":
            return heard
    return await _try(place, port, probe, limit=limit)


async def _try(place: Place, port: PlannedPort, probe: Probe, *, limit: asyncio.Semaphore) -> Knock:
    async with limit:
        seen = await probe(replace(place, port=port.first))
    return Knock(port, place.address, seen)
