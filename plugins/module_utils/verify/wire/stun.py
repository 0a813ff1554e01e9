# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""STUN and TURN messages as values: built, parsed strictly, signed and checked (RFC 8489, 8656)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Union

from .hosts import authority

HEADER_BYTES = 20
TRANSACTION_BYTES = 12
MAX_MESSAGE_BYTES = HEADER_BYTES + 0xFFFC
_COOKIE = 0x2112A442
_FINGERPRINT_MASK = 0x5354554E
_SIGNATURE_BYTES = 24
_FINGERPRINT_BYTES = 8
_ADDRESS_FAMILIES = {4: 1, 6: 2}
_ADDRESS_LENGTHS = {1: 4, 2: 16}

Attribute = tuple[int, bytes]
IPAddress = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


class StunError(ValueError):
    """The bytes are not the STUN message they should be; nothing else is ever raised here."""


class Kind(IntEnum):
    """The messages a client sends or receives."""

    BINDING = 0x0001
    BINDING_SUCCESS = 0x0101
    BINDING_ERROR = 0x0111
    ALLOCATE = 0x0003
    ALLOCATE_SUCCESS = 0x0103
    ALLOCATE_ERROR = 0x0113
    REFRESH = 0x0004
    REFRESH_SUCCESS = 0x0104
    REFRESH_ERROR = 0x0114
    SEND_INDICATION = 0x0016
    DATA_INDICATION = 0x0017
    CREATE_PERMISSION = 0x0008
    CREATE_PERMISSION_SUCCESS = 0x0108
    CREATE_PERMISSION_ERROR = 0x0118


class Name(IntEnum):
    """The attributes a client writes or reads."""

    MAPPED_ADDRESS = 0x0001
    USERNAME = 0x0006
    MESSAGE_INTEGRITY = 0x0008
    ERROR_CODE = 0x0009
    LIFETIME = 0x000D
    XOR_PEER_ADDRESS = 0x0012
    DATA = 0x0013
    REALM = 0x0014
    NONCE = 0x0015
    XOR_RELAYED_ADDRESS = 0x0016
    REQUESTED_ADDRESS_FAMILY = 0x0017
    REQUESTED_TRANSPORT = 0x0019
    XOR_MAPPED_ADDRESS = 0x0020
    SOFTWARE = 0x8022
    FINGERPRINT = 0x8028


@dataclass(frozen=True)
class TransportAddress:
    """An address and a port, as a server sees or lends them."""

    address: IPAddress
    port: int

    @classmethod
    def of(cls, address: str, port: int) -> TransportAddress:
        """Return the endpoint for an address in its usual notation."""
        return cls(ipaddress.ip_address(address), port)

    def __str__(self) -> str:
        return authority(str(self.address), self.port)


@dataclass(frozen=True)
class Message:
    """One STUN message without its signature and checksum, which belong to its bytes."""

    kind: int
    transaction: bytes
    attributes: tuple[Attribute, ...] = ()

    def value(self, name: int) -> bytes | None:
        """Return the first attribute of this name (RFC 8489 section 14: later ones are ignored)."""
        return next((value for kind, value in self.attributes if kind == name), None)

    def text(self, name: int) -> str:
        """Return an attribute as text, without believing that it is valid UTF-8."""
        return (self.value(name) or b"").decode("utf-8", "replace")

    @property
    def is_error(self) -> bool:
        return self.kind & 0x0110 == 0x0110

    @property
    def is_success(self) -> bool:
        return self.kind & 0x0110 == 0x0100

    @property
    def error_code(self) -> int:
        """Return the code of an ERROR-CODE attribute, 0 without one (section 14.8)."""
        value = self.value(Name.ERROR_CODE)
        if value is None:
            return 0
        if len(value) < 4:
            raise StunError("ERROR-CODE is shorter than 4 bytes")
        return (value[2] & 7) * 100 + value[3]

    @property
    def error_reason(self) -> str:
        return (self.value(Name.ERROR_CODE) or b"")[4:].decode("utf-8", "replace")

    @property
    def lifetime(self) -> int:
        """Return the seconds of a LIFETIME attribute, 0 without one (RFC 8656 section 18.2)."""
        value = self.value(Name.LIFETIME)
        if value is None:
            return 0
        if len(value) != 4:
            raise StunError("LIFETIME is not 4 bytes")
        return int.from_bytes(value, "big")

    def endpoint(self, name: int) -> TransportAddress | None:
        """Return the address of an XOR-…-ADDRESS attribute, None without one."""
        value = self.value(name)
        return None if value is None else decode_endpoint(value, transaction=self.transaction)

    def same_transaction(self, other: Message) -> bool:
        return hmac.compare_digest(self.transaction, other.transaction)


def encode_endpoint(endpoint: TransportAddress, *, transaction: bytes) -> bytes:
    """Return the value of an XOR-…-ADDRESS attribute (RFC 8489 section 14.2)."""
    packed = endpoint.address.packed
    family = _ADDRESS_FAMILIES[endpoint.address.version]
    head = struct.pack("!xBH", family, endpoint.port ^ (_COOKIE >> 16))
    return head + _xor(packed, _address_mask(transaction))


def decode_endpoint(value: bytes, *, transaction: bytes) -> TransportAddress:
    """Read the value of an XOR-…-ADDRESS attribute."""
    length = _ADDRESS_LENGTHS.get(value[1], 0) if len(value) >= 4 else 0
    if not length or len(value) != 4 + length:
        raise StunError(f"an address of {len(value)} bytes is neither IPv4 nor IPv6")
    packed = _xor(value[4:], _address_mask(transaction))
    port = int.from_bytes(value[2:4], "big") ^ (_COOKIE >> 16)
    return TransportAddress(ipaddress.ip_address(packed), port)


def build(message: Message, *, key: bytes | None = None, fingerprint: bool = False) -> bytes:
    """Return the bytes of a message, signed with the key if one is given."""
    body = b"".join(_encode_attribute(name, value) for name, value in message.attributes)
    if key is not None:
        head = _header(message, len(body) + _SIGNATURE_BYTES)
        body += _encode_attribute(Name.MESSAGE_INTEGRITY, _sign(head + body, key))
    if fingerprint:
        head = _header(message, len(body) + _FINGERPRINT_BYTES)
        body += _encode_attribute(Name.FINGERPRINT, _checksum(head + body))
    return _header(message, len(body)) + body


def parse(data: bytes) -> Message:
    """Read a whole message; whatever is not exactly one raises StunError."""
    if len(data) != message_length(data):
        raise StunError(f"the header announces {message_length(data)} bytes, {len(data)} came")
    attributes = []
    signed = False
    for name, value, _unused in _attributes(data):
        if not signed:
            attributes.append((name, value))
        signed = signed or name == Name.MESSAGE_INTEGRITY
    seals = (Name.MESSAGE_INTEGRITY, Name.FINGERPRINT)
    kept = tuple(item for item in attributes if item[0] not in seals)
    return Message(int.from_bytes(data[:2], "big"), bytes(data[8:HEADER_BYTES]), kept)


def message_length(data: bytes) -> int:
    """Return how many bytes the message has that begins here: the framing over TCP and TLS."""
    if len(data) < HEADER_BYTES:
        raise StunError(f"{len(data)} bytes are too few for a header")
    kind, length, cookie = struct.unpack_from("!HHI", data)
    if kind & 0xC000 or cookie != _COOKIE or length % 4:
        raise StunError("the header is not one of STUN")
    return HEADER_BYTES + int(length)


def is_signed_with(data: bytes, key: bytes) -> bool:
    """Tell whether a well-formed message carries the signature of this key (section 14.5)."""
    for name, value, offset in _attributes(data):
        if name == Name.MESSAGE_INTEGRITY:
            signed = _with_length(data, offset + _SIGNATURE_BYTES)[:offset]
            return hmac.compare_digest(value, _sign(signed, key))
    return False


def has_fingerprint(data: bytes) -> bool:
    """Tell whether a well-formed message ends with its right checksum (section 14.7)."""
    for name, value, offset in _attributes(data):
        if name == Name.FINGERPRINT:
            return offset + _FINGERPRINT_BYTES == len(data) and value == _checksum(data[:offset])
    return False


def long_term_key(username: str, realm: str, password: str) -> bytes:
    """Return the key of the long-term mechanism (RFC 8489 section 9.2.2)."""
    text = f"{username}:{realm}:{password}".encode()
    return hashlib.md5(text, usedforsecurity=False).digest()


def rest_password(username: str, secret: str) -> str:
    """Return the password a secret gives to `<expiry>:<name>` (draft-uberti-behave-turn-rest)."""
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def _attributes(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield name, value and offset of each attribute."""
    offset, end = HEADER_BYTES, len(data)
    while offset < end:
        if end - offset < 4:
            raise StunError("an attribute has no whole header")
        name, length = struct.unpack_from("!HH", data, offset)
        if offset + 4 + length + -length % 4 > end:
            raise StunError(f"attribute 0x{name:04x} is longer than the message")
        yield name, bytes(data[offset + 4 : offset + 4 + length]), offset
        offset += 4 + length + -length % 4


def _encode_attribute(name: int, value: bytes) -> bytes:
    if len(value) > 0xFFFF:
        raise StunError(f"attribute 0x{name:04x} is too long to be sent")
    return struct.pack("!HH", name, len(value)) + value + bytes(-len(value) % 4)


def _header(message: Message, length: int) -> bytes:
    if length > 0xFFFF or len(message.transaction) != TRANSACTION_BYTES:
        raise StunError("the message cannot be sent: too long, or a wrong transaction")
    return struct.pack("!HHI", message.kind, length, _COOKIE) + message.transaction


def _with_length(data: bytes, end: int) -> bytes:
    """Return the message with a header as if it ended here."""
    return data[:2] + struct.pack("!H", end - HEADER_BYTES) + data[4:]


def _sign(data: bytes, key: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha1).digest()


def _checksum(data: bytes) -> bytes:
    return struct.pack("!I", zlib.crc32(data) ^ _FINGERPRINT_MASK)


def _address_mask(transaction: bytes) -> bytes:
    return struct.pack("!I", _COOKIE) + transaction


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right))
