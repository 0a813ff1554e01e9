# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What clients meet at the base URL: versions, and answers that browsers may read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator

from ..addresses import check_addresses, judge_reach
from ..answers import MISSING_TOKEN, errcode, object_of, stated
from ..cors import PREFLIGHT, missing_methods, origin_fault, preflight_fault, repeats_origin
from ..evidence import excerpt, seen
from ..findings import Check, Finding
from ..redirect_chain import OK, ORIGIN
from ..wire.transport import Exchange, Request, Transport

REACH = Check(
    "client.reach",
    "client",
    "Client-Server API, API Standards",
    "Let the proxy listen at this address, open the port of the base URL in every firewall, "
    "or take the address out of the DNS.",
)
VERSIONS = Check(
    "client.versions",
    "client",
    "Client-Server API, GET /_matrix/client/versions",
    "Pass /_matrix/client of the base URL on to the homeserver.",
)
CORS = Check(
    "client.cors",
    "client",
    "Client-Server API, Web Browser Clients",
    "Send exactly one 'Access-Control-Allow-Origin: *': leave CORS to the homeserver, "
    "do not add it in the proxy too.",
)
ERRORS = Check(
    "client.cors_errors",
    "client",
    "Client-Server API, Web Browser Clients",
    "Send the CORS headers with errors too (in nginx: add_header … always).",
)
PREFLIGHTS = Check(
    "client.preflight",
    "client",
    "Client-Server API, Web Browser Clients",
    "Pass OPTIONS requests on to the homeserver, which answers them by itself.",
)
TOKEN = Check(
    "client.missing_token",
    "client",
    "Client-Server API, Using access tokens",
    "Pass /_matrix/client on to the homeserver, and its error answers unchanged.",
)
_VERSIONS_PATH = "/_matrix/client/versions"
_UNKNOWN_PATH = "/_matrix/client/v3/homestead_unknown"


def versions_request(base_url: str) -> Request:
    """Ask for the versions of the API, as clients do first of all."""
    return _get(base_url, _VERSIONS_PATH)


async def check_client(
    transport: Transport, base_url: str, asked: Awaitable[Exchange]
) -> list[Finding]:
    """Look at the answer about versions, and ask as a browser on another origin would."""
    reached, versions, whoami, unknown, *preflights = await asyncio.gather(
        check_addresses(transport, versions_request(base_url), REACH),
        asked,
        transport.request(_get(base_url, "/_matrix/client/v3/account/whoami")),
        transport.request(_get(base_url, _UNKNOWN_PATH)),
        transport.request(_options(base_url, "/_matrix/client/v3/login")),
        transport.request(_options(base_url, _UNKNOWN_PATH)),
    )
    if not versions.status:
        return reached or judge_reach(versions, base_url, REACH)
    return [
        *reached,
        *_versions(versions),
        *_cors(versions),
        *_errors(whoami, unknown),
        *_preflights(preflights),
        *_token(whoami),
    ]


def _get(base_url: str, path: str) -> Request:
    return Request(url=base_url + path, headers=(ORIGIN,))


def _options(base_url: str, path: str) -> Request:
    return Request(url=base_url + path, method="OPTIONS", headers=(ORIGIN, *PREFLIGHT))


def _versions(exchange: Exchange) -> Iterator[Finding]:
    versions = _texts(object_of(exchange).get("versions"))
    if exchange.status != OK or not versions:
        yield VERSIONS.error(
            "Clients give up (FAIL_ERROR): the base URL does not list the versions of the API.",
            exchange=seen(exchange),
            excerpt=excerpt(exchange.body),
        )
    else:
        yield VERSIONS.ok(f"The API is there, up to {versions[-1][:20]}.", versions=versions[:50])


def _texts(value: object) -> list[str]:
    """Return a list of texts as it is, and nothing for anything else."""
    items = value if isinstance(value, list) else []
    return items if all(isinstance(item, str) for item in items) else []


def _cors(exchange: Exchange) -> Iterator[Finding]:
    if fault := origin_fault(exchange):
        message = f"Browsers may not read {exchange.request.url}: {fault}."
        yield CORS.error(message, exchange=seen(exchange))
    elif repeats_origin(exchange):
        message = "Browsers may read the API; it allows the origin that asks instead of '*'."
        yield CORS.info(message, exchange=seen(exchange))
    else:
        yield CORS.ok("Browsers may read the API.")


def _errors(*exchanges: Exchange) -> Iterator[Finding]:
    faults = [
        (exchange, fault)
        for exchange in exchanges
        if exchange.status and (fault := origin_fault(exchange))
    ]
    for exchange, fault in faults:
        message = f"Browsers may not read the error {exchange.status}: {fault}."
        yield ERRORS.error(message, exchange=seen(exchange))
    if not faults and any(exchange.status for exchange in exchanges):
        yield ERRORS.ok("Browsers may read error answers.")


def _preflights(exchanges: list[Exchange]) -> Iterator[Finding]:
    faults = [(exchange, fault) for exchange in exchanges if (fault := preflight_fault(exchange))]
    for exchange, fault in faults:
        is_unknown = exchange.request.url.endswith(_UNKNOWN_PATH)
        judge = PREFLIGHTS.warning if is_unknown else PREFLIGHTS.error
        message = f"Browsers stop at the preflight of {exchange.request.url}: {fault}."
        yield judge(message, exchange=seen(exchange))
    if faults:
        return
    if missing := missing_methods(exchanges[0]):
        message = f"The preflight does not allow {', '.join(missing)}."
        yield PREFLIGHTS.warning(message, exchange=seen(exchanges[0]))
    else:
        yield PREFLIGHTS.ok("The preflight lets browsers in.")


def _token(exchange: Exchange) -> Iterator[Finding]:
    if not exchange.status:
        yield TOKEN.error(f"The API does not always answer: {exchange.error}.")
    elif (exchange.status, errcode(exchange)) == (401, MISSING_TOKEN):
        yield TOKEN.ok("Without an access token the API answers 401 M_MISSING_TOKEN.")
    else:
        yield TOKEN.error(
            f"Without an access token the API answers {stated(exchange)} instead of 401 "
            f"{MISSING_TOKEN}.",
            exchange=seen(exchange),
            excerpt=excerpt(exchange.body),
        )
