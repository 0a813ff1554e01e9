# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One probe per kind of port: each speaks the port's own protocol, and says what it saw."""

from __future__ import annotations

import itertools
import os
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..together import Sight
from ..wire import stun
from ..wire.dtls import Greeting, greet
from ..wire.silence import LONGEST, RoundTrips, Trip, repeated
from ..wire.stun import Kind, Message, StunError
from ..wire.transport import Channel, Connection, Fault, Request, Transport
from ..wire.turn_client import missing as missing_of_stun
from .dns_messages import dns_question, is_dns_answer, missing_of_dns

State = Literal[
    "answers", "open", "refused", "filtered", "silent", "unreachable", "no_route", "private"
]
"""`answers`: it speaks its protocol. `open`: it accepts, and speaks another or nothing."""

_FAULTS: dict[str, State] = {
    "refused": "refused",
    "timeout": "filtered",
    "unreachable": "unreachable",
    "no_route": "no_route",
    "private": "private",
}
_CONNECTIONS: dict[str, State] = {"open": "answers", "timeout": "filtered"}
_EXCERPT = 100
_PIECE = 512
_DATAGRAMS_SECONDS = 3.0


@dataclass(frozen=True)
class Place:
    """Where a probe knocks, and by which name; with `trips`, silence is waited for no longer."""

    transport: Transport
    host: str
    address: str
    port: int
    trips: RoundTrips | None = None

    @property
    def trip(self) -> Trip | None:
        return self.trips.to(self.address) if self.trips else None


@dataclass(frozen=True)
class Seen:
    """What a probe saw."""

    state: State
    what: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    sights: tuple[Sight, ...] = ()
    """What else the probe found out, beside whether the port is open."""


Probe = Callable[[Place], Awaitable[Seen]]


async def knock(place: Place) -> Seen:
    """Connect over TCP a few times until something comes back, without saying anything."""

    def attempt() -> Awaitable[Connection]:
        return place.transport.connect(place.address, place.port, patience=LONGEST)

    found = await repeated(attempt, decided=lambda seen: seen.state != "timeout", trip=place.trip)
    if found is None:
        return Seen("filtered", "a connection")
    facts = {"milliseconds": found.milliseconds}
    return Seen(_CONNECTIONS.get(found.state) or _FAULTS[found.state], "a connection", facts)


async def whisper(place: Place, payloads: Sequence[bytes] = (b"\0",)) -> Seen:
    """Send one byte over UDP, or whatever else: an answer tells something, silence nothing."""
    turns = itertools.cycle(payloads)

    async def attempt() -> Seen:
        async with place.transport.channel(place.address, place.port, kind="udp") as channel:
            answer = await channel.exchange(next(turns))
            return _spoken(channel, answer, what="anything", right=bool(answer))

    return await _until_heard(place, attempt) or Seen("silent", "anything")


async def _until_heard(place: Place, attempt: Callable[[], Awaitable[Seen]]) -> Seen | None:
    """Say something over UDP a few times until something comes back."""
    return await repeated(
        attempt,
        decided=lambda seen: seen.state != "silent",
        trip=place.trip,
        longest=_DATAGRAMS_SECONDS,
    )


PLAIN: Mapping[str, Probe] = {"tcp": knock, "udp": whisper}
"""What is tried by protocol where no service is known."""


async def ssh(place: Place) -> Seen:
    """Expect an SSH server's greeting (RFC 4253 section 4.2)."""
    return await _greeting(place, b"SSH-2.0-", what="SSH")


async def http(place: Place) -> Seen:
    """Ask a web server for its first page, without TLS (RFC 9112)."""
    question = f"GET / HTTP/1.1\r\nHost: {place.host}\r\nConnection: close\r\n\r\n"
    async with place.transport.channel(place.address, place.port, kind="tcp") as channel:
        answer = await channel.exchange(question.encode(), missing=_one_piece)
        return _spoken(
            channel, answer, what="HTTP", right=answer.startswith(b"HTTP/1."), stream=True
        )


async def https(place: Place) -> Seen:
    """Ask a homeserver for its versions over TLS."""
    return await _fetched(place, "/_matrix/client/versions")


async def federation(place: Place) -> Seen:
    """Ask a homeserver for its keys over TLS."""
    return await _fetched(place, "/_matrix/key/v2/server")


async def stun_udp(place: Place) -> Seen:
    return await _stun(place, "udp")


async def stun_tcp(place: Place) -> Seen:
    return await _stun(place, "tcp")


async def stun_tls(place: Place) -> Seen:
    return await _stun(place, "tls")


async def dtls(place: Place) -> Seen:
    """Say hello in DTLS and expect an answer."""
    greeting = await greet(place.transport, place.address, place.port)
    return _spoken(greeting, greeting.answer, what="DTLS", right=greeting.is_hello)


async def ident(place: Place) -> Seen:
    """Ask who uses ports that nobody uses (RFC 1413)."""
    async with place.transport.channel(place.address, place.port, kind="tcp") as channel:
        answer = await channel.exchange(b"0, 0\r\n", missing=_one_piece)
        return _spoken(channel, answer, what="ident", right=b"ERROR" in answer, stream=True)


async def dns_udp(place: Place) -> Seen:
    """Ask a name server for the host's own name."""

    async def attempt() -> Seen:
        async with place.transport.channel(place.address, place.port, kind="udp") as channel:
            question = dns_question(place.host, os.urandom(2))
            answer = await channel.exchange(question)
            right = is_dns_answer(answer, question)
            return _spoken(channel, answer, what="DNS", right=right)

    return await _until_heard(place, attempt) or Seen("silent", "DNS")


async def dns_tcp(place: Place) -> Seen:
    """Ask the same over TCP, where a length comes first (RFC 1035 section 4.2.2)."""
    async with place.transport.channel(place.address, place.port, kind="tcp") as channel:
        question = dns_question(place.host, os.urandom(2))
        framed = struct.pack("!H", len(question)) + question
        answer = await channel.exchange(framed, missing=missing_of_dns)
        right = is_dns_answer(answer[2:], question)
        return _spoken(channel, answer, what="DNS", right=right, stream=True)


async def _greeting(place: Place, beginning: bytes, *, what: str) -> Seen:
    connection = await place.transport.connect(place.address, place.port, banner=True)
    if connection.state != "open":
        return Seen(_CONNECTIONS.get(connection.state) or _FAULTS[connection.state], what)
    facts = {"greeting": _text(connection.banner), "milliseconds": connection.milliseconds}
    return Seen("answers" if connection.banner.startswith(beginning) else "open", what, facts)


async def _fetched(place: Place, path: str) -> Seen:
    """Fetch a page; a certificate that nobody trusts is another check's business."""
    url = f"https://{place.host}:{place.port}{path}"
    exchange = await place.transport.request(Request(url, address=place.address))
    facts = {"url": url, "status": exchange.status, "milliseconds": exchange.milliseconds}
    if exchange.status:
        return Seen("answers", "HTTPS", facts)
    return Seen(failed(exchange.error), "HTTPS", {**facts, "error": str(exchange.error)})


def failed(fault: Fault | None) -> State:
    """Return what a fault says of a port; one of the protocol still means that it is open."""
    return _FAULTS.get(fault.kind, "open") if fault else "open"


async def _stun(place: Place, kind: Literal["udp", "tcp", "tls"]) -> Seen:
    request = Message(Kind.BINDING, os.urandom(stun.TRANSACTION_BYTES))
    async with place.transport.channel(
        place.address, place.port, kind=kind, name=place.host
    ) as channel:
        answer = await channel.exchange(stun.build(request), missing=missing_of_stun)
        return _spoken(
            channel,
            answer,
            what="STUN",
            right=_is_stun_answer(answer, request),
            stream=kind != "udp",
        )


def _is_stun_answer(answer: bytes, request: Message) -> bool:
    try:
        return stun.parse(answer).same_transaction(request)
    except StunError:
        return False


def _spoken(
    channel: Channel | Greeting, answer: bytes, *, what: str, right: bool, stream: bool = False
) -> Seen:
    """Judge an answer; over a stream silence is no sign of a firewall, because it is open."""
    if right:
        return Seen("answers", what)
    if answer:
        return Seen("open", what, {"answer": _text(answer)})
    if channel.fault:
        return Seen(failed(channel.fault), what, {"error": str(channel.fault)})
    return Seen("open" if stream else "silent", what)


def _one_piece(received: bytes) -> int:
    """Ask for whatever comes first, up to a bound."""
    return 0 if received else _PIECE


def _text(data: bytes) -> str:
    return data[:_EXCERPT].decode("utf-8", "backslashreplace").strip()
