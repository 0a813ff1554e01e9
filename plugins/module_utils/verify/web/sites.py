# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTPS servers that matter: of the base domain, of the base URL, and of the federation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..documents import wellknown
from ..documents.discovery import base_url, url_fault
from ..peers.resolution import SERVICE_STEPS, Resolution
from ..redirect_chain import Chain
from ..scope import Scope
from ..wire.hosts import addresses_of
from ..wire.recorder import HTTPS_PORT, Site
from ..wire.transport import Transport


@dataclass(frozen=True)
class Sites:
    """Every server once; `api` are those that clients or peers ask, `host` is the base URL's."""

    domain: str
    host: str = ""
    port: int = HTTPS_PORT
    every: tuple[Site, ...] = ()
    api: tuple[Site, ...] = ()
    apart: frozenset[Site] = frozenset()
    """Those that the name of the certificate does not lead to, but an SRV record does."""


def base_of(scope: Scope, client: Chain) -> str:
    """Return the base URL that clients find, or else the planned one, without trailing slash."""
    discovered = base_url(wellknown.value_of(client))
    return discovered or scope.expectations.base_url.rstrip("/")


async def find_sites(
    transport: Transport,
    scope: Scope,
    *,
    domain: str,
    client: Awaitable[Chain],
    resolving: Awaitable[Resolution],
) -> Sites:
    """Find the addresses of every name at once."""
    chain, resolution = await asyncio.gather(client, resolving)
    host, port = host_of(base_of(scope, chain))
    front, clients = await asyncio.gather(
        _sites(transport, domain, HTTPS_PORT), _sites(transport, host, port)
    )
    name = resolution.certificate_name
    peers = [Site(item.address, item.port, name) for item in resolution.endpoints]
    api = tuple(dict.fromkeys([*clients, *peers]))
    apart = frozenset(peers if resolution.step in SERVICE_STEPS else ())
    return Sites(domain, host, port, tuple(dict.fromkeys([*front, *api])), api, apart)


def host_of(base: str) -> tuple[str, int]:
    """Return the host and the port of a base URL that clients can use."""
    if url_fault(base):
        return "", HTTPS_PORT
    parts = urlsplit(base)
    return parts.hostname or "", parts.port or HTTPS_PORT


async def _sites(transport: Transport, host: str, port: int) -> list[Site]:
    addresses = await addresses_of(transport, host) if host else []
    return [Site(address, port, host) for address in addresses]
