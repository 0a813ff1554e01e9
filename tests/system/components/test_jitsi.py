# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jitsi Meet: a real Prosody, reached as browsers do, between stand-ins that carry no media."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from xml.etree import ElementTree as ET

import aiohttp
import pytest
from ansible_collections.homestead.matrix.tests.lab.components import jitsi
from ansible_collections.homestead.matrix.tests.lab.components.together import Everything
from ansible_collections.homestead.matrix.tests.lab.labs import HOSTNAME, Lab
from changing import change
from people import PASSWORD, NameServer, until
from xmpp import Bosh, Client, RefusedError, WebSocket

NAME = jitsi.NAME
ROOMS, GUESTS, SERVICES = f"conference.{NAME}", f"guest.{NAME}", f"services.{NAME}"
FOCUS = "http://jitsi.org/protocol/focus"
DISCO = "urn:xmpp:extdisco:2"


@asynccontextmanager
async def browser(lab: Lab) -> AsyncIterator[aiohttp.ClientSession]:
    """Give a browser without a screen, which trusts the lab's authorities."""
    context = ssl.create_default_context(cafile=str(lab.authorities))
    connector = aiohttp.TCPConnector(ssl=context, resolver=NameServer(lab))
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


async def page(session: aiohttp.ClientSession, path: str) -> str:
    async with session.get(f"https://{NAME}{path}") as answer:
        assert answer.status == 200, (path, answer.status)
        return await answer.text()


async def opened(client: Client, room: str) -> None:
    """Let the focus open a room, as the web page does (jicofo, doc/conference-request.md)."""
    question = f"<conference xmlns='{FOCUS}' room='{room}'/>"

    async def is_ready() -> bool:
        try:
            answer = await client.ask(f"focus.{NAME}", question, kind="set")
        except RefusedError as error:
            if str(error) != "service-unavailable":  # it has not logged in yet
                raise
            return False
        return bool(answer.find(f"{{{FOCUS}}}conference").get("ready") == "true")

    await until(is_ready, "the focus")


async def relays(client: Client) -> list[ET.Element]:
    """Return the TURN servers that a client is given (XEP-0215)."""
    answer = await client.ask(NAME, f"<services xmlns='{DISCO}'/>")
    return [each for each in answer.iter(f"{{{DISCO}}}service") if each.get("password")]


def accepts(secret: str, relay: ET.Element) -> bool:
    """Tell whether our coturn takes the credentials (draft-uberti-behave-turn-rest)."""
    name = str(relay.get("username"))
    made = hmac.new(secret.encode(), name.encode(), hashlib.sha1).digest()
    return base64.b64encode(made).decode() == relay.get("password")


async def talk(lab: Lab, secret: str) -> None:
    """Two people meet in a room, over BOSH and over a WebSocket; then the pages are read."""
    room = f"lab@{ROOMS}"
    async with (
        browser(lab) as session,
        Client(Bosh(session, NAME), NAME) as alice,
        Client(WebSocket(session, NAME), NAME) as bob,
    ):
        await alice.login()
        with pytest.raises(RefusedError, match="not-allowed"):  # without the focus there is no room
            await alice.join(f"other@{ROOMS}", "alice")
        await opened(alice, room)
        assert {"focus", "alice"} <= await alice.join(room, "alice")
        await bob.login()
        assert {"focus", "alice", "bob"} <= await bob.join(room, "bob")
        await bob.say(room, "hello")
        assert await alice.hear("hello") == "bob"
        given = await relays(alice)
        assert {(each.get("type"), each.get("host")) for each in given} == {
            ("turn", HOSTNAME),
            ("turns", HOSTNAME),
        }
        assert all(accepts(secret, each) for each in given)
        told = json.loads((await page(session, "/config.js")).partition("=")[2].rstrip("; \n"))
        assert told["bosh"] == f"https://{NAME}/http-bind"
        assert told["websocket"] == f"wss://{NAME}/xmpp-websocket"
        assert told["hosts"] == {"domain": NAME, "muc": ROOMS, "focus": f"focus.{NAME}"}
        front, room_page = await page(session, "/"), await page(session, "/some-room")
        assert front == room_page
        assert "<title>Stand-in for Jitsi Meet</title>" in front  # what the page includes
        assert "var config = " in front
        assert await page(session, "/external_api.js") == "// stand-in\n"
        colibri = f"wss://{NAME}/colibri-ws/default-id/1/2?pwd=3"
        async with session.ws_connect(colibri) as socket:
            assert not socket.closed


async def meet_with_accounts(lab: Lab) -> None:
    """Who has an account opens a room, and guests may come in; strangers open none."""
    room = f"members@{ROOMS}"
    async with (
        browser(lab) as session,
        Client(WebSocket(session, NAME), NAME) as stranger,
        Client(WebSocket(session, NAME), NAME) as wrong,
        Client(WebSocket(session, NAME), GUESTS) as guest,
        Client(Bosh(session, NAME), NAME) as member,
    ):
        with pytest.raises(RefusedError):
            await stranger.login()
        with pytest.raises(RefusedError, match="not-authorized"):
            await wrong.login("member", "wrong")
        await guest.login()
        with pytest.raises(RefusedError, match="not-authorized"):
            await opened(guest, room)
        with pytest.raises(RefusedError, match="not-allowed"):
            await guest.join(room, "guest")
        await member.login("member", PASSWORD)
        await opened(member, room)
        await member.join(room, "member")
        assert "member" in await guest.join(room, "guest")
        assert f'anonymousdomain": "{GUESTS}' in await page(session, "/config.js")


def assert_hardened(lab: Lab) -> None:
    """Java's units are judged as ours, though the bridge's is its package's."""
    for unit in ("jicofo", "jitsi-videobridge2"):
        assert lab.exposure("matrix", f"{unit}.service") <= 2.5


def test_video_conferences(everything: Everything) -> None:
    """They work for everybody, and then for people with accounts and their guests."""
    lab = everything.lab
    secret = lab.read("matrix", "/etc/homestead/secrets/turn").strip()
    asyncio.run(talk(lab, secret))
    listening = lab.shell("matrix", "ss -Hltn | awk '{print $4}'").split()
    for port in (5222, 5280, 8888, 9092, 9093):
        assert f"127.0.0.1:{port}" in listening
    assert not {"5269", "5281"} & {each.rpartition(":")[2] for each in listening}
    assert "udp dport != { 10000, 49152-49573 } drop" in lab.ssh(
        "matrix", "nft list table inet homestead_relay"
    )
    assert_hardened(lab)
    keys = lab.read("matrix", "/var/lib/homestead/well-known/client")
    for key in ("io.element.jitsi", "im.vector.riot.jitsi"):
        assert json.loads(keys)[key] == {"preferredDomain": NAME}
    members = {**everything.variables, "jitsi_authentication": "internal"}
    assert change(lab, "--tags", "components", **members).status == 0
    lab.shell("matrix", f"prosodyctl register member {NAME} {PASSWORD} >/dev/null")
    asyncio.run(meet_with_accounts(lab))
    assert change(lab, "--tags", "components", **everything.variables).status == 0
