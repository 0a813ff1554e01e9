# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strangers who want an account from outside, each in another way, and somebody who has one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

import nio
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, Lab
from people import PASSWORD, Gate, ok


@dataclass(frozen=True)
class Resident:
    """Somebody with an account, who logged in once and stays so."""

    lab: Lab
    name: str
    access_token: str

    @classmethod
    def moves_in(cls, lab: Lab, name: str) -> Resident:
        lab.module("matrix", "homestead.matrix.user", name=name, password=PASSWORD)

        async def log_in() -> str:
            async with Gate(lab).client(name, DOMAIN) as client:
                return str(ok(await client.login(PASSWORD)).access_token)

        return cls(lab, name, asyncio.run(log_in()))

    def assert_at_home(self) -> None:
        """See that the session of the first day still works."""

        async def look() -> None:
            async with Gate(self.lab).client(self.name, DOMAIN) as client:
                client.access_token = self.access_token
                ok(await client.sync(timeout=0))

        asyncio.run(look())


async def _with_address(client: nio.AsyncClient, name: str) -> nio.Response:
    """Say that an address is verified, without having got the message."""
    credentials = {"sid": "made-up", "client_secret": "made-up"}
    auth = {"type": "m.login.email.identity", "threepid_creds": credentials}
    return await client.register_interactive(name, PASSWORD, auth)


async def _attempt(client: nio.AsyncClient, name: str, way: str, token: str) -> nio.Response:
    if token:
        return await client.register_with_token(name, PASSWORD, token)
    if way == "an unverified address":
        return await _with_address(client, name)
    return await client.register(name, PASSWORD)


async def _newcomers(lab: Lab, tokens: Mapping[str, str]) -> dict[str, Resident]:
    ways = {"nothing": "", "an unverified address": "", **tokens}
    found = {}
    for way, token in ways.items():
        name = f"stranger-{uuid4().hex[:12]}"
        async with Gate(lab).client(name, DOMAIN) as client:
            answer = await _attempt(client, name, way, token)
            if isinstance(answer, nio.RegisterResponse):
                found[way] = Resident(lab, name, answer.access_token)
    return found


async def _assert_no_way_past_the_mode(gate: Gate) -> None:
    """Try what no client does: to be a guest, and the endpoint of the shared secret."""
    for path in ("/_matrix/client/v3/register?kind=guest", "/_synapse/admin/v1/register"):
        async with gate.client("guest", DOMAIN) as client:
            assert client.client_session
            async with client.client_session.post(f"{client.homeserver}{path}", json={}) as answer:
                assert answer.status in (403, 404), (path, await answer.text())


def newcomers(lab: Lab, tokens: Mapping[str, str]) -> dict[str, Resident]:
    """Try every way to an account, these tokens too, and return who got one, by the way."""
    asyncio.run(_assert_no_way_past_the_mode(Gate(lab)))
    return asyncio.run(_newcomers(lab, tokens))
