# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the web server says on port 80: it must lead to https, and serve nothing (RFC 6797 7.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from itertools import chain
from urllib.parse import urlsplit

from ..answers import object_of
from ..evidence import excerpt, seen
from ..findings import Check, Finding
from ..redirect_chain import DOCUMENT_LIMIT, OK, REDIRECTS, location
from ..scope import Scope
from ..together import Sight, together
from ..wire.hosts import addresses_of, bracketed
from ..wire.recorder import Recorder
from ..wire.transport import Exchange, Request, Transport
from .clock import judge_clocks
from .hsts import judge_hsts
from .response_time import judge_times
from .same_certificate import judge_same
from .sites import Sites
from .tls_versions import check_versions, judge_http

REDIRECT = Check(
    "web.redirect",
    "web",
    "RFC 6797 section 7.2",
    "Answer on port 80 with a redirect to https of the same host "
    "(in nginx: return 301 https://$host$request_uri).",
)
PLAINTEXT = Check(
    "web.plaintext",
    "web",
    "Client-Server API, API Standards",
    "Redirect the whole port 80 to https: access tokens must not travel readable.",
)
_VERSIONS_PATH = "/_matrix/client/versions"
_NOT_HERE = ("no_route", "private", "resolve")


async def check_web(transport: Transport, scope: Scope, finding: Awaitable[Sites]) -> list[Finding]:
    """Greet every server, and look at port 80 of the base domain and of the Matrix host."""
    sites = await finding
    looks = [check_versions(transport, sites.every)]
    if sites.host:
        looks.append(_check_host(transport, scope, sites.host))
    if sites.domain != sites.host:
        looks.append(_check_domain(transport, sites.domain))
    return list(chain.from_iterable(await asyncio.gather(*looks)))


def judge_recorded(recorder: Recorder, sites: Sites, *, planned: bool) -> list[Finding]:
    """Judge what the exchanges of all checks tell together."""
    taken = recorder.taken
    return [
        *judge_same(taken, sites.apart),
        *judge_http(sites.api, recorder.greeted, taken),
        *judge_hsts(taken, sites, planned=planned),
        *judge_clocks(taken),
        *judge_times(item.exchange for item in taken if item.answered),
    ]


async def _check_host(transport: Transport, scope: Scope, host: str) -> list[Finding]:
    """Ask the Matrix host for its first page and for the API, without TLS."""
    pages, apis = await asyncio.gather(
        _ask(transport, host, "/"), _ask(transport, host, _VERSIONS_PATH)
    )
    planned, tried = bool(scope.expectations), scope.expectations.names_ports
    redirects = (
        Sight(_where(page), finding)
        for page in pages
        for finding in judge_redirect(page, host, strict=planned, tried=tried)
    )
    plain = (Sight(_where(api), finding) for api in apis for finding in judge_plaintext(api))
    return [*together(redirects), *together(plain)]


async def _check_domain(transport: Transport, domain: str) -> list[Finding]:
    pages = await _ask(transport, domain, "/")
    redirects = (judge_redirect(page, domain, strict=False) for page in pages)
    return list(chain.from_iterable(redirects))


async def _ask(transport: Transport, host: str, path: str) -> list[Exchange]:
    """Ask every address of a host at once."""
    requests = [
        Request(f"http://{bracketed(host)}{path}", address=address, limit=DOCUMENT_LIMIT)
        for address in await addresses_of(transport, host)
    ]
    return await asyncio.gather(*(transport.request(request) for request in requests))


def judge_redirect(
    exchange: Exchange, host: str, *, strict: bool, tried: bool = False
) -> Iterator[Finding]:
    """Judge an answer of port 80; `tried` says that the plan's ports already tell if it is open."""
    where = _where(exchange)
    target = location(exchange) if exchange.status in REDIRECTS else ""
    if not exchange.status:
        if not tried and exchange.error and exchange.error.kind not in _NOT_HERE:
            message = f"{where} gives no answer, so nothing is served without TLS there."
            yield REDIRECT.info(message, exchange=seen(exchange))
    elif _is_secure(target, host):
        yield REDIRECT.ok(f"{where} leads to https.", exchange=seen(exchange))
    else:
        answer = f"a redirect to {target[:200]}" if target else f"status {exchange.status}"
        note = REDIRECT.warning if strict else REDIRECT.info
        message = f"{where}: {answer} instead of a redirect to https://{host}/."
        yield note(message, exchange=seen(exchange))


def _is_secure(target: str, host: str) -> bool:
    parts = urlsplit(target)
    return (parts.scheme, parts.hostname) == ("https", host.lower())


def judge_plaintext(exchange: Exchange) -> Iterator[Finding]:
    """Say whether the API can be used without TLS; any other page is no API."""
    where = _where(exchange)
    if _is_api(exchange):
        message = f"The Matrix API is served without TLS by {where}."
        facts = {"exchange": seen(exchange), "excerpt": excerpt(exchange.body)}
        yield PLAINTEXT.error(message, **facts)
    elif exchange.status:
        yield PLAINTEXT.ok(f"{where} does not serve the Matrix API without TLS.")


def _where(exchange: Exchange) -> str:
    """Name the page without its path, and the address it was asked for at."""
    parts = urlsplit(exchange.request.url)
    return f"{parts.scheme}://{parts.netloc}/ at {exchange.address or exchange.request.address}"


def _is_api(exchange: Exchange) -> bool:
    return exchange.status == OK and "versions" in object_of(exchange)
