# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a TURN server or a stranger sends over real sockets, a question ends and is bounded."""

from __future__ import annotations

import asyncio
import os
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal, cast

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.calls.check_turn import (
    check_turn,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    TurnServer,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire import stun
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.stun import (
    Kind,
    Message,
    Name,
    StunError,
    TransportAddress,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.turn_client import (
    TurnClient,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.internet import (
    LOCAL,
    Handler,
    serving,
    silence,
)

Send = Callable[[bytes], None]
Answer = Callable[[bytes, Send], None]
SEEN = TransportAddress.of("192.0.2.7", 4000)


def binding(question: bytes, *, transaction: bytes = b"", seen: TransportAddress = SEEN) -> bytes:
    """Write the answer to a Binding request, or to another one."""
    identity = transaction or stun.parse(question).transaction
    value = stun.encode_endpoint(seen, transaction=identity)
    attributes = ((int(Name.XOR_MAPPED_ADDRESS), value),)
    return stun.build(Message(Kind.BINDING_SUCCESS, identity, attributes))


class Server(asyncio.DatagramProtocol):
    """Answers each datagram as it is told to."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._answer(data, lambda answer: self._transport.sendto(answer, addr))


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    transport, _unused = await loop.create_datagram_endpoint(
        lambda: Server(answer), local_addr=(LOCAL, 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


async def bind(port: int, kind: Literal["udp", "tcp"], *, seconds: float = 0.5) -> str:
    """Ask for our address, and return it or the phrase that says why there is none."""
    network = Network(Guard.parse(["127.0.0.0/8"]), seconds=seconds)
    async with network.channel(LOCAL, port, kind=kind) as channel:
        try:
            return str(await TurnClient(channel).bind())
        except StunError as error:
            return str(error)


def well(question: bytes, send: Send) -> None:
    send(binding(question))


def after_strays(count: int) -> Answer:
    """Answer other questions first; what is sent again is answered as well."""

    def answer(question: bytes, send: Send) -> None:
        for _unused in range(count):
            send(binding(question, transaction=os.urandom(12)))
        send(binding(question))

    return answer


def cut(question: bytes, send: Send) -> None:
    send(binding(question)[:-4])


def longer(question: bytes, send: Send) -> None:
    send(binding(question) + bytes(4))


def false_length(question: bytes, send: Send) -> None:
    answer = binding(question)
    send(answer[:2] + b"\xff\xfc" + answer[4:])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(well, str(SEEN), id="well"),
        pytest.param(after_strays(7), str(SEEN), id="a few answers to other questions"),
        pytest.param(after_strays(200), "nothing answers", id="a flood of them"),
        pytest.param(cut, "the header announces 32 bytes, 28 came", id="cut short"),
        pytest.param(longer, "the header announces 32 bytes, 36 came", id="too long"),
        pytest.param(false_length, "the header announces 65552 bytes, 32 came", id="false length"),
    ],
)
def test_over_udp(answer: Answer, said: str) -> None:
    async def asked() -> str:
        async with answering(answer) as port:
            return await bind(port, "udp")

    started = time.monotonic()
    assert asyncio.run(asked()) == said
    assert time.monotonic() - started < 10


def test_an_answer_from_another_address_is_none() -> None:
    """A stranger sees the question, and answers it sooner than the server, with an address."""
    false = TransportAddress.of("203.0.113.66", 66)

    async def asked() -> str:
        loop = asyncio.get_running_loop()
        stranger, _unused = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.66", 0)
        )

        class Overheard(Server):
            def datagram_received(self, data: bytes, addr: Any) -> None:
                stranger.sendto(binding(data, seen=false), addr)
                loop.call_later(0.1, self._transport.sendto, binding(data), addr)

        transport, _unused_too = await loop.create_datagram_endpoint(
            lambda: Overheard(well), local_addr=(LOCAL, 0)
        )
        try:
            return await bind(transport.get_extra_info("sockname")[1], "udp")
        finally:
            transport.close()
            stranger.close()

    assert asyncio.run(asked()) == str(SEEN)


def test_a_flood_is_not_kept() -> None:
    """What is not waited for is dropped beyond a bound."""

    def flood(question: bytes, send: Send) -> None:
        for _unused in range(1000):
            send(binding(question, transaction=os.urandom(12)))

    async def asked() -> int:
        network = Network(Guard.parse(["127.0.0.0/8"]), seconds=0.5)
        async with answering(flood) as port, network.channel(LOCAL, port, kind="udp") as channel:
            await channel.exchange(stun.build(Message(Kind.BINDING, os.urandom(12))))
            await asyncio.sleep(0.2)
            kept = 0
            while kept < 1000 and await asyncio.wait_for(_next(channel), 4):
                kept += 1
            return kept

    assert asyncio.run(asked()) <= 64


async def _next(channel: Any) -> bytes:
    try:
        return cast("bytes", await asyncio.wait_for(channel.exchange(b""), 0.2))
    except asyncio.TimeoutError:
        return b""


def stream(answer: bytes) -> Handler:
    """Answer the first question over a stream, and then say nothing more."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = await reader.readexactly(stun.HEADER_BYTES)
        writer.write(answer or binding(question))
        await silence(reader, writer)

    return handle


async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer other questions without end."""
    question = await reader.readexactly(stun.HEADER_BYTES)
    while not writer.is_closing():
        writer.write(binding(question, transaction=os.urandom(12)))
        await writer.drain()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Announce a long message, and send it a byte at a time."""
    question = await reader.readexactly(stun.HEADER_BYTES)
    writer.write(binding(question)[:2] + struct.pack("!H", 0xFFFC) + binding(question)[4:])
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        pytest.param(stream(b""), str(SEEN), id="well"),
        pytest.param(
            stream(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            "the header is not one of STUN",
            id="another protocol",
        ),
        pytest.param(stream(b"\x01\x01\xff\xfc"), "nothing answers", id="half a header"),
        pytest.param(
            stream(b"\x01\x01\xff\xfc\x21\x12\xa4\x42" + bytes(12)),
            "nothing answers",
            id="a long message that never comes",
        ),
        pytest.param(drip, "nothing answers", id="a long message that comes slowly"),
        pytest.param(babble, "nothing answers", id="answers to other questions"),
        pytest.param(silence, "nothing answers", id="silence"),
    ],
)
def test_over_tcp(handler: Handler, said: str) -> None:
    async def asked() -> str:
        async with serving(handler) as port:
            return await bind(port, "tcp")

    started = time.monotonic()
    assert asyncio.run(asked()) == said
    assert time.monotonic() - started < 10


def test_a_whole_check_of_a_server_that_floods_ends() -> None:
    async def looked() -> set[tuple[str, str]]:
        network = Network(Guard.parse(["127.0.0.0/8"]), seconds=0.5)
        async with answering(after_strays(500)) as port, serving(babble) as other:
            uris = [f"turn:{LOCAL}:{port}?transport=udp", f"turn:{LOCAL}:{other}?transport=tcp"]
            found = await check_turn(network, TurnServer.of({"uris": uris}), None)
            return {(item.verdict, item.id) for item in found}

    started = time.monotonic()
    assert asyncio.run(looked()) == {("error", "turn.server"), ("skipped", "turn.credentials")}
    assert time.monotonic() - started < 10
