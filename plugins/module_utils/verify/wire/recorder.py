# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A transport that remembers what came back, so that one answer serves several checks."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from .hosts import authority
from .transport import (
    Channel,
    Connection,
    DnsAnswer,
    Exchange,
    Handshake,
    Request,
    Transport,
)

HTTPS_PORT = 443
_FINAL = 200


@dataclass(frozen=True, order=True)
class Site:
    """An HTTPS server: an address, a port, and the name that it is asked for by."""

    address: str
    port: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} at {authority(self.address, self.port)}"


@dataclass(frozen=True)
class Taken:
    """An exchange, and when it began and ended by the vantage's clock, in seconds."""

    exchange: Exchange
    began: float
    ended: float

    @property
    def host(self) -> str:
        return urlsplit(self.exchange.request.url).hostname or ""

    @property
    def port(self) -> int:
        """Return the port of the URL; 0 for an impossible one."""
        try:
            return urlsplit(self.exchange.request.url).port or HTTPS_PORT
        except ValueError:
            return 0

    @property
    def answered(self) -> bool:
        """Whether there is a final answer (RFC 9110 section 15.2: 1xx are not)."""
        return self.exchange.status >= _FINAL

    @property
    def secure(self) -> bool:
        return self.exchange.request.url.startswith("https:")

    @property
    def site(self) -> Site | None:
        """Return the server that was asked at an address given beforehand, over TLS."""
        request = self.exchange.request
        if not request.address or not self.secure:
            return None
        return Site(request.address, self.port, request.certificate_name or self.host)


class Recorder:
    """Passes every question on, and keeps the exchanges in `taken`, the handshakes in `greeted`."""

    def __init__(self, transport: Transport, *, clock: Callable[[], float] = time.time) -> None:
        self._transport, self._clock = transport, clock
        self.taken: list[Taken] = []
        self.greeted: dict[Site, Handshake] = {}

    def is_here(self, address: str) -> bool:
        return self._transport.is_here(address)

    async def resolve(self, name: str, kind: Literal["A", "AAAA", "CNAME", "SRV"]) -> DnsAnswer:
        return await self._transport.resolve(name, kind)

    async def request(self, request: Request) -> Exchange:
        began = self._clock()
        exchange = await self._transport.request(request)
        self.taken.append(Taken(exchange, began, self._clock()))
        return exchange

    async def connect(
        self, address: str, port: int, *, banner: bool = False, patience: float = 0
    ) -> Connection:
        return await self._transport.connect(address, port, banner=banner, patience=patience)

    async def handshake(
        self, address: str, port: int, *, name: str, outdated: bool = False
    ) -> Handshake:
        greeting = await self._transport.handshake(address, port, name=name, outdated=outdated)
        if not outdated:
            self.greeted[Site(address, port, name)] = greeting
        return greeting

    def channel(
        self, address: str, port: int, *, kind: Literal["udp", "tcp", "tls"], name: str = ""
    ) -> AbstractAsyncContextManager[Channel]:
        return self._transport.channel(address, port, kind=kind, name=name)
