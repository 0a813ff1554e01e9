# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small, ill-behaved internet on 127.0.0.1 for the real transport."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LOCAL = "127.0.0.1"


def answer(body: bytes = b"{}", *lines: str, status: str = "200 OK") -> bytes:
    """Write an HTTP answer with exactly these header lines."""
    head = [f"HTTP/1.1 {status}", *lines, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode("latin-1") + body


def web(pages: Mapping[str, bytes], asked: list[bytes] | None = None) -> Handler:
    """Answer each path with raw bytes; a path that is not there gets nothing at all."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if asked is not None:
            asked.append(head)
        writer.write(pages.get(head.split()[1].decode(), b""))
        await writer.drain()
        writer.close()

    return handle


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take everything and say nothing."""
    while await reader.read(1024):
        pass
    writer.close()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a body that never ends, one byte at a time."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await asyncio.sleep(0.05)


async def headers_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send header lines as long as somebody reads."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X-Filler: " + b"x" * 4096 + b"\r\n")
        await asyncio.sleep(0)


@asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve on a free port."""

    async def shielded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(shielded, LOCAL, 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def _records(line: str) -> dns.rrset.RRset:
    name, seconds, rdclass, kind, value = line.split(" ", 4)
    return dns.rrset.from_text(name, int(seconds), rdclass, kind, value)


class NameServer(asyncio.DatagramProtocol):
    """Answers from a zone of "name kind" -> records; None means no answer, str a response code."""

    def __init__(self, zone: Mapping[str, list[str] | str | None]) -> None:
        self._zone = zone
        self.asked: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        name, kind = query.question[0].name.to_text(), query.question[0].rdtype.name
        self.asked.append(f"{name} {kind}")
        found = self._zone.get(f"{name} {kind}", "NXDOMAIN")
        if found is None:
            return
        reply = dns.message.make_response(query, recursion_available=True)
        if isinstance(found, str):
            reply.set_rcode(dns.rcode.from_text(found))
        else:
            reply.answer = [_records(line) for line in found]
        self._transport.sendto(reply.to_wire(), addr)


@asynccontextmanager
async def naming(zone: Mapping[str, list[str] | str | None]) -> AsyncIterator[str]:
    """Serve a zone; yields the name server's address."""
    loop = asyncio.get_running_loop()
    transport, _unused = await loop.create_datagram_endpoint(
        lambda: NameServer(zone), local_addr=(LOCAL, 0)
    )
    try:
        yield f"{LOCAL}:{transport.get_extra_info('sockname')[1]}"
    finally:
        transport.close()
