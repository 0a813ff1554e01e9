# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""STUN messages against the vectors of RFC 5769 and bytes that are wrong in every way."""

from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire import stun
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.stun import (
    Kind,
    Message,
    Name,
    StunError,
    TransportAddress,
)
from hypothesis import given
from hypothesis import strategies as st

_REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36"
    "00060009" "6576746a3a68367659202020"
    "00080014" "9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004" "e57a3bcf"
)  # fmt: skip
_RESPONSE_V4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220" "002000080001a147e112a643"
    "00080014" "2b91f599fd9e90c38c7489f92af9ba53f06be7d7"
    "80280004" "c07d4c96"
)  # fmt: skip
_RESPONSE_V6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014" "a382954e4be67bf11784c97c8292c275bfe3ed41"
    "80280004" "c8fb0b4c"
)  # fmt: skip
_LONG_TERM = bytes.fromhex(
    "000100602112a44278ad3433c6ad72c029da412e"
    "00060012e3839ee38388e383aae38383e382afe382b90000"
    "0015001c662f2f3439396b3935346436" "4f4c33346f4c394653547679363473" "41"
    "0014000b6578616d706c652e6f726700"
    "00080014" "f67024656dd64a3e02b8e0712e85c9a28ca89666"
)  # fmt: skip
_SHORT_TERM_KEY = b"VOkJxbRl1RmTxUk/WvJxBt"
_TRANSACTION = bytes(range(12))
_ALLOCATE = ((Name.REQUESTED_TRANSPORT, b"\x11\0\0\0"),)


@pytest.mark.parametrize(
    ("data", "key"),
    [
        pytest.param(_REQUEST, _SHORT_TERM_KEY, id="RFC 5769 2.1 request"),
        pytest.param(_RESPONSE_V4, _SHORT_TERM_KEY, id="RFC 5769 2.2 IPv4 response"),
        pytest.param(_RESPONSE_V6, _SHORT_TERM_KEY, id="RFC 5769 2.3 IPv6 response"),
        pytest.param(
            _LONG_TERM,
            stun.long_term_key("マトリックス", "example.org", "TheMatrIX"),
            id="RFC 5769 2.4 long-term",
        ),
    ],
)
def test_signature(data: bytes, key: bytes) -> None:
    assert stun.is_signed_with(data, key)
    assert not stun.is_signed_with(data, key + b"x")


@pytest.mark.parametrize("data", [_REQUEST, _RESPONSE_V4, _RESPONSE_V6])
def test_fingerprint(data: bytes) -> None:
    assert stun.has_fingerprint(data)
    assert not stun.has_fingerprint(data[:-1] + bytes([data[-1] ^ 1]))


@pytest.mark.parametrize(
    ("data", "endpoint"),
    [
        pytest.param(_RESPONSE_V4, TransportAddress.of("192.0.2.1", 32853), id="IPv4"),
        pytest.param(
            _RESPONSE_V6,
            TransportAddress.of("2001:db8:1234:5678:11:2233:4455:6677", 32853),
            id="IPv6",
        ),
    ],
)
def test_mapped_address(data: bytes, endpoint: TransportAddress) -> None:
    message = stun.parse(data)
    assert message.endpoint(Name.XOR_MAPPED_ADDRESS) == endpoint
    assert message.text(Name.SOFTWARE) == "test vector"
    assert message.is_success


def test_long_term_request_is_built_byte_for_byte() -> None:
    message = stun.parse(_LONG_TERM)
    key = stun.long_term_key("マトリックス", "example.org", "TheMatrIX")
    assert stun.build(message, key=key) == _LONG_TERM


def test_fingerprinted_response_is_built_up_to_its_padding() -> None:
    """RFC 5769 pads with spaces, we with zeros; everything else is compared."""
    message = stun.parse(_RESPONSE_V4)
    data = stun.build(message, key=_SHORT_TERM_KEY, fingerprint=True)
    assert stun.parse(data) == message
    assert stun.is_signed_with(data, _SHORT_TERM_KEY)
    assert stun.has_fingerprint(data)


def test_binding_request() -> None:
    expected = "000100002112a442000102030405060708090a0b"
    assert stun.build(Message(Kind.BINDING, _TRANSACTION)).hex() == expected


def test_anonymous_allocation() -> None:
    expected = "000300082112a442000102030405060708090a0b0019000411000000"
    assert stun.build(Message(Kind.ALLOCATE, _TRANSACTION, _ALLOCATE)).hex() == expected


def test_allocation_with_rest_credentials() -> None:
    username = "1700000000:matrix-probe"
    password = stun.rest_password(username, "north")
    key = stun.long_term_key(username, "turn.example.org", password)
    message = Message(
        Kind.ALLOCATE,
        _TRANSACTION,
        (
            *_ALLOCATE,
            (Name.USERNAME, username.encode()),
            (Name.REALM, b"turn.example.org"),
            (Name.NONCE, b"5f1b2c3d4e5f6071"),
        ),
    )
    assert password == "yQa07DRsweg6MyAz4IGFxW2lMVI="
    assert key.hex() == "dd9e533bd77380155efb735ac3d4f239"
    assert stun.build(message, key=key).hex() == (
        "000300642112a442000102030405060708090a0b001900041100000000060017"
        "313730303030303030303a6d61747269782d70726f626500001400107475726e2e6578616d706c652e6f7267"
        "0015001035663162326333643465356636303731"
        "0008001429ac56ac1a891ccd954aaef20ad926dbccb5da2a"
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(_REQUEST[:19], id="half a header"),
        pytest.param(_REQUEST[:-4], id="cut"),
        pytest.param(_REQUEST + b"\0\0\0\0", id="too long"),
        pytest.param(b"\x80" + _REQUEST[1:], id="first bits set"),
        pytest.param(_REQUEST[:4] + b"\0\0\0\0" + _REQUEST[8:], id="other cookie"),
        pytest.param(bytes.fromhex("000100022112a442") + bytes(14), id="length not in fours"),
        pytest.param(bytes.fromhex("000100042112a442") + bytes(12) + b"\0\6\0\1", id="no value"),
        pytest.param(
            bytes.fromhex("000100042112a442") + bytes(12) + b"\0\6\xff\xff", id="value too long"
        ),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another protocol"),
    ],
)
def test_wrong_bytes(data: bytes) -> None:
    with pytest.raises(StunError):
        stun.parse(data)


@pytest.mark.parametrize(
    ("attribute", "read"),
    [
        pytest.param((Name.ERROR_CODE, b"\0\0\4"), "error_code", id="error code"),
        pytest.param((Name.LIFETIME, b"\0\0\4"), "lifetime", id="lifetime"),
    ],
)
def test_wrong_attribute_lengths(attribute: tuple[int, bytes], read: str) -> None:
    message = Message(Kind.ALLOCATE_ERROR, _TRANSACTION, (attribute,))
    with pytest.raises(StunError):
        getattr(message, read)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 7, 9, 12, 19, 21])
@pytest.mark.parametrize("family", [0, 1, 2, 3])
def test_wrong_address_lengths(length: int, family: int) -> None:
    value = bytes([0, family]).ljust(length, b"\0")[:length]
    with pytest.raises(StunError):
        stun.decode_endpoint(value, transaction=_TRANSACTION)


def test_error_code() -> None:
    message = Message(
        Kind.ALLOCATE_ERROR, _TRANSACTION, ((Name.ERROR_CODE, b"\0\0\4\x26Stale Nonce"),)
    )
    assert (message.error_code, message.error_reason) == (438, "Stale Nonce")
    assert message.is_error


def test_attributes_after_the_signature_are_ignored() -> None:
    """RFC 8489 section 14.5: nobody signed them."""
    signed = stun.build(Message(Kind.BINDING_SUCCESS, _TRANSACTION), key=b"k")
    forged = b"\x80\x22\0\4evil"
    data = signed[:2] + (len(signed) - 20 + len(forged)).to_bytes(2, "big") + signed[4:] + forged
    assert stun.parse(data).value(Name.SOFTWARE) is None
    assert stun.is_signed_with(data, b"k")


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(Message(Kind.BINDING, b"short"), id="transaction"),
        pytest.param(
            Message(Kind.BINDING, _TRANSACTION, ((Name.DATA, bytes(70_000)),)), id="attribute"
        ),
        pytest.param(
            Message(Kind.BINDING, _TRANSACTION, ((Name.DATA, bytes(40_000)),) * 2), id="message"
        ),
    ],
)
def test_what_cannot_be_sent(message: Message) -> None:
    with pytest.raises(StunError):
        stun.build(message)


_ATTRIBUTES = st.lists(
    st.tuples(
        st.integers(0, 0xFFFF).filter(lambda name: name not in {8, 0x8028}), st.binary(max_size=50)
    ),
    max_size=8,
).map(tuple)


@given(
    kind=st.integers(0, 0x3FFF),
    transaction=st.binary(min_size=12, max_size=12),
    attributes=_ATTRIBUTES,
    key=st.none() | st.binary(max_size=20),
    fingerprint=st.booleans(),
)
def test_round_trip(
    kind: int,
    transaction: bytes,
    attributes: tuple[tuple[int, bytes], ...],
    key: bytes | None,
    fingerprint: bool,
) -> None:
    message = Message(kind, transaction, attributes)
    data = stun.build(message, key=key, fingerprint=fingerprint)
    assert stun.parse(data) == message
    assert stun.has_fingerprint(data) is fingerprint


@given(
    address=st.ip_addresses(), port=st.integers(0, 65535), mask=st.binary(min_size=12, max_size=12)
)
def test_endpoint_round_trip(address: stun.IPAddress, port: int, mask: bytes) -> None:
    endpoint = TransportAddress(address, port)
    value = stun.encode_endpoint(endpoint, transaction=mask)
    assert stun.decode_endpoint(value, transaction=mask) == endpoint


@given(body=st.binary(max_size=200), key=st.binary(max_size=20))
def test_any_bytes_give_a_message_or_the_one_error(body: bytes, key: bytes) -> None:
    data = b"\x01\x01" + len(body).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + bytes(12) + body
    try:
        message = stun.parse(data)
        stun.is_signed_with(data, key)
        for name, _unused in message.attributes:
            message.endpoint(name)
        assert message.error_code >= 0
        assert message.lifetime >= 0
    except StunError:
        pass
