# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Getting the three well-known documents, wherever there are copies, and judging them together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from itertools import chain as joined
from urllib.parse import urlsplit

from ...names import ServerName
from ..addresses import check_addresses
from ..findings import Finding
from ..peers.resolution import Resolution
from ..redirect_chain import Chain, first_request, follow
from ..scope import Scope
from ..wire.hosts import bracketed
from ..wire.transport import Transport
from .client_keys import check_identity_server
from .discovery import base_url
from .query import check_query
from .security_txt import check_security_txt
from .wellknown import NAMES, REACH, STATUS, Name, Wanted, judge, judge_copy, url, value_of


async def check_documents(
    transport: Transport,
    scope: Scope,
    *,
    name: ServerName,
    resolving: Awaitable[Resolution],
    client: Awaitable[Chain],
) -> list[Finding]:
    """Judge the documents on the base domain, and the copies on the Matrix host."""
    reaching = check_addresses(transport, first_request(url(name.host, "client")), REACH)
    following = follow(transport, url(name.host, "support"))
    reached, first, peers, support = await asyncio.gather(reaching, client, resolving, following)
    chains = {"client": first, "server": peers.chain, "support": support}
    host = _hostname(scope, first)
    planned = scope.expectations.well_known
    looks = [
        check_identity_server(transport, value_of(first)),
        check_security_txt(transport, name.host),
    ]
    looks += [
        _document(transport, part, chain=chains[part], wanted=Wanted.of(planned, part), host=host)
        for part in NAMES
    ]
    return reached + list(joined.from_iterable(await asyncio.gather(*looks)))


def _hostname(scope: Scope, client: Chain) -> str:
    """Return the host that should hold copies: the planned one, or the one clients are sent to."""
    found = urlsplit(base_url(value_of(client))).hostname or ""
    return bracketed(scope.expectations.hostname or found)


async def _document(
    transport: Transport, part: Name, *, chain: Chain | None, wanted: Wanted, host: str
) -> list[Finding]:
    if chain is None:
        message = "Peers do not ask for the document, because the server name says where to go."
        return [STATUS.of(part).skipped(message)]
    asking = check_query(transport, part, chain)
    copy = url(host, part) if host else ""
    if not copy or copy in (chain.hops[0].request.url, chain.last.request.url):
        return judge(part, chain, wanted) + await asking
    query, other = await asyncio.gather(asking, follow(transport, copy))
    return [*judge(part, chain, wanted), *query, *judge_copy(part, chain, other, wanted)]
