# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TURN server that exists only in memory, and does wrong what it is told to do wrong."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire import stun
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.channels import (
    ClosedChannel,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.stun import (
    Kind,
    Message,
    Name,
    TransportAddress,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Certificate,
    Channel,
    Fault,
    Missing,
    anything,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    FakeTransport,
    Record,
)

USERNAME = "1700000000:homestead-verify"
REALM = "turn.example.com"
EXPIRED_USERNAME = "1500000000:homestead-verify"
CREDENTIALS: dict[str, Any] = {
    "username": USERNAME,
    "password": stun.rest_password(USERNAME, "north"),
    "expired": {
        "username": EXPIRED_USERNAME,
        "password": stun.rest_password(EXPIRED_USERNAME, "north"),
    },
}
RECORDS = (Record("turn.example.com", "A", "192.0.2.1"),)
_PATIENCE = 0.05
_DTLS = 0x16


@dataclass(frozen=True)
class Behaviour:
    """What the server does; the defaults are right."""

    secret: str = "north"
    realm: str = REALM
    relay: str = "192.0.2.1"
    first_port: int = 49152
    open_relay: bool = False
    stale_at: int = 0
    remembers_relays: int = 0
    remembers_users: int = 0
    loses: int = 0
    signs: bool = True
    clock: int = 1600000000
    private_peers: bool = False
    own_peers: bool = True
    firewall: bool = False
    spoils: bool = False
    refusals: dict[int, int] = field(default_factory=dict)
    unanswered: frozenset[int] = frozenset()
    answer: bytes | None = None
    closed: dict[str, Fault] = field(default_factory=dict)
    closed_at: dict[str, Fault] = field(default_factory=dict)
    certificate_fault: str = ""
    mangle: Callable[[bytes], bytes] = bytes


class FakeChannel:
    """A conversation with the server, or with one of its relays."""

    def __init__(self, server: FakeTurn, here: str, *, kind: str, relay_port: int) -> None:
        number = len(server.channels)
        self.local = (here, 40000 + number)
        self.certificate = Certificate((b"",)) if kind == "tls" else None
        wrong = server.behaviour.certificate_fault if kind == "tls" else ""
        self.fault = Fault("tls", wrong) if wrong else None
        self.server, self.relay_port = server, relay_port
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()

    def send(self, payload: bytes) -> None:
        self.server.handle(self, payload)

    async def exchange(self, payload: bytes, *, missing: Missing = anything) -> bytes:
        if payload and self.relay_port:
            self.server.to_relay(self.relay_port, payload, sender=TransportAddress.of(*self.local))
        elif payload:
            self.server.handle(self, payload)
        try:
            answer = await asyncio.wait_for(self.inbox.get(), _PATIENCE)
        except asyncio.TimeoutError:
            return b""
        return answer if missing(answer) == 0 else b""

    async def move(self) -> None:
        self.local = (self.local[0], self.local[1] + 1000)
        self.server.relays_before = max(0, self.server.relays_before - 1)
        self.server.users_before = max(0, self.server.users_before - 1)

    async def starttls(self, name: str, *, trusting: bool = False) -> Fault | None:
        return Fault("protocol", f"no TLS for {name} here, {trusting}")


class FakeTurn(FakeTransport):
    """A network with one TURN server."""

    def __init__(self, behaviour: Behaviour, records: tuple[Record, ...] = RECORDS) -> None:
        super().__init__(records)
        self.behaviour = behaviour
        self.channels: list[FakeChannel] = []
        self.relays: dict[int, FakeChannel] = {}
        self.nonce = b"first"
        self.released, self.lost = 0, 0
        self.relays_before = behaviour.remembers_relays
        self.users_before = behaviour.remembers_users

    @asynccontextmanager
    async def channel(
        self, address: str, port: int, *, kind: Literal["udp", "tcp", "tls"], name: str = ""
    ) -> AsyncIterator[Channel]:
        fault = self.behaviour.closed_at.get(address) or self.behaviour.closed.get(kind)
        relay_port = port if port in self.relays else 0
        if fault and not relay_port:
            yield ClosedChannel(replace(fault, detail=f"{name}: {fault}"))
            return
        here = "2001:db8::99" if ":" in address else "192.0.2.99"
        channel = FakeChannel(self, here, kind=kind, relay_port=relay_port)
        self.channels.append(channel)
        yield channel

    def handle(self, channel: FakeChannel, data: bytes) -> None:
        if self.behaviour.answer is not None:
            channel.inbox.put_nowait(self.behaviour.answer)
            return
        if data[0] == _DTLS:
            channel.inbox.put_nowait(data)
            return
        request = stun.parse(data)
        if request.kind in self.behaviour.unanswered or self._loses(request):
            return
        if request.kind == Kind.SEND_INDICATION:
            self._send(channel, request)
        else:
            channel.inbox.put_nowait(self.behaviour.mangle(self._reply(channel, request, data)))

    def _loses(self, request: Message) -> bool:
        """Lose the first few requests for a permission, once each."""
        self.lost += request.kind == Kind.CREATE_PERMISSION
        return request.kind == Kind.CREATE_PERMISSION and self.lost <= self.behaviour.loses

    def _reply(self, channel: FakeChannel, request: Message, data: bytes) -> bytes:
        if request.kind == Kind.BINDING:
            return self._success(request, self._mapped(channel, request), signed=False)
        if code := self._refusal(request, data):
            return self._error(request, code)
        if request.kind == Kind.ALLOCATE:
            return self._success(request, self._allocation(channel, request))
        if request.kind == Kind.REFRESH:
            self.released += 1
        return self._success(request, ())

    def _refusal(self, request: Message, data: bytes) -> int:
        login = request.value(Name.USERNAME)
        if login is None:
            return 437 if self.relays_before else 0 if self.behaviour.open_relay else 401
        if self.users_before:
            return 437
        expired = int(request.text(Name.USERNAME).split(":")[0]) < self.behaviour.clock
        if expired or not stun.is_signed_with(data, self._key(request)):
            return 401
        if request.kind == self.behaviour.stale_at and self.nonce == b"first":
            self.nonce = b"second"
            return 438
        if code := self.behaviour.refusals.get(request.kind, 0):
            return code
        return self._forbidden(request) if request.kind == Kind.CREATE_PERMISSION else 0

    def _forbidden(self, request: Message) -> int:
        peer = request.endpoint(Name.XOR_PEER_ADDRESS)
        assert peer is not None
        ours = str(peer.address).startswith("192.0.2.")
        allowed = self.behaviour.own_peers if ours else self.behaviour.private_peers
        return 0 if allowed else 403

    def _key(self, request: Message) -> bytes:
        username = request.text(Name.USERNAME)
        password = stun.rest_password(username, self.behaviour.secret)
        return stun.long_term_key(username, self.behaviour.realm, password)

    def _allocation(self, channel: FakeChannel, request: Message) -> tuple[tuple[int, bytes], ...]:
        port = self.behaviour.first_port + len(self.relays)
        self.relays[port] = channel
        relayed = TransportAddress.of(self.behaviour.relay, port)
        value = stun.encode_endpoint(relayed, transaction=request.transaction)
        lifetime = (int(Name.LIFETIME), struct.pack("!I", 600))
        return (
            (int(Name.XOR_RELAYED_ADDRESS), value),
            lifetime,
            *self._mapped(channel, request),
        )

    def _mapped(self, channel: FakeChannel, request: Message) -> tuple[tuple[int, bytes], ...]:
        endpoint = TransportAddress.of(*channel.local)
        value = stun.encode_endpoint(endpoint, transaction=request.transaction)
        return ((int(Name.XOR_MAPPED_ADDRESS), value),)

    def _success(
        self, request: Message, attributes: tuple[tuple[int, bytes], ...], *, signed: bool = True
    ) -> bytes:
        message = Message(request.kind | 0x0100, request.transaction, attributes)
        signs = signed and self.behaviour.signs and not self.behaviour.open_relay
        return stun.build(message, key=self._key(request) if signs else None)

    def _error(self, request: Message, code: int) -> bytes:
        attributes = (
            (int(Name.ERROR_CODE), bytes([0, 0, code // 100, code % 100]) + b"No"),
            (int(Name.REALM), self.behaviour.realm.encode()),
            (int(Name.NONCE), self.nonce),
        )
        return stun.build(Message(request.kind | 0x0110, request.transaction, attributes))

    def _send(self, channel: FakeChannel, request: Message) -> None:
        peer = request.endpoint(Name.XOR_PEER_ADDRESS)
        data = request.value(Name.DATA) or b""
        assert peer is not None
        sender = next(port for port, owner in self.relays.items() if owner is channel)
        if peer.port in self.relays:
            self.to_relay(peer.port, data, sender=TransportAddress.of(self.behaviour.relay, sender))
        for stranger in self.channels:
            if stranger.local == (str(peer.address), peer.port):
                stranger.inbox.put_nowait(data)

    def to_relay(self, port: int, data: bytes, *, sender: TransportAddress) -> None:
        """Hand data that reached a relay to the client that owns it."""
        outside = sender.port not in self.relays
        if outside and self.behaviour.firewall:
            return
        payload = b"spoilt" if self.behaviour.spoils else data
        transaction = bytes(stun.TRANSACTION_BYTES)
        value = stun.encode_endpoint(sender, transaction=transaction)
        attributes = ((int(Name.XOR_PEER_ADDRESS), value), (int(Name.DATA), payload))
        message = Message(Kind.DATA_INDICATION, transaction, attributes)
        self.relays[port].inbox.put_nowait(stun.build(message))
