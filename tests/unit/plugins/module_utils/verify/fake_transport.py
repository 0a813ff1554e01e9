# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network that exists only in memory: what it answers is given, what it was asked is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email.utils import formatdate
from time import time
from typing import Literal

from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.channels import (
    ClosedChannel,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Certificate,
    Channel,
    Connection,
    DnsAnswer,
    Exchange,
    Fault,
    Handshake,
    Request,
    SrvTarget,
)

Kind = Literal["A", "AAAA", "CNAME", "SRV"]
JSON_HEADERS = (("Content-Type", "application/json"), ("Access-Control-Allow-Origin", "*"))
_ALIASES_LIMIT = 8


@dataclass(frozen=True)
class Record:
    """A line of a zone; `error` makes the question for this name and kind fail."""

    name: str
    kind: str
    value: str = ""
    service: SrvTarget | None = None
    error: str = ""


@dataclass(frozen=True)
class Reply:
    """What a URL answers, and how many seconds its clock is ahead."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = JSON_HEADERS
    error: Fault | None = None
    certificate: Certificate | None = None
    milliseconds: int = 20
    ahead: float = 0

    @property
    def dated(self) -> tuple[tuple[str, str], ...]:
        """Return the headers of this moment."""
        if not self.status or any(name.lower() == "date" for name, _value in self.headers):
            return self.headers
        return (*self.headers, ("Date", formatdate(time() + self.ahead, usegmt=True)))


NO_CONNECTION = Reply(status=0, headers=(), error=Fault("refused", "the connection is refused"))
_STATUS: Mapping[str, Literal["servfail", "timeout", "nxdomain", "nodata"]] = {
    "SERVFAIL": "servfail",
    "TIMEOUT": "timeout",
    "NXDOMAIN": "nxdomain",
    "NODATA": "nodata",
}


class FakeTransport:
    """Answers from records and replies; `requests` and `questions` tell what was asked.

    Replies are found by "METHOD URL at address", "METHOD URL" or the URL alone; handshakes by
    "new name:port at address" or "new name:port", outdated ones by "old …".
    """

    def __init__(
        self,
        records: Iterable[Record] = (),
        replies: Mapping[str, Reply] | None = None,
        handshakes: Mapping[str, Handshake] | None = None,
    ) -> None:
        self._records = tuple(records)
        self._replies = dict(replies or {})
        self._handshakes = dict(handshakes or {})
        self.here: tuple[str, ...] = ()
        self.requests: list[Request] = []
        self.questions: list[tuple[str, str]] = []

    def is_here(self, address: str) -> bool:
        return address in self.here

    async def resolve(self, name: str, kind: Kind) -> DnsAnswer:
        self.questions.append((name, kind))
        aliases: list[str] = []
        while len(aliases) < _ALIASES_LIMIT:
            target = self._target(aliases[-1] if aliases else name)
            if kind == "CNAME" or not target:
                break
            aliases.append(target)
        return replace(self._answer(aliases[-1] if aliases else name, kind), aliases=tuple(aliases))

    def _target(self, name: str) -> str:
        return next((record.value for record in self._of(name, "CNAME")), "")

    def _of(self, name: str, kind: str) -> list[Record]:
        return [
            record
            for record in self._records
            if record.name.lower() == name.lower() and record.kind == kind
        ]

    def _answer(self, name: str, kind: str) -> DnsAnswer:
        found = self._of(name, kind)
        if failure := next((record.error for record in found if record.error), ""):
            return DnsAnswer(_STATUS.get(failure.upper(), "servfail"))
        if not found:
            known = any(record.name.lower() == name.lower() for record in self._records)
            return DnsAnswer("nodata" if known else "nxdomain")
        services = tuple(record.service for record in found if record.service)
        return DnsAnswer("found", tuple(record.value for record in found if record.value), services)

    async def request(self, request: Request) -> Exchange:
        self.requests.append(request)
        plain = f"{request.method} {request.url}"
        keys = (f"{plain} at {request.address}", plain, request.url)
        reply = next((self._replies[key] for key in keys if key in self._replies), NO_CONNECTION)
        error = reply.error
        if len(reply.body) > request.limit:
            error = Fault("too_large", "the body is too large")
        return Exchange(
            request,
            status=reply.status,
            headers=reply.dated,
            body=reply.body[: request.limit],
            http_version="HTTP/1.1" if reply.status else "",
            address=request.address,
            certificate=reply.certificate,
            milliseconds=reply.milliseconds,
            error=error,
        )

    async def connect(
        self,
        address: str,  # noqa: ARG002 - the form is the protocol's
        port: int,  # noqa: ARG002
        *,
        banner: bool = False,  # noqa: ARG002
        patience: float = 0,  # noqa: ARG002
    ) -> Connection:
        return Connection("refused")

    async def handshake(
        self, address: str, port: int, *, name: str, outdated: bool = False
    ) -> Handshake:
        plain = f"{'old' if outdated else 'new'} {name}:{port}"
        keys = (f"{plain} at {address}", plain)
        found = (self._handshakes[key] for key in keys if key in self._handshakes)
        return next(found, Handshake(fault=NO_CONNECTION.error))

    @asynccontextmanager
    async def channel(
        self, address: str, port: int, *, kind: Literal["udp", "tcp", "tls"], name: str = ""
    ) -> AsyncIterator[Channel]:
        yield ClosedChannel(Fault("refused", f"{kind} {address} {port} {name} is closed"))
