# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening TCP and TLS connections, and naming why one does not open."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import warnings
from asyncio import StreamReader, StreamWriter, sslproto
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from .guard import Guard
from .transport import Certificate, Fault, FaultKind, Handshake

_STAGGER = 0.25
_TLS_RECORD = 16384
_BROWSER = ("h2", "http/1.1")
_REFUSALS = ("_ALERT_", "UNRECOGNIZED_NAME", "EOF", "UNSUPPORTED_PROTOCOL", "VERSION")
_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL})


def _spare_memory() -> None:
    """Let TLS connections of this process read one record at a time (RFC 8446 section 5.1).

    asyncio else sets 256 KiB aside for each of them, and dozens are open at once.
    """
    sslproto.SSLProtocol.max_size = _TLS_RECORD


class ForbiddenError(OSError):
    """The address is not public, and contacting it is not allowed."""


class UntrustedError(OSError):
    """The certificate is not valid, or not for this name."""


@dataclass(frozen=True)
class Stream:
    """An open connection; with TLS, the certificate and whether it is trusted."""

    reader: StreamReader
    writer: StreamWriter
    address: str
    certificate: Certificate | None = None

    def close(self) -> None:
        """Drop the connection without waiting for the other side's goodbye."""
        self.writer.transport.abort()


class Opener:
    """Opens connections to the addresses that the guard admits."""

    def __init__(self, guard: Guard, *, ca_file: str) -> None:
        _spare_memory()
        self.guard = guard
        self._trusting = _unchecked("http/1.1")
        self._browsing = _unchecked(*_BROWSER)
        self._checking = _context("http/1.1")
        self._ca_file = ca_file
        _load_authorities(self._checking, ca_file)

    def check(self, address: str) -> None:
        """Raise `ForbiddenError` for an address that must not be contacted."""
        if not self.guard.admits(address):
            raise ForbiddenError(
                f"{address} is not a public address, and contacting it is not allowed"
            )

    async def tcp(self, address: str, port: int) -> Stream:
        self.check(address)
        reader, writer = await asyncio.open_connection(address, port)
        return Stream(reader, writer, address)

    async def tls(self, address: str, port: int, name: str) -> Stream:
        """Open a TLS connection; if it is not trusted, open another one to see why."""
        self.check(address)
        try:
            return await _handshake(address, port, self._checking, name=name, fault="")
        except ssl.SSLCertVerificationError as error:
            fault = error.verify_message or str(error)
            return await _handshake(address, port, self._trusting, name=name, fault=fault)

    async def upgrade(self, stream: Stream, name: str, trusting: bool) -> Stream:
        """Go on in TLS on an open connection, without ALPN, whose names are for HTTP here."""
        context = _unchecked() if trusting else _context()
        if not trusting:
            _load_authorities(context, self._ca_file)
        try:
            await stream.writer.start_tls(context, server_hostname=name)
        except ssl.SSLCertVerificationError as error:
            raise UntrustedError(error.verify_message or str(error)) from None
        session = stream.writer.get_extra_info("ssl_object")
        return replace(stream, certificate=Certificate(_chain(session), session.version() or ""))

    async def any_tcp(self, addresses: Sequence[str], port: int) -> Stream:
        """Open a TCP connection to whichever address answers first."""
        return await _first([partial(self.tcp, address, port) for address in addresses])

    async def any_tls(self, addresses: Sequence[str], port: int, name: str) -> Stream:
        """Open a TLS connection to whichever address answers first."""
        return await _first([partial(self.tls, address, port, name) for address in addresses])

    async def greet(self, address: str, port: int, *, name: str, outdated: bool) -> Handshake:
        """Do a handshake and hang up; a refusal of the server and one of our own are told apart."""
        self.check(address)
        try:
            context = outdated_context() if outdated else self._browsing
            writer = (
                await asyncio.open_connection(address, port, ssl=context, server_hostname=name)
            )[1]
        except ssl.SSLError as error:
            return Handshake(fault=_refusal(error))
        session = writer.get_extra_info("ssl_object")
        writer.transport.abort()
        return Handshake(session.version() or "", session.selected_alpn_protocol() or "")


def _context(*protocols: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def _unchecked(*protocols: str) -> ssl.SSLContext:
    context = _context(*protocols)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def outdated_context() -> ssl.SSLContext:
    """Return a context that speaks TLS 1.1 and older only, or raise SSLError if OpenSSL cannot."""
    context = _unchecked(*_BROWSER)
    try:
        with warnings.catch_warnings():  # Python warns of the versions that are asked for here
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    except ValueError as error:
        raise ssl.SSLError(str(error)) from None
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def _refusal(error: ssl.SSLError) -> Fault:
    """Tell what the server says from what our own OpenSSL does not do."""
    if any(word in _told(error) for word in _REFUSALS):
        return fault_of(error)
    return Fault("unable", f"this machine's OpenSSL cannot do it ({error.reason or error})")


def _load_authorities(context: ssl.SSLContext, ca_file: str) -> None:
    context.load_default_certs()
    if not ca_file:
        return
    try:
        context.load_verify_locations(cafile=ca_file)
    except OSError as error:
        raise ValueError(f"the CA file {ca_file!r} cannot be read: {error}") from None


async def _handshake(
    address: str, port: int, context: ssl.SSLContext, *, name: str, fault: str
) -> Stream:
    reader, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=name)
    session = writer.get_extra_info("ssl_object")
    certificate = Certificate(_chain(session), session.version() or "", fault)
    return Stream(reader, writer, address, certificate)


def _chain(session: ssl.SSLObject) -> tuple[bytes, ...]:
    """Return the chain as sent where Python tells it (since 3.13), else the leaf."""
    sent = getattr(session, "get_unverified_chain", None)
    leaf = session.getpeercert(binary_form=True)
    return tuple(sent()) if sent else (leaf,) if leaf else ()


async def _first(attempts: Sequence[Callable[[], Awaitable[Stream]]]) -> Stream:
    """Start attempts a moment apart and return the first that succeeds (RFC 8305)."""
    waiting, running = list(attempts), set[asyncio.Future[Stream]]()
    failures: list[BaseException] = []
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.ensure_future(waiting.pop(0)()))
            patience = _STAGGER if waiting else None
            done, running = await asyncio.wait(
                running, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            won = [attempt for attempt in done if attempt.exception() is None]
            for attempt in won[1:]:
                attempt.result().close()
            if won:
                return won[0].result()
            failures += [failure for attempt in done if (failure := attempt.exception())]
    finally:
        for attempt in running:
            attempt.cancel()
    raise failures[0]


def _told(error: BaseException) -> str:
    """Return OpenSSL's reason like TLSV1_ALERT_PROTOCOL_VERSION; Python has no name for some."""
    reason = getattr(error, "reason", None) or str(error)
    return reason.upper().replace(" ", "_")


def fault_of(error: BaseException, *addresses: str) -> Fault:
    """Name why a connection to one of these addresses did not open, or broke."""
    if isinstance(error, ssl.SSLError) and "NO_APPLICATION_PROTOCOL" in _told(error):
        return Fault("alpn", "the server refuses HTTP/1.1 in the TLS handshake (ALPN)")
    kinds: list[tuple[type[BaseException], FaultKind, str]] = [
        (ForbiddenError, "private", str(error)),
        (UntrustedError, "tls", str(error).rstrip(".")),
        (ssl.SSLError, "tls", f"TLS fails ({getattr(error, 'reason', '') or error})"),
        (ConnectionRefusedError, "refused", "the connection is refused"),
        (ConnectionError, "protocol", "the connection is broken off"),
        (asyncio.TimeoutError, "timeout", "no answer in time"),
        (TimeoutError, "timeout", "no answer in time"),
    ]
    for kind, name, detail in kinds:
        if isinstance(error, kind):
            return Fault(name, detail)
    if isinstance(error, OSError) and error.errno in _UNREACHABLE:
        return _unreachable(addresses)
    return Fault("protocol", str(error)[:200] or type(error).__name__)


def _unreachable(addresses: Sequence[str]) -> Fault:
    """Tell a vantage without a way there from an address that nobody reaches."""
    if addresses and not any(map(has_route, addresses)):
        return Fault("no_route", "this machine has no route there")
    return Fault("unreachable", "the address is unreachable")


def has_route(address: str) -> bool:
    """Whether this machine knows a way to an address; nothing is sent."""
    return bool(_source(address))


def is_own(address: str) -> bool:
    """Whether an address is this machine's own, which it then also comes from."""
    return _source(address) == address


def _source(address: str) -> str:
    """Return the address from which this machine would send there; nothing if it cannot."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return ""
