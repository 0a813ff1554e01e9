# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The seam between judging and looking: what may be asked of the network, and what comes back.

The verifier sees the network only through `Transport`: `network.Network` is the real one,
tests pass a fake. Nothing here raises for a fault of the network; faults are data.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

KIB = 1024
FaultKind = Literal[
    "resolve",
    "private",
    "refused",
    "timeout",
    "unreachable",
    "no_route",
    "tls",
    "alpn",
    "unable",
    "protocol",
    "too_large",
]
"""`no_route`: the vantage itself has no way there (it lacks IPv6, most often).

`alpn`: the server does not speak HTTP/1.1. `unable`: the vantage's own OpenSSL cannot do it.
"""


@dataclass(frozen=True)
class Fault:
    """Why something did not work, in one phrase."""

    kind: FaultKind
    detail: str

    def __str__(self) -> str:
        return self.detail


@dataclass(frozen=True, order=True)
class SrvTarget:
    """One SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True)
class DnsAnswer:
    """What the DNS says about a name: addresses or alias in `records`, SRV in `services`."""

    status: Literal["found", "nxdomain", "nodata", "servfail", "timeout"]
    records: tuple[str, ...] = ()
    services: tuple[SrvTarget, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the question stays open: a failure is not an absence."""
        return self.status in ("servfail", "timeout")


@dataclass(frozen=True)
class Certificate:
    """A certificate chain as the server sent it (DER, leaf first), and whether it is trusted."""

    chain: tuple[bytes, ...]
    tls_version: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Request:
    """One HTTP request; `address` fixes where it goes, else the name in the URL is resolved.

    `certificate_name` is the name that the certificate must carry (default: the URL's host);
    it is also the server name indication, unless it is an IP address.
    With `announced`, a body of that many bytes is announced, but none is sent: the answer is
    100 if the server would take it (RFC 9110 section 10.1.1).
    """

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    address: str = ""
    host_header: str = ""
    certificate_name: str = ""
    limit: int = 256 * KIB
    announced: int = 0


@dataclass(frozen=True)
class Exchange:
    """The answer to a request. With an untrusted certificate `error` is set, yet the rest is there.

    `headers` are the raw header lines, in order, nothing merged.
    """

    request: Request
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    http_version: str = ""
    address: str = ""
    certificate: Certificate | None = None
    milliseconds: int = 0
    error: Fault | None = None

    @property
    def whole(self) -> bool:
        """Whether there is a complete answer, be the certificate trusted or not."""
        return self.status > 0 and (self.error is None or self.error.kind == "tls")

    @property
    def no_route(self) -> bool:
        """Whether the vantage itself has no way there, so that nothing is known of the server."""
        return self.error is not None and self.error.kind == "no_route"

    def header(self, name: str) -> list[str]:
        """Return the value of each raw header line of this name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(frozen=True)
class Connection:
    """How a TCP port answers; `banner` is what it says by itself, if one was waited for."""

    state: Literal["open", "refused", "timeout", "unreachable", "no_route", "private"]
    milliseconds: int = 0
    banner: bytes = b""


@dataclass(frozen=True)
class Handshake:
    """What a TLS handshake ended in: the version and the protocol agreed upon, or a fault.

    A fault of the kind `tls` is the server's refusal.
    """

    tls_version: str = ""
    protocol: str = ""
    fault: Fault | None = None


Missing = Callable[[bytes], int]
"""Tells how many bytes a message still lacks; 0 when it is complete."""


def anything(received: bytes) -> int:
    """Call a message complete as soon as something came."""
    return 0 if received else 1


class Channel(Protocol):
    """An open conversation over UDP, TCP or TLS from one local port."""

    local: tuple[str, int]
    certificate: Certificate | None
    fault: Fault | None
    """Why it is not open (then every exchange returns nothing), or why TLS is not trusted."""

    async def exchange(self, payload: bytes, *, missing: Missing = anything) -> bytes:
        """Send the payload (UDP: again after 0.5 and 1 s) and return one answer, or nothing.

        An answer is one datagram, or as many bytes of the stream as `missing` asks for.
        An empty payload only listens.
        """

    def send(self, payload: bytes) -> None:
        """Send a payload once and wait for nothing; `exchange` tells what comes back."""

    async def move(self) -> None:
        """Go on from another local port, over UDP; a stream stays."""

    async def starttls(self, name: str, *, trusting: bool = False) -> Fault | None:
        """Go on in TLS, over TCP only; return why that fails, and then all is over.

        Unless `trusting`, it fails as well if the certificate is not valid for the name.
        """


class Transport(Protocol):
    """Everything the verifier may ask of the network."""

    def is_here(self, address: str) -> bool:
        """Tell whether an address is the vantage's own."""

    async def resolve(self, name: str, kind: Literal["A", "AAAA", "CNAME", "SRV"]) -> DnsAnswer:
        """Ask the DNS; asked twice, it answers from memory."""

    async def request(self, request: Request) -> Exchange:
        """Do one HTTP exchange, following nothing."""

    async def connect(
        self, address: str, port: int, *, banner: bool = False, patience: float = 0
    ) -> Connection:
        """Open a TCP connection and close it, after listening for a banner if one is wanted.

        `patience` in seconds replaces the usual timeout.
        """

    async def handshake(
        self, address: str, port: int, *, name: str, outdated: bool = False
    ) -> Handshake:
        """Do a TLS handshake as a browser does, offering HTTP/2 and HTTP/1.1, and hang up.

        `outdated` offers TLS 1.1 and older only. The certificate is another check's business.
        """

    def channel(
        self, address: str, port: int, *, kind: Literal["udp", "tcp", "tls"], name: str = ""
    ) -> AbstractAsyncContextManager[Channel]:
        """Open a conversation; `name` is what a TLS certificate must carry."""
