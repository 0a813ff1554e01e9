# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TURN client that is not ours relays data, with the credentials that the homeserver gives."""

from __future__ import annotations

import asyncio
import ssl
from functools import cache

import pytest
from aioice import turn
from ansible_collections.homestead.matrix.tests.lab.labs import HOSTNAME, Lab
from ansible_collections.homestead.matrix.tests.lab.runs import wait_until
from conftest import Story


class Inbox(asyncio.DatagramProtocol):
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.arrived.put_nowait((data, addr))


Relayed = tuple[asyncio.DatagramTransport, Inbox]


@cache
def credentials(lab: Lab) -> dict[str, str]:
    """Return what the homeserver gives to a client."""
    given: dict[str, str] = lab.module("matrix", "homestead.matrix.turn_credentials")["credentials"]
    return given


async def allocate(lab: Lab, transport: str, port: int, *, tls: bool = False) -> Relayed:
    """Borrow a relay, and return the way to send and to receive through it."""
    context = ssl.create_default_context(cafile=str(lab.authorities)) if tls else False
    if isinstance(context, ssl.SSLContext):
        context.check_hostname = False  # the address is dialled; the verifier judges the name
    channel, inbox = await turn.create_turn_endpoint(
        Inbox,
        server_addr=(lab.address(HOSTNAME), port),
        username=credentials(lab)["username"],
        password=credentials(lab)["password"],
        transport=transport,
        ssl=context,
    )
    return channel, inbox


async def relay(lab: Lab, transport: str, port: int, *, tls: bool) -> None:
    """Let two clients of the relay, each behind an allocation, send each other a datagram."""
    ends = [await allocate(lab, transport, port, tls=tls) for _end in range(2)]
    (left, left_inbox), (right, right_inbox) = ends
    left_address, right_address = left.get_extra_info("sockname"), right.get_extra_info("sockname")
    for relayed in (left_address, right_address):
        assert 49152 <= relayed[1] <= 49573
    left.sendto(b"from left", right_address)  # binds the channel, and with it the permission
    right.sendto(b"from right", left_address)
    for _attempt in range(10):
        left.sendto(b"ping", right_address)
        right.sendto(b"pong", left_address)
        await asyncio.sleep(0.1)
    assert (await asyncio.wait_for(right_inbox.arrived.get(), 5))[1] == left_address
    assert (await asyncio.wait_for(left_inbox.arrived.get(), 5))[1] == right_address
    left.close()
    right.close()


@pytest.mark.parametrize(
    ("transport", "port", "tls"),
    [
        pytest.param("udp", 3478, False, id="UDP"),
        pytest.param("tcp", 3478, False, id="TCP"),
        pytest.param("tcp", 5349, True, id="TLS"),
    ],
)
def test_relay_carries_data(story: Story, lab: Lab, transport: str, port: int, tls: bool) -> None:
    assert story.first.status == 0
    asyncio.run(relay(lab, transport, port, tls=tls))


LISTEN = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as service:
    service.bind(("", 9999))
    service.settimeout(20)
    print(service.recv(100).decode(), flush=True)
"""
SAY = 'python3 -c \'import socket; socket.socket(2, 2).sendto(b"from within", ("{}", 9999))\''


async def knock(lab: Lab, port: int) -> None:
    """Send datagrams through a relay to a service of the host that is closed to strangers."""
    channel, _inbox = await allocate(lab, "udp", 3478)
    for _attempt in range(5):
        channel.sendto(b"through the relay", (lab.address(HOSTNAME), port))
        await asyncio.sleep(0.2)
    channel.close()


def test_no_service_of_the_host_is_reached_through_the_relay(story: Story, lab: Lab) -> None:
    assert story.first.status == 0
    service = lab.begin("matrix", "python3", "-c", LISTEN)
    wait_until(lambda: "9999" in lab.shell("matrix", "ss -Hlun"), seconds=20)
    asyncio.run(knock(lab, 9999))
    lab.shell("matrix", SAY.format(lab.address(HOSTNAME)))
    assert service.communicate(timeout=30)[0] == b"from within\n"
