# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether redirects of the well-known documents keep the query string (RFC 9110 section 15.4)."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from ..evidence import seen
from ..findings import Check, Finding
from ..redirect_chain import Chain, location
from ..wire.transport import Exchange, Transport

QUERY = Check("well_known.{part}.query", "well-known", "RFC 9110 section 15.4", "")
MARK = "homestead=1"


async def check_query(transport: Transport, part: str, chain: Chain) -> list[Finding]:
    """Ask for a redirected document once more, with a query string."""
    first = chain.hops[0]
    if not location(first):
        return []
    request = replace(first.request, url=f"{first.request.url}?{MARK}")
    return judge_query(part, await transport.request(request))


def judge_query(part: str, exchange: Exchange) -> list[Finding]:
    """Judge where the request with a query string is sent; no client of today uses one."""
    target = location(exchange)
    if not target:
        return []
    if MARK in urlsplit(target).query.split("&"):
        return [QUERY.of(part).ok("The redirect keeps the query string.")]
    message = "The redirect drops the query string; clients of today send none."
    return [QUERY.of(part).info(message, exchange=seen(exchange))]
