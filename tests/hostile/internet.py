# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers on 127.0.0.0/8, in a thread beside the tests."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from ansible_collections.homestead.matrix.tests.hostile.behaviours import Handler
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify import healthy
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.authority import (
    Authority,
)

EVERYWHERE = "0.0.0.0"  # all of 127.0.0.0/8


class Datagrams(asyncio.DatagramProtocol):
    """Answers each datagram with several."""

    def __init__(self, answer: Callable[[bytes], list[bytes]]) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for message in self._answer(data.ljust(20, b"\0")):
            self._transport.sendto(message, addr)


class Internet:
    """Servers in a thread of their own; `ports` tells where they stand."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, cast("dict[str, int]", {})
        self.authority = Authority.make()
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda _loop, _context: None)
        self.ca_file = self.authority.write(folder)

    @classmethod
    @contextmanager
    def up(cls, folder: Path) -> Iterator[Internet]:
        internet = cls(folder)
        thread = threading.Thread(target=internet._loop.run_forever)
        thread.start()
        try:
            yield internet
        finally:
            with suppress(TimeoutError):
                internet._run(internet._end())
            internet._loop.call_soon_threadsafe(internet._loop.stop)
            thread.join()
            internet._loop.close()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def context(self, *names: str) -> ssl.SSLContext:
        return self.authority.issue(*(names or ("example.com", "*.example.com"))).context(
            self.folder
        )

    def serve(self, key: str, handler: Handler, context: ssl.SSLContext | None = None) -> None:
        """Let a handler stand in place of a TCP port."""

        async def shielded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await handler(reader, writer)
            writer.close()

        starting = asyncio.start_server(shielded, EVERYWHERE, 0, ssl=context)
        server: asyncio.Server = self._run(starting)
        self.ports[key] = server.sockets[0].getsockname()[1]

    def hear(self, key: str, answer: Callable[[bytes], list[bytes]]) -> int:
        """Let a function answer the datagrams of a UDP port."""
        starting = self._loop.create_datagram_endpoint(
            lambda: Datagrams(answer), local_addr=("127.0.0.1", 0)
        )
        port: int = self._run(starting)[0].get_extra_info("sockname")[1]
        self.ports[key] = port
        return port

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)


def healthy_pages(scheme: str) -> Mapping[str, bytes]:
    """Return what the healthy server of the unit tests answers to each path."""
    pages = {}
    for key, reply in healthy.replies().items():
        method, _space, url = key.rpartition(" ")
        if not url.startswith(f"{scheme}:"):
            continue
        lines = [f"{name}: {value}" for name, value in reply.headers]
        lines.append(f"Content-Length: {len(reply.body)}")
        head = "\r\n".join([f"HTTP/1.1 {reply.status} X", *lines, "", ""]).encode()
        host, path = url.split("/", 3)[2:]
        pages[f"{method or 'GET'} {host.split(':')[0]} /{path}"] = head + reply.body
    return pages


def serving(pages: Mapping[str, bytes]) -> Handler:
    """Serve pages by method, host and path."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, path = head.split()[:2]
        host = head.split("Host: ")[1].split("\r\n")[0].split(":")[0]
        found = pages.get(f"{method} {host} {path}")
        writer.write(found or b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    return handle
