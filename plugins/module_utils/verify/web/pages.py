# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether pages of components, under names of their own, answer everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import urlsplit

from ..evidence import seen
from ..expectations import Page
from ..findings import Check, Finding
from ..redirect_chain import OK
from ..together import Sight, together
from ..wire.hosts import addresses_of
from ..wire.transport import KIB, Exchange, Request, Transport

PAGE = Check(
    "web.page",
    "web",
    "",
    "Create the DNS records of the plan, run homestead.matrix.site again, and look whether the "
    "service behind the address runs (systemctl --failed).",
)
_GATEWAY = (502, 503, 504)
_OF_THE_HOST = ("refused", "timeout", "unreachable", "no_route", "private")
"""What other checks say of the host itself."""


async def check_pages(transport: Transport, pages: Iterable[Page]) -> list[Finding]:
    """Ask for every page at every address at once."""
    sights = await asyncio.gather(*(_look(transport, page) for page in pages))
    return together(sight for found in sights for sight in found)


async def _look(transport: Transport, page: Page) -> list[Sight]:
    addresses = await addresses_of(transport, urlsplit(page.url).hostname or "")
    if not addresses:
        return [Sight(page.url, PAGE.error(f"{page.url} has no address.", url=page.url))]
    requests = [Request(page.url, address=address, limit=1024 * KIB) for address in addresses]
    exchanges = await asyncio.gather(*(transport.request(request) for request in requests))
    return [Sight(exchange.request.address, judge(page, exchange)) for exchange in exchanges]


def judge(page: Page, exchange: Exchange) -> Finding:
    """Judge one answer: what the web server serves is there, what it hands on is answered."""
    where, facts = f"{page.url} at {exchange.request.address}", {"exchange": seen(exchange)}
    if exchange.error is not None and exchange.error.kind in _OF_THE_HOST:
        return PAGE.skipped(f"{where} was not reached.", **facts)
    if exchange.error is not None:
        return PAGE.error(f"{where} ({page.purpose}) cannot be read: {exchange.error}.", **facts)
    wrong = exchange.status != OK if page.served else exchange.status in _GATEWAY
    if wrong:
        return PAGE.error(f"{where} ({page.purpose}) answers status {exchange.status}.", **facts)
    return PAGE.ok(f"{where} ({page.purpose}) answers.", **facts)
