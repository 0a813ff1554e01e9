# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP/1.1 exchange over an open stream, bounded, with the header lines as they came."""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..findings import shortened
from .coding import decoded
from .transport import KIB, Exchange, Fault, Request

if TYPE_CHECKING:
    import h11

HEADERS_LIMIT = 64 * KIB
"""How large the header may be; what came with its end may exceed it by a piece of 16 KiB."""
LINES_LIMIT = 200
INTERIM_LIMIT = 10
_REASON = 200
_CHUNK = 16 * KIB
_PORTS = {"https": 443, "http": 80}
_CONTINUE = 100
_HTTP2_FRAME = 9
_HTTP2_FIRST = (4, 7)  # SETTINGS, or GOAWAY right away (RFC 9113 sections 3.4 and 6)
USER_AGENT = "homestead.matrix-verify"


@dataclass(frozen=True)
class Target:
    """Where a URL points: the host without brackets, the port, and what to ask there."""

    host: str
    port: int
    path: str
    host_header: str
    secure: bool = True

    @classmethod
    def parse(cls, url: str) -> Target:
        """Take an https or http URL apart or raise ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"{url[:200]!r} is neither an https nor an http URL")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host_header = parts.netloc.rpartition("@")[2]
        port = parts.port or _PORTS[parts.scheme]
        return cls(parts.hostname, port, path, host_header, parts.scheme == "https")


class Http2Error(Exception):
    """The server speaks HTTP/2 without having been asked to."""


async def converse(reader: StreamReader, writer: StreamWriter, request: Request) -> Exchange:
    """Send the request and read its answer up to the limit."""
    import h11

    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADERS_LIMIT)
    exchange = Exchange(request)
    try:
        writer.write(_encoded(connection, request))
        await writer.drain()
        head = await _head(connection, reader, announced=bool(request.announced))
        exchange = _answered(request, head)
        if isinstance(head, h11.InformationalResponse):
            return exchange
        return await _with_body(connection, reader, exchange)
    except Http2Error:
        return replace(exchange, error=Fault("alpn", "the server speaks HTTP/2 only"))
    except h11.ProtocolError as error:
        reason = shortened(str(error), _REASON)
        return replace(exchange, error=Fault("protocol", f"this is not HTTP ({reason})"))


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
    events: list[h11.Event] = [h11.Data(data=request.body), h11.EndOfMessage()]
    if request.announced:
        headers += [("Content-Length", str(request.announced)), ("Expect", "100-continue")]
        events.clear()
    elif request.body or request.method == "POST":
        headers.append(("Content-Length", str(len(request.body))))
    events.insert(0, h11.Request(method=request.method, target=target.path, headers=headers))
    return b"".join(connection.send(event) or b"" for event in events)


async def _next(connection: h11.Connection, reader: StreamReader) -> object:
    """Return the next event, reading more only when it is needed."""
    import h11

    while (event := connection.next_event()) is h11.NEED_DATA:
        data = await reader.read(_CHUNK)
        is_first = connection.their_state is h11.SEND_RESPONSE and not connection.trailing_data[0]
        if is_first and is_http2(data):
            raise Http2Error
        connection.receive_data(data)
    return event


def is_http2(data: bytes) -> bool:
    """Tell the first frame of an HTTP/2 server from a line of text (RFC 9113 section 4.1)."""
    return len(data) >= _HTTP2_FRAME and data[3] in _HTTP2_FIRST and data[5:9] == bytes(4)


async def _head(
    connection: h11.Connection, reader: StreamReader, *, announced: bool
) -> h11.Response | h11.InformationalResponse:
    """Skip interim answers, but the leave to send what was announced, and return the real one."""
    import h11

    for _unused in range(INTERIM_LIMIT + 1):
        event = await _next(connection, reader)
        if isinstance(event, h11.ConnectionClosed):
            raise h11.RemoteProtocolError("the connection was closed without an answer")
        if isinstance(event, h11.Response):
            return _bounded(event)
        if announced and isinstance(event, h11.InformationalResponse) and _is_leave(event):
            return event
    raise h11.RemoteProtocolError(f"there are more than {INTERIM_LIMIT} interim answers")


def _bounded(head: h11.Response) -> h11.Response:
    """Return the header if it has a bearable number of lines."""
    import h11

    if len(head.headers) > LINES_LIMIT:
        raise h11.RemoteProtocolError(f"there are more than {LINES_LIMIT} header lines")
    return head


def _is_leave(event: h11.InformationalResponse) -> bool:
    """Whether it is 100 Continue (RFC 9110 section 15.2.1)."""
    return event.status_code == _CONTINUE


def _answered(request: Request, head: h11.Response | h11.InformationalResponse) -> Exchange:
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
            return _limited(exchange, bytes(body))
    try:
        content = decoded(bytes(body), exchange.header("Content-Encoding"), limit=limit)
    except ValueError as error:
        return replace(exchange, body=bytes(body), error=Fault("protocol", str(error)))
    return _limited(exchange, content)


def _limited(exchange: Exchange, body: bytes) -> Exchange:
    limit = exchange.request.limit
    if len(body) <= limit:
        return replace(exchange, body=body)
    error = Fault("too_large", f"the body is larger than {limit // KIB} KiB")
    return replace(exchange, body=body[:limit], error=error)
