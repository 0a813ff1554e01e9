# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open conversations over UDP, TCP and TLS, for protocols other than HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import cast

from .sockets import Stream, fault_of
from .transport import Certificate, Fault, Missing, anything

Upgrade = Callable[[Stream, str, bool], Awaitable[Stream]]
"""Goes on in TLS for a name, looking at the certificate or trusting it."""
_RETRANSMITS = (0.5, 1.0, 1.5)
_QUEUE = 64
_EXCHANGES = 6
_DATAGRAMS_SECONDS = 30.0


class _Patience:
    """How long one may wait: no conversation goes on for ever, however it is kept up."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def of(self, seconds: float) -> float:
        return max(0.0, min(seconds, self._end - time.monotonic()))


class ClosedChannel:
    """A conversation that could not be opened: nothing ever answers."""

    certificate: Certificate | None = None

    def __init__(self, fault: Fault) -> None:
        self.fault: Fault | None = fault
        self.local = ("", 0)

    async def exchange(self, payload: bytes, *, missing: Missing = anything) -> bytes:  # noqa: ARG002 - the form is the protocol's
        return b""

    def send(self, payload: bytes) -> None:
        pass

    async def move(self) -> None:
        pass

    async def starttls(self, name: str, *, trusting: bool = False) -> Fault | None:  # noqa: ARG002 - the form is the protocol's
        return self.fault


class StreamChannel:
    """A conversation over TCP or TLS; it may take as long as six answers."""

    def __init__(self, stream: Stream, *, seconds: float, upgrade: Upgrade) -> None:
        self._stream, self._seconds, self._upgrade = stream, seconds, upgrade
        self._patience = _Patience(_EXCHANGES * seconds)
        self.certificate = stream.certificate
        untrusted = self.certificate.fault if self.certificate else ""
        self.fault = Fault("tls", untrusted) if untrusted else None
        self.local: tuple[str, int] = stream.writer.get_extra_info("sockname")[:2]

    def send(self, payload: bytes) -> None:
        self._stream.writer.write(payload)

    async def move(self) -> None:
        pass

    async def exchange(self, payload: bytes, *, missing: Missing = anything) -> bytes:
        patience = self._patience.of(self._seconds)
        try:
            return await asyncio.wait_for(self._exchange(payload, missing), patience)
        except (OSError, asyncio.TimeoutError):
            return b""

    async def starttls(self, name: str, *, trusting: bool = False) -> Fault | None:
        upgrading = self._upgrade(self._stream, name, trusting)
        patience = self._patience.of(self._seconds)
        try:
            self._stream = await asyncio.wait_for(upgrading, patience)
        except (OSError, ValueError, asyncio.TimeoutError) as error:
            self.fault = fault_of(error)
            return self.fault
        self.certificate = self._stream.certificate
        return None

    async def _exchange(self, payload: bytes, missing: Missing) -> bytes:
        self._stream.writer.write(payload)
        await self._stream.writer.drain()
        received = b""
        while wanted := missing(received):
            more = await self._stream.reader.read(wanted)
            if not more:
                return b""
            received += more
        return received


class DatagramChannel(asyncio.DatagramProtocol):
    """A conversation over UDP from one port; silence is met by sending again."""

    certificate: Certificate | None = None

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.local = ("", 0)
        self._received: asyncio.Queue[bytes] = asyncio.Queue(_QUEUE)
        self._patience = _Patience(_DATAGRAMS_SECONDS)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.local = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - asyncio's form
        if not self._received.full():
            self._received.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        self.fault = fault_of(exc)
        self.datagram_received(b"", None)

    async def starttls(self, name: str, *, trusting: bool = False) -> Fault | None:  # noqa: ARG002 - the form is the protocol's
        return Fault("protocol", "TLS needs a stream")

    def send(self, payload: bytes) -> None:
        self._transport.sendto(payload)

    async def move(self) -> None:
        former, loop = self._transport, asyncio.get_running_loop()
        peer = former.get_extra_info("peername")[:2]
        with contextlib.suppress(OSError):
            await loop.create_datagram_endpoint(lambda: self, remote_addr=peer)
            former.close()

    def close(self) -> None:
        self._transport.close()

    async def exchange(self, payload: bytes, *, missing: Missing = anything) -> bytes:  # noqa: ARG002 - a datagram is whole
        while payload and not self._received.empty():
            self._received.get_nowait()
        for patience in _RETRANSMITS:
            if payload:
                self._transport.sendto(payload)
            try:
                return await asyncio.wait_for(self._received.get(), self._patience.of(patience))
            except asyncio.TimeoutError:
                continue
        return b""
