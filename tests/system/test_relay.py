# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TURN client that is not ours relays data, with the credentials that the homeserver gives."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from aioice import turn
from ansible_collections.homestead.matrix.tests.lab.labs import HOSTNAME, Lab
from conftest import Story


class Inbox(asyncio.DatagramProtocol):
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.arrived.put_nowait((data, addr))


async def relay(lab: Lab, transport: str, port: int, *, tls: bool) -> None:
    """Let two clients of the relay, each behind an allocation, send each other a datagram."""
    credentials = lab.module("matrix", "homestead.matrix.turn_credentials")["credentials"]
    assert isinstance(credentials, dict)
    address = lab.address(HOSTNAME)
    context = ssl.create_default_context(cafile=str(lab.authorities)) if tls else False
    if isinstance(context, ssl.SSLContext):
        context.check_hostname = False  # the address is dialled; the verifier judges the name

    async def allocate() -> tuple[asyncio.DatagramTransport, Inbox]:
        channel, inbox = await turn.create_turn_endpoint(
            Inbox,
            server_addr=(address, port),
            username=str(credentials["username"]),
            password=str(credentials["password"]),
            transport=transport,
            ssl=context,
        )
        return channel, inbox

    (left, left_inbox), (right, right_inbox) = await allocate(), await allocate()
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
