# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts as URLs write them, and their addresses."""

from __future__ import annotations

import asyncio

from .transport import Transport

ADDRESSES_LIMIT = 16


def is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def bracketed(host: str) -> str:
    """Write a host as URLs do (RFC 3986 section 3.2.2)."""
    return f"[{host}]" if ":" in host else host


def authority(host: str, port: int) -> str:
    """Write a host and a port as URLs do."""
    return f"{bracketed(host)}:{port}"


async def addresses_of(transport: Transport, host: str) -> list[str]:
    """Return the first addresses of a host, IPv4 before IPv6; an address is its own."""
    return (await all_addresses_of(transport, host))[:ADDRESSES_LIMIT]


async def all_addresses_of(transport: Transport, host: str) -> list[str]:
    if is_address(host):
        return [host]
    answers = await asyncio.gather(transport.resolve(host, "A"), transport.resolve(host, "AAAA"))
    return list(dict.fromkeys(address for answer in answers for address in answer.records))
