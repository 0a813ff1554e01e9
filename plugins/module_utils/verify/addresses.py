# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every address of a name by itself: a dead one or another certificate shows only this way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from .certificates import judge_certificate
from .evidence import seen
from .findings import Check, Finding
from .together import Sight, together
from .wire.hosts import ADDRESSES_LIMIT, all_addresses_of
from .wire.transport import Exchange, Request, Transport


async def check_addresses(transport: Transport, request: Request, check: Check) -> list[Finding]:
    """Send a request to each address of its host, and judge reach and certificate."""
    host = urlsplit(request.url).hostname or ""
    addresses = await all_addresses_of(transport, host)
    requests = [replace(request, address=address) for address in addresses[:ADDRESSES_LIMIT]]
    exchanges = await asyncio.gather(*(transport.request(item) for item in requests))
    sights = (sight for exchange in exchanges for sight in _judge(exchange, host, check))
    return together(sights) + skipped(addresses, host, check)


def skipped(addresses: Sequence[str], host: str, check: Check) -> list[Finding]:
    """Say which addresses of a host were not looked at, if there are too many."""
    if len(addresses) <= ADDRESSES_LIMIT:
        return []
    message = (
        f"{host} has more than {ADDRESSES_LIMIT} addresses; only the first of them were tried."
    )
    return [check.skipped(message, skipped=list(addresses[ADDRESSES_LIMIT:]))]


def judge_reach(exchange: Exchange, where: str, check: Check) -> list[Finding]:
    """Say whether an address answers at all, as far as this machine can know."""
    if exchange.status:
        milliseconds = exchange.milliseconds
        facts = {"where": where, "address": exchange.address, "milliseconds": milliseconds}
        return [check.ok(f"{where} answers.", **facts)]
    if exchange.no_route:
        message = f"From here there is no way to {where}, so nothing is known about it."
        return [check.unknown(message, exchange=seen(exchange))]
    return [check.error(f"No answer from {where}: {exchange.error}.", exchange=seen(exchange))]


def _judge(exchange: Exchange, host: str, check: Check) -> list[Sight]:
    where = f"{host} at {exchange.address}"
    found = judge_reach(exchange, where, check)
    if exchange.certificate:
        found += judge_certificate(exchange.certificate, name=host, where=where)
    return [Sight(where, finding) for finding in found]
