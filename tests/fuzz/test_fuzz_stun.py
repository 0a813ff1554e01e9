# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""STUN messages of strangers, and conversations with a TURN server that says anything."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from ansible_collections.homestead.matrix.plugins.module_utils.verify import expectations
from ansible_collections.homestead.matrix.plugins.module_utils.verify.calls import (
    check_turn,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire import stun, turn_client
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.stun import (
    Kind,
    Message,
    Name,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Missing,
    anything,
)
from ansible_collections.homestead.matrix.tests.fuzz.properties import (
    assert_sound,
    fuzzed,
    run,
    value_or_refusal,
)
from ansible_collections.homestead.matrix.tests.fuzz.strategies import (
    EDITS,
    TEXTS,
    edited,
    mutated,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_turn import (
    CREDENTIALS,
    Behaviour,
    FakeTurn,
)
from hypothesis import example
from hypothesis import strategies as st

TRANSACTION = bytes(range(12))
KEY = b"k" * 16
VALUES = st.binary(max_size=40) | st.sampled_from(
    [
        stun.encode_endpoint(stun.TransportAddress.of(address, 32853), transaction=TRANSACTION)
        for address in ("192.0.2.1", "2001:db8::1")
    ]
)
ATTRIBUTES = st.lists(
    st.tuples(st.sampled_from([int(name) for name in Name]) | st.integers(0, 0xFFFF), VALUES),
    max_size=5,
).map(tuple)
KINDS = st.sampled_from([int(kind) for kind in Kind]) | st.integers(0, 0x3FFF)
MESSAGES = st.builds(Message, KINDS, st.just(TRANSACTION), ATTRIBUTES)
WRITTEN = MESSAGES.map(lambda message: stun.build(message, key=KEY, fingerprint=True))
DATA = mutated(
    stun.build(Message(Kind.BINDING_SUCCESS, TRANSACTION)),
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\x16\xfe\xff" + bytes(30),
) | st.builds(edited, WRITTEN, EDITS)
SEALS = (Name.MESSAGE_INTEGRITY, Name.FINGERPRINT)
SERVER = expectations.TurnServer.of({"host": "turn.example.com", "realm": "turn.example.com"})


@fuzzed(DATA)
@example(b"\x01\x01\x00\x04" + struct.pack("!I", 0x2112A442) + TRANSACTION + b"\x00\x20\xff\xff")
@example(b"\x01\x01\xff\xfc" + struct.pack("!I", 0x2112A442) + TRANSACTION + bytes(0xFFFC))
def test_messages_are_parsed_or_refused(data: bytes) -> None:
    message = value_or_refusal(stun.parse, data)
    if message is None:
        return
    for name in Name:
        value_or_refusal(message.endpoint, name)
        message.text(name)
    for fact in ("error_code", "error_reason", "lifetime", "is_error", "is_success"):
        value_or_refusal(getattr, message, fact)
    stun.is_signed_with(data, KEY)
    stun.has_fingerprint(data)


@fuzzed(MESSAGES)
def test_what_is_built_is_parsed_again(message: Message) -> None:
    data = stun.build(message, key=KEY, fingerprint=True)
    kept = []
    for name, value in message.attributes:
        if name == Name.MESSAGE_INTEGRITY:
            break
        if name != Name.FINGERPRINT:
            kept.append((name, value))
    assert stun.parse(data) == Message(message.kind, TRANSACTION, tuple(kept))
    assert len(data) == stun.message_length(data) <= stun.MAX_MESSAGE_BYTES
    if not any(name in SEALS for name, _unused in message.attributes):
        assert stun.is_signed_with(data, KEY)
        assert stun.has_fingerprint(data)


@fuzzed(st.ip_addresses(), st.integers(0, 0xFFFF), st.binary(min_size=12, max_size=12))
def test_addresses_survive_the_way(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, transaction: bytes
) -> None:
    endpoint = stun.TransportAddress(address, port)
    value = stun.encode_endpoint(endpoint, transaction=transaction)
    assert stun.decode_endpoint(value, transaction=transaction) == endpoint


@fuzzed(DATA)
def test_framing_asks_for_no_more_than_a_message(data: bytes) -> None:
    for length in range(len(data)):
        assert 0 <= turn_client.missing(data[:length]) <= stun.MAX_MESSAGE_BYTES


class _Babble:
    """A conversation with somebody who answers with the next of these bytes, then goes silent."""

    certificate = None
    fault = None
    local = ("192.0.2.99", 40000)

    def __init__(self, answers: Iterator[bytes], adapt: Callable[[bytes, bytes], bytes]) -> None:
        self._answers, self._adapt = answers, adapt

    def send(self, payload: bytes) -> None:
        """Let the next answers be those to other questions."""

    async def move(self) -> None:
        """Let the next answers come to another port."""

    async def exchange(self, payload: bytes, *, missing: Missing = anything) -> bytes:
        answer = self._adapt(payload, next(self._answers, b""))
        return answer if missing(answer) == 0 else b""


def as_it_is(_question: bytes, answer: bytes) -> bytes:
    return answer


def to_the_question(question: bytes, answer: bytes) -> bytes:
    """Give an answer the transaction and the kind that the question expects."""
    if len(question) < stun.HEADER_BYTES or len(answer) < stun.HEADER_BYTES:
        return answer
    kind = struct.pack("!H", (int.from_bytes(question[:2], "big") | 0x0100))
    return kind + answer[2:8] + question[8:20] + answer[20:]


@fuzzed(st.lists(DATA, max_size=12), st.sampled_from([as_it_is, to_the_question]))
def test_a_client_gets_what_it_wants_or_a_phrase(
    answers: list[bytes], adapt: Callable[[bytes, bytes], bytes]
) -> None:
    async def talk() -> None:
        channel: Any = _Babble(iter(answers * 5), adapt)
        client = turn_client.TurnClient(channel, turn_client.Credentials.of(CREDENTIALS))
        peer = stun.TransportAddress.of("192.0.2.1", 1)
        for ask in (
            client.bind,
            lambda: client.challenge(4),
            lambda: client.allocate(6),
            lambda: client.permit(peer.address),
            lambda: client.relay(b"x", peer),
            client.echo,
            client.release,
        ):
            with suppress(stun.StunError):
                await ask()

    run(talk())


@fuzzed(EDITS, st.integers(0, 3), st.booleans(), share=0.2)
def test_a_turn_server_that_garbles_is_judged(
    edits: list[tuple[int, str, bytes]], every: int, private: bool
) -> None:
    seen: list[bytes] = []

    def garble(answer: bytes) -> bytes:
        seen.append(answer)
        return edited(answer, edits) if len(seen) % 4 == every else answer

    transport = FakeTurn(Behaviour(mangle=garble, private_peers=private))
    findings = run(check_turn.check_turn(transport, SERVER, CREDENTIALS, allowed=("192.0.2.0/24",)))
    assert_sound(findings)


@fuzzed(st.lists(TEXTS | st.builds("turn:{}:{}?transport={}".format, TEXTS, TEXTS, TEXTS)))
@example(["turn:a:99999?transport=udp", "turns:[:::]", "turn:" + "a" * 100_000 + "!"])
def test_uris_lead_somewhere_or_nowhere(uris: list[str]) -> None:
    for route in expectations.routes_of(uris):
        assert route.kind in ("udp", "tcp", "tls", "dtls")
        assert 0 < route.port < 65536
