# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP/1.1 exchange over an open stream, bounded, with the header lines as they came."""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .transport import KIB, Exchange, Fault, Request

if TYPE_CHECKING:
    import h11

HEADERS_LIMIT = 64 * KIB
_CHUNK = 16 * KIB
USER_AGENT = "homestead.matrix-verify"


@dataclass(frozen=True)
class Target:
    """Where a URL points: the host without brackets, the port, and what to ask there."""

    host: str
    port: int
    path: str
    host_header: str

    @classmethod
    def parse(cls, url: str) -> Target:
        """Take an https URL apart or raise ValueError."""
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError(f"{url[:200]!r} is not an https URL")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host_header = parts.netloc.rpartition("@")[2]
        return cls(parts.hostname, parts.port or 443, path, host_header)


async def converse(reader: StreamReader, writer: StreamWriter, request: Request) -> Exchange:
    """Send the request and read its answer up to the limit."""
    import h11

    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADERS_LIMIT)
    exchange = Exchange(request)
    try:
        writer.write(_encoded(connection, request))
        await writer.drain()
        head = await _head(connection, reader)
        exchange = _answered(request, head)
        return await _with_body(connection, reader, exchange)
    except h11.ProtocolError as error:
        return replace(exchange, error=Fault("protocol", f"this is not HTTP ({error})"))


def _encoded(connection: h11.Connection, request: Request) -> bytes:
    import h11

    target = Target.parse(request.url)
    headers = [
        ("Host", request.host_header or target.host_header),
        ("User-Agent", USER_AGENT),
        ("Accept", "*/*"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
        *request.headers,
    ]
    if request.body or request.method == "POST":
        headers.append(("Content-Length", str(len(request.body))))
    events = [
        h11.Request(method=request.method, target=target.path, headers=headers),
        h11.Data(data=request.body),
        h11.EndOfMessage(),
    ]
    return b"".join(connection.send(event) or b"" for event in events)


async def _next(connection: h11.Connection, reader: StreamReader) -> object:
    """Return the next event, reading more only when it is needed."""
    import h11

    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(_CHUNK))
    return event


async def _head(connection: h11.Connection, reader: StreamReader) -> h11.Response:
    """Skip interim answers and return the real one."""
    import h11

    while not isinstance(event := await _next(connection, reader), h11.Response):
        if isinstance(event, h11.ConnectionClosed):
            raise h11.RemoteProtocolError("the connection was closed without an answer")
    return event


def _answered(request: Request, head: h11.Response) -> Exchange:
    lines = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in head.headers.raw_items()
    ]
    version = f"HTTP/{head.http_version.decode('ascii')}"
    return Exchange(request, status=head.status_code, headers=tuple(lines), http_version=version)


async def _with_body(
    connection: h11.Connection, reader: StreamReader, exchange: Exchange
) -> Exchange:
    import h11

    body, limit = bytearray(), exchange.request.limit
    while isinstance(event := await _next(connection, reader), h11.Data):
        body += event.data
        if len(body) > limit:
            error = Fault("too_large", f"the body is larger than {limit // KIB} KiB")
            return replace(exchange, body=bytes(body[:limit]), error=error)
    return replace(exchange, body=bytes(body))
