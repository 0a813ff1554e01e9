# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two people on two servers use a real client library, through the firewall and over federation."""

from __future__ import annotations

import asyncio
import io

import nio
import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, PEER, Lab
from conftest import Story
from people import Gate, has_message, is_invited, ok, say, until

FILE = b"\x00\x01 a file that travels \xff" * 4096
PASSWORD = "correct horse battery staple"  # of accounts that live as long as the lab


@pytest.fixture(scope="session")
def token(story: Story, lab: Lab) -> str:
    assert story.first.status == 0
    made = lab.module(
        "matrix", "homestead.matrix.registration_token", uses_allowed=5, return_token=True
    )
    return str(made["token"])


async def register(gate: Gate, user: str, token: str) -> None:
    async with gate.client(user, DOMAIN) as client:
        ok(await client.register_with_token(user, PASSWORD, token))


async def converse(gate: Gate, token: str) -> None:
    await register(gate, "alice", token)
    async with gate.client("alice", DOMAIN) as alice, gate.client("bob", PEER) as bob:
        ok(await alice.login(PASSWORD))
        ok(await bob.register("bob", PASSWORD))
        upload, _keys = await alice.upload(
            io.BytesIO(FILE), "application/octet-stream", "f", filesize=len(FILE)
        )
        download = ok(await alice.download(ok(upload).content_uri))
        assert download.body == FILE
        room = ok(await alice.room_create(invite=[f"@bob:{PEER}"])).room_id
        await until(lambda: is_invited(bob, room), "the invitation")
        ok(await bob.join(room))
        await say(alice, room, "hello over there")
        await until(lambda: has_message(bob, room, "hello over there"), "alice's message")
        await say(bob, room, "hello back")
        await until(lambda: has_message(alice, room, "hello back"), "bob's answer")


def test_invited_user_talks_to_another_server_in_both_directions(lab: Lab, token: str) -> None:
    asyncio.run(converse(Gate(lab), token))


async def refusal(gate: Gate, token: str | None) -> nio.Response:
    async with gate.client("mallory", DOMAIN) as client:
        if token is None:
            return await client.register("mallory", PASSWORD)
        return await client.register_with_token("mallory", PASSWORD, token)


@pytest.mark.parametrize(
    "wrong", [pytest.param(None, id="none"), pytest.param("guessed", id="wrong")]
)
def test_registration_without_a_valid_token_is_refused(
    story: Story, lab: Lab, wrong: str | None
) -> None:
    assert story.first.status == 0
    answer = asyncio.run(refusal(Gate(lab), wrong))
    assert isinstance(answer, nio.ErrorResponse)
