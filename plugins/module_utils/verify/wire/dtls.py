# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first words of DTLS (RFC 6347); more of it Python does not speak."""

from __future__ import annotations

import asyncio
import os
import struct
from dataclasses import dataclass

from .transport import Fault, Transport

_HANDSHAKE = 22
_PORTS = 2


@dataclass(frozen=True)
class Greeting:
    """What came back to a hello, and why nothing did."""

    answer: bytes = b""
    fault: Fault | None = None

    @property
    def is_hello(self) -> bool:
        return is_dtls_answer(self.answer)


async def greet(transport: Transport, address: str, port: int) -> Greeting:
    """Say hello and expect the question for a cookie (RFC 6347 section 4.2.1).

    Two ports of ours ask: coturn is deaf to a second hello from a port that it remembers, and the
    one we are given may be that of an earlier look.
    """
    jobs = [asyncio.ensure_future(_greet(transport, address, port)) for _unused in range(_PORTS)]
    try:
        for done in asyncio.as_completed(jobs):
            greeting = await done
            if greeting.is_hello:
                break
        return greeting
    finally:
        for job in jobs:
            job.cancel()


async def _greet(transport: Transport, address: str, port: int) -> Greeting:
    async with transport.channel(address, port, kind="udp") as channel:
        answer = await channel.exchange(dtls_hello(os.urandom(32)))
        return Greeting(answer, channel.fault)


def dtls_hello(random: bytes) -> bytes:
    """Return the first datagram of a DTLS 1.2 handshake, with common cipher suites."""
    suites = b"\xc0\x2b\xc0\x2f\xc0\x2c\xc0\x30\x00\x9e\x00\x9c\x00\x2f"
    groups = b"\x00\x0a\x00\x06\x00\x04\x00\x1d\x00\x17\x00\x0b\x00\x02\x01\x00"
    signatures = b"\x00\x0d\x00\x0a\x00\x08\x04\x03\x08\x04\x04\x01\x05\x03"
    extensions = groups + signatures
    hello = b"\xfe\xfd" + random + b"\0\0" + struct.pack("!H", len(suites)) + suites + b"\1\0"
    hello += struct.pack("!H", len(extensions)) + extensions
    length = len(hello).to_bytes(3, "big")
    handshake = b"\1" + length + bytes(2) + bytes(3) + length + hello
    return b"\x16\xfe\xff" + bytes(8) + struct.pack("!H", len(handshake)) + handshake


def is_dtls_answer(answer: bytes) -> bool:
    """Tell a server's handshake record from anything else."""
    return len(answer) > 13 and answer[0] == _HANDSHAKE and answer[1] == 0xFE
