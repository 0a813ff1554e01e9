# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real network behind the seam; sockets are opened here, in `sockets` and in `lookup` only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Literal

from .channels import ClosedChannel, DatagramChannel, StreamChannel
from .guard import Guard
from .hosts import addresses_of
from .http1 import Target, converse
from .lookup import Lookup
from .silence import ATTEMPTS
from .sockets import Opener, Stream, fault_of, is_own
from .transport import Channel, Connection, DnsAnswer, Exchange, Fault, Handshake, Request

_Opened = tuple[Channel, Callable[[], None]]
_AT_ONCE = 64
_KNOCKS_AT_ONCE = ATTEMPTS * _AT_ONCE
_BANNER_LIMIT = 512


class Network:
    """A `Transport` over real sockets; every call ends within `seconds` (UDP: 3 s)."""

    def __init__(
        self,
        guard: Guard,
        *,
        ca_file: str = "",
        nameservers: Sequence[str] = (),
        seconds: float = 5,
    ) -> None:
        self._seconds = seconds
        self._opener = Opener(guard, ca_file=ca_file)
        self._lookup = Lookup(nameservers, seconds=seconds)
        self._gate, self._door = asyncio.Semaphore(_AT_ONCE), asyncio.Semaphore(_KNOCKS_AT_ONCE)

    def is_here(self, address: str) -> bool:
        return is_own(address)

    async def resolve(self, name: str, kind: Literal["A", "AAAA", "CNAME", "SRV"]) -> DnsAnswer:
        return await self._lookup.resolve(name, kind)

    async def request(self, request: Request) -> Exchange:
        started = time.monotonic()
        try:
            async with self._gate:
                exchange = await asyncio.wait_for(self._request(request), self._seconds)
        except (OSError, ValueError, asyncio.TimeoutError) as error:
            exchange = Exchange(request, address=request.address, error=fault_of(error))
        return replace(exchange, milliseconds=_since(started))

    async def _request(self, request: Request) -> Exchange:
        target = Target.parse(request.url)
        addresses = [request.address] if request.address else await addresses_of(self, target.host)
        if not addresses:
            fault = Fault("resolve", f"the name {target.host} has no address")
            return Exchange(request, error=fault)
        name = request.certificate_name or target.host
        try:
            if target.secure:
                stream = await self._opener.any_tls(addresses, target.port, name)
            else:
                stream = await self._opener.any_tcp(addresses, target.port)
        except OSError as error:
            fault = fault_of(error, *addresses)
            return Exchange(request, address=request.address, error=fault)
        try:
            exchange = await converse(stream.reader, stream.writer, request)
        finally:
            stream.close()
        return _completed(exchange, stream)

    async def connect(
        self, address: str, port: int, *, banner: bool = False, patience: float = 0
    ) -> Connection:
        started = time.monotonic()
        try:
            async with self._door:  # knocks wait for long; nothing shall wait for them
                opening = self._opener.tcp(address, port)
                stream = await asyncio.wait_for(opening, patience or self._seconds)
        except (OSError, asyncio.TimeoutError) as error:
            return Connection(_state(error, address), _since(started))
        milliseconds = _since(started)
        said = await _banner(stream, self._seconds) if banner else b""
        stream.close()
        return Connection("open", milliseconds, said)

    async def handshake(
        self, address: str, port: int, *, name: str, outdated: bool = False
    ) -> Handshake:
        try:
            async with self._gate:
                greeting = self._opener.greet(address, port, name=name, outdated=outdated)
                return await asyncio.wait_for(greeting, self._seconds)
        except (OSError, ValueError, asyncio.TimeoutError) as error:
            return Handshake(fault=fault_of(error, address))

    @asynccontextmanager
    async def channel(
        self, address: str, port: int, *, kind: Literal["udp", "tcp", "tls"], name: str = ""
    ) -> AsyncIterator[Channel]:
        channel, close = await self._opened(address, port, kind, name)
        try:
            yield channel
        finally:
            close()

    async def _opened(self, address: str, port: int, kind: str, name: str) -> _Opened:
        opening = {"udp": self._udp, "tcp": self._tcp, "tls": self._tls}[kind]
        try:
            return await asyncio.wait_for(opening(address, port, name), self._seconds)
        except (OSError, ValueError, asyncio.TimeoutError) as error:
            return ClosedChannel(fault_of(error, address)), _nothing

    async def _udp(self, address: str, port: int, _name: str) -> _Opened:
        self._opener.check(address)
        loop = asyncio.get_running_loop()
        _transport, channel = await loop.create_datagram_endpoint(
            DatagramChannel, remote_addr=(address, port)
        )
        return channel, channel.close

    async def _tcp(self, address: str, port: int, _name: str) -> _Opened:
        return self._conversation(await self._opener.tcp(address, port))

    async def _tls(self, address: str, port: int, name: str) -> _Opened:
        return self._conversation(await self._opener.tls(address, port, name))

    def _conversation(self, stream: Stream) -> _Opened:
        upgrade = self._opener.upgrade
        return StreamChannel(stream, seconds=self._seconds, upgrade=upgrade), stream.close


def _nothing() -> None:
    """Close what never opened."""


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _completed(exchange: Exchange, stream: Stream) -> Exchange:
    """Add what the connection showed; an untrusted certificate is a fault of the exchange."""
    certificate = stream.certificate
    error = exchange.error
    if certificate and certificate.fault:
        error = Fault("tls", f"the certificate is not trusted ({certificate.fault.rstrip('.')})")
    return replace(exchange, address=stream.address, certificate=certificate, error=error)


async def _banner(stream: Stream, seconds: float) -> bytes:
    try:
        return await asyncio.wait_for(stream.reader.read(_BANNER_LIMIT), seconds)
    except (OSError, asyncio.TimeoutError):
        return b""


def _state(
    error: BaseException, address: str
) -> Literal["refused", "timeout", "unreachable", "no_route", "private"]:
    kind = fault_of(error, address).kind
    if kind in ("refused", "timeout", "no_route", "private"):
        return kind
    return "unreachable"
