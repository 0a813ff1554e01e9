# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that Docker, or other NAT on the host, leads past its firewall: whether they answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Set
from dataclasses import replace

from ...host.published import (
    Destination,
    Published,
    remedy,
)
from ..findings import Check, Finding
from .port_probes import PLAIN, Place, Seen

_EXAMPLE = Published("tcp", 8080, 8080, Destination("172.17.0.2", 80, 80))
PUBLISHED = Check("ports.published.{part}", "ports", "", remedy(_EXAMPLE))
_ANSWERING = ("answers", "open")
_SHUT = ("refused", "filtered", "unreachable")
_SAMPLE = 16


async def check_published(
    place: Place,
    ports: Iterable[Published],
    *,
    shut: Set[tuple[str, int]],
    limit: asyncio.Semaphore,
) -> list[Finding]:
    """Knock at each of these ports; it is graver if one that must be shut answers."""
    jobs = [_check(place, port, shut=shut, limit=limit) for port in ports]
    return list(await asyncio.gather(*jobs))


async def _check(
    place: Place, port: Published, *, shut: Set[tuple[str, int]], limit: asyncio.Semaphore
) -> Finding:
    """Judge a port by what answers first, a long range by its beginning and what must be shut."""
    grave = sorted(number for _unused, number in port.numbers & shut)
    numbers = dict.fromkeys([*grave, *range(port.first, port.last + 1)[:_SAMPLE]])
    places = [replace(place, port=number) for number in numbers]
    sights = await asyncio.gather(*(_see(each, port.protocol, limit=limit) for each in places))
    found = dict(zip(numbers, sights))
    telling = next((number for number in found if found[number].state in _ANSWERING), port.first)
    return judge(port, place.address, found[telling], is_shut=telling in grave)


async def _see(place: Place, protocol: str, *, limit: asyncio.Semaphore) -> Seen:
    async with limit:
        return await PLAIN[protocol](place)


def judge(port: Published, address: str, seen: Seen, *, is_shut: bool) -> Finding:
    """Say what a stranger sees of a published port."""
    check = replace(PUBLISHED.of(f"{port.protocol}-{port.first}"), remedy=remedy(port))
    facts = {"address": address, "to": str(port.target), "state": seen.state, **seen.facts}
    way = f"Docker, or other NAT on the host, publishes {port.label} past the firewall"
    if seen.state in _ANSWERING:
        message = f"{way}, and it answers strangers at {address}."
        return check.error(message, **facts) if is_shut else check.warning(message, **facts)
    if seen.state in _SHUT:
        return check.info(f"{way}; at {address} nothing answers: {seen.state}.", **facts)
    if seen.state == "silent":
        message = f"{way}; at {address} nothing answers, which over UDP proves nothing."
        return check.unknown(message, **facts)
    return check.unknown(f"{way}; this vantage cannot reach {address}.", **facts)
