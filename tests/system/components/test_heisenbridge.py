# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge to IRC, and real people who talk through it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import nio
from ansible_collections.homestead.matrix.tests.lab.components.together import Everything
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, Lab
from ansible_collections.homestead.matrix.tests.lab.runs import wait_until
from people import PASSWORD, Gate, has_message, ok, say, until

IRC = "vantage"
"""The host of the lab on which an IRC server runs."""
NGIRCD = """
[Global]
Name = irc.vantage.test
Info = An IRC server of the lab
[Options]
DNS = no
Ident = yes
PAM = no
"""
SECOND = f"@ircsecond:{DOMAIN}"
BOT = f"@heisenbridge:{DOMAIN}"


def takes_connections(server: str) -> bool:
    try:
        socket.create_connection((server, 6667), timeout=2).close()
    except OSError:
        return False
    return True


@contextmanager
def irc_server(lab: Lab) -> Iterator[str]:
    """Run Debian's ngircd, which asks back who connects, and give its address."""
    lab.write(IRC, "/tmp/ngircd.conf", NGIRCD)
    lab.shell(
        IRC,
        "mkdir -p /etc/ngircd && cp /tmp/ngircd.conf /etc/ngircd/ngircd.conf && apt-get -qq update"
        " && DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Options::=--force-confold "
        "install --no-install-recommends ngircd >/dev/null && systemctl restart ngircd",
    )
    wait_until(lambda: takes_connections(lab.host_address(IRC)), seconds=20)
    try:
        yield lab.host_address(IRC)
    finally:
        lab.shell(IRC, "DEBIAN_FRONTEND=noninteractive apt-get -qq purge ngircd >/dev/null")


@dataclass
class IrcUser:
    """Somebody on IRC, at the level of lines (RFC 2812)."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, line: str) -> None:
        self.writer.write(f"{line}\r\n".encode())

    async def hear(self, words: str) -> str:
        """Return the next line with these words, at most 30 seconds later."""
        async with asyncio.timeout(30):
            while line := (await self.reader.readline()).decode().strip():
                if line.startswith("PING"):
                    self.send(line.replace("PING", "PONG", 1))
                if words in line:
                    return line
        raise AssertionError(f"the IRC server hung up before {words}")


async def joined(client: nio.AsyncClient, known: set[str]) -> str:
    """Accept the bridge's next invitation and return its room."""

    async def invited() -> bool:
        sync = ok(await client.sync(timeout=500, full_state=True))
        found.extend(set(sync.rooms.invite) - known)
        return bool(found)

    found: list[str] = []
    await until(invited, "an invitation of the bridge")
    ok(await client.join(found[0]))
    known.add(found[0])
    return found[0]


async def told(client: nio.AsyncClient, room: str, words: str, answer: str) -> None:
    """Say something to the bridge and wait for its answer."""
    await say(client, room, words)
    await until(lambda: has_message(client, room, answer), answer)


async def talk_to_irc(lab: Lab, server: str, network: str) -> str:
    """Talk from Matrix to IRC and back, and return what IRC knows of who did so."""
    reader, writer = await asyncio.open_connection(server, 6667)
    bob = IrcUser(reader, writer)
    bob.send("NICK bob\r\nUSER bob 0 * :Bob")
    await bob.hear(" 001 ")
    bob.send("JOIN #lab")
    async with Gate(lab).client("ircsecond", DOMAIN) as alice:
        ok(await alice.login(PASSWORD))
        known: set[str] = set()
        control = ok(await alice.room_create(is_direct=True, invite=[BOT])).room_id
        await until(lambda: has_message(alice, control, "Howdy, stranger!"), "the greeting")
        await told(alice, control, f"ADDNETWORK {network}", "Network added.")
        await told(alice, control, f"IDENT set {SECOND} somebody", "Set custom ident")
        await told(alice, control, f"ADDSERVER {network} {server} 6667", "Server added.")
        await say(alice, control, f"OPEN {network}")
        room = await joined(alice, known)
        await say(alice, room, f"NICK {network}")
        await told(alice, room, "CONNECT", "Welcome to the Internet Relay Network")
        await say(alice, room, "JOIN #lab")
        channel = await joined(alice, known)
        await bob.hear(f":{network}!")
        await say(alice, channel, "hello IRC")
        assert network in await bob.hear("PRIVMSG #lab :hello IRC")
        bob.send("PRIVMSG #lab :hello Matrix")
        await until(lambda: has_message(alice, channel, "hello Matrix"), "the answer from IRC")
        bob.send(f"WHOIS {network}")
        identity = await bob.hear(" 311 ")
    writer.close()
    return identity


async def has_been_invited(lab: Lab, name: str) -> bool:
    """Tell whether the bridge has asked its owner for a chat."""
    async with Gate(lab).client(name, DOMAIN) as owner:
        ok(await owner.login(PASSWORD))
        rooms = ok(await owner.sync(timeout=0, full_state=True)).rooms.invite
        return any(event.sender == BOT for room in rooms.values() for event in room.invite_state)


def test_the_bridge_to_irc(everything: Everything) -> None:
    """People talk through it, IRC learns who they are, and what they set up is in the database."""
    lab = everything.lab
    network = f"lab{os.getpid() % 10**6}"  # the server may remember that of a run before
    with irc_server(lab) as server:
        identity = asyncio.run(talk_to_irc(lab, server, network))
    assert f" {network} somebody " in identity  # with ~ if nobody had answered ident
    assert asyncio.run(has_been_invited(lab, everything.owner[1:].partition(":")[0]))
    assert lab.exposure("matrix", "heisenbridge.service") <= 2.5
    assert lab.shell("matrix", "ss -Hltn sport = :9898").split()[3] == "127.0.0.1:9898"
    kept = "select content from account_data where account_data_type = 'irc'"
    settings = lab.ssh("matrix", f'runuser -u matrix-synapse -- psql -At synapse -c "{kept}"')
    assert json.loads(settings)["owner"] == everything.owner
    assert network in json.loads(settings)["networks"]
