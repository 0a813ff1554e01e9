# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What peers meet at each address: certificate, version and signing keys (server-server API)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ..addresses import judge_reach
from ..certificates import judge_certificate
from ..evidence import excerpt, seen
from ..findings import Check, Finding
from ..redirect_chain import OK
from ..strict_json import loads, text_at
from ..together import Sight, together
from ..wire.hosts import authority
from ..wire.transport import Exchange, Request, Transport
from .resolution import PeerEndpoint, Resolution
from .signing import judge_keys

REACH = Check(
    "federation.reach",
    "federation",
    "Server-Server API, API standards",
    "Let the server listen at this address and port, open the port in every firewall, "
    "or take the address out of the DNS.",
)
VERSION = Check(
    "federation.version",
    "federation",
    "Server-Server API, GET /_matrix/federation/v1/version",
    "Pass /_matrix/federation of this host name and port on to the homeserver.",
)
KEYS = Check(
    "federation.keys",
    "federation",
    "Server-Server API, Publishing Keys",
    "Pass /_matrix/key of this host name and port on to the homeserver.",
)


async def check_federation(transport: Transport, resolution: Resolution) -> list[Finding]:
    """Probe every address that peers may use, each by itself."""
    endpoints = resolution.endpoints
    found = await asyncio.gather(*(_probe(transport, resolution, item) for item in endpoints))
    return together(
        Sight(str(endpoint), finding)
        for endpoint, findings in zip(endpoints, found)
        for finding in findings
    )


async def _probe(
    transport: Transport, resolution: Resolution, endpoint: PeerEndpoint
) -> list[Finding]:
    version, keys = await asyncio.gather(
        transport.request(_request(resolution, endpoint, "/_matrix/federation/v1/version")),
        transport.request(_request(resolution, endpoint, "/_matrix/key/v2/server")),
    )
    where = str(endpoint)
    findings = judge_reach(version if version.status else keys, where, REACH)
    if not version.status and not keys.status:
        return findings
    if certificate := version.certificate or keys.certificate:
        name = resolution.certificate_name
        findings += judge_certificate(certificate, name=name, where=where)
    findings += _version(version, where)
    return findings + _keys(keys, where, resolution.server_name)


def _request(resolution: Resolution, endpoint: PeerEndpoint, path: str) -> Request:
    name = resolution.certificate_name
    return Request(
        url=f"https://{authority(name, endpoint.port)}{path}",
        address=endpoint.address,
        host_header=resolution.host_header,
        certificate_name=name,
    )


def _version(exchange: Exchange, where: str) -> list[Finding]:
    value, fault = _object(exchange)
    if fault:
        message = f"{where} does not tell its version: {fault}."
        return [VERSION.error(message, exchange=seen(exchange), excerpt=excerpt(exchange.body))]
    name, version = text_at(value, "server", "name"), text_at(value, "server", "version")
    if name is None or version is None:
        return [VERSION.warning(f"{where} tells no name and version.", exchange=seen(exchange))]
    message = f"{where} runs {name[:50]} {version[:100]}."
    return [VERSION.ok(message, name=name[:50], version=version[:100], where=where)]


def _keys(exchange: Exchange, where: str, server_name: str) -> list[Finding]:
    value, fault = _object(exchange)
    if fault:
        message = f"{where} does not publish signing keys: {fault}."
        return [KEYS.error(message, exchange=seen(exchange), excerpt=excerpt(exchange.body))]
    return judge_keys(value, server_name=server_name, where=where, now=time.time())


def _object(exchange: Exchange) -> tuple[dict[str, Any], str]:
    """Return the JSON object of an answer, or why there is none; trust is judged elsewhere."""
    if not exchange.whole:
        return {}, str(exchange.error)
    if exchange.status != OK:
        return {}, f"the status is {exchange.status}"
    try:
        value = loads(exchange.body).value
    except ValueError as error:
        return {}, f"the answer is not JSON ({error})"
    return (value, "") if isinstance(value, dict) else ({}, "the answer is not a JSON object")
