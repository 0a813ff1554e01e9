# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""People on the lab's servers, each with a real client library."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import aiohttp
import nio
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, HOSTNAME, PEER, Lab

Answer = TypeVar("Answer")
PASSWORD = "correct-horse-battery"
"""Of everybody who has an account."""


class NameServer(AbstractResolver):
    """Asks the lab's name server."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family
        return [
            ResolveResult(
                hostname=host,
                host=await asyncio.to_thread(self._lab.address, host),
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        return


@dataclass(frozen=True)
class Gate:
    """How the tests' client reaches the lab's servers: by the lab's name server and authorities."""

    lab: Lab

    def base_url(self, server_name: str) -> str:
        return {DOMAIN: f"https://{HOSTNAME}", PEER: f"https://{PEER}:8448"}[server_name]

    @asynccontextmanager
    async def client(self, user: str, server_name: str) -> AsyncIterator[nio.AsyncClient]:
        config = nio.AsyncClientConfig(store_sync_tokens=False, request_timeout=20)
        client = nio.AsyncClient(
            self.base_url(server_name), f"@{user}:{server_name}", config=config
        )
        context = ssl.create_default_context(cafile=str(self.lab.authorities))
        connector = aiohttp.TCPConnector(ssl=context, resolver=NameServer(self.lab))
        client.client_session = aiohttp.ClientSession(connector=connector)
        try:
            yield client
        finally:
            await client.close()


def ok(answer: Answer) -> Answer:
    """Return the answer, or fail with what the server said."""
    assert not isinstance(answer, nio.ErrorResponse), answer
    return answer


async def until(fetch: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until something has arrived, at most 30 seconds."""
    for _attempt in range(60):
        if await fetch():
            return
        await asyncio.sleep(0.5)
    pytest.fail(f"{what} did not arrive")


async def has_message(client: nio.AsyncClient, room: str, text: str) -> bool:
    sync = ok(await client.sync(timeout=500, full_state=True))
    timeline = sync.rooms.join[room].timeline.events if room in sync.rooms.join else []
    return any(text in getattr(event, "body", "") for event in timeline)


async def is_invited(client: nio.AsyncClient, room: str) -> bool:
    return room in ok(await client.sync(timeout=500, full_state=True)).rooms.invite


async def say(client: nio.AsyncClient, room: str, text: str) -> None:
    content = {"msgtype": "m.text", "body": text}
    ok(await client.room_send(room, "m.room.message", content, ignore_unverified_devices=True))
