# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom the addresses in the DNS leave out, and whether they are the planned ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Sequence

from ..findings import Check, Finding
from ..scope import Scope
from ..web.sites import Sites
from ..wire.hosts import is_address
from ..wire.transport import DnsAnswer, Transport

FAMILIES = Check(
    "resolution.families",
    "resolution",
    "",
    "Give the host an IPv4 address and create an A record for the name: many servers, and many "
    "networks in which clients are, have no IPv6.",
)
PLANNED = Check(
    "resolution.planned",
    "resolution",
    "",
    "Correct the A and AAAA records of the name at your DNS provider, or matrix_addresses.",
)


async def check_families(
    transport: Transport, scope: Scope, locating: Awaitable[Sites]
) -> list[Finding]:
    """Look at the base domain, at the host of the base URL, and at every name of the plan."""
    sites, planned = await locating, scope.expectations.addresses
    names = dict.fromkeys([sites.domain, sites.host, *planned])
    looked = [name for name in names if name and not is_address(name.strip("[]"))]
    answers = await asyncio.gather(*(_ask(transport, name) for name in looked))
    return [
        finding
        for name, found in zip(looked, answers)
        for finding in judge(name, *found, planned=planned.get(name, ()))
    ]


async def _ask(transport: Transport, name: str) -> tuple[DnsAnswer, DnsAnswer]:
    return await asyncio.gather(transport.resolve(name, "A"), transport.resolve(name, "AAAA"))


def judge(
    name: str, ipv4: DnsAnswer, ipv6: DnsAnswer, *, planned: Sequence[str] = ()
) -> Iterator[Finding]:
    """Judge the addresses of a name; where it has none, or the DNS fails, others say so."""
    found = [*ipv4.records, *ipv6.records]
    if ipv4.failed or ipv6.failed or not found:
        return
    if ipv4.records:
        yield FAMILIES.ok(f"{name} has an IPv4 address.", addresses=found)
    else:
        message = f"{name} has only IPv6 addresses, so nobody without IPv6 reaches it."
        yield FAMILIES.warning(message, addresses=found)
    if planned and set(found) == set(planned):
        yield PLANNED.ok(f"{name} has the planned addresses.", addresses=found)
    elif planned:
        message = f"The DNS leads {name} to {_listed(found)} instead of {_listed(planned)}."
        yield PLANNED.warning(message, addresses=found, planned=list(planned))


def _listed(addresses: Sequence[str]) -> str:
    return " and ".join(sorted(addresses))
