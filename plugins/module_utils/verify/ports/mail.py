# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail server as a stranger sees it: it speaks TLS, and does not pass on the mail of strangers.

The talk ends before there is a message: DATA is never said, so no mail can come of it. Addresses
are always well-formed, because some servers ban whoever sends others.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from ..findings import Check, Finding
from ..together import Sight
from ..wire.smtp import Reply, SmtpError, SmtpSession
from ..wire.transport import Channel, Fault
from .port_probes import Place, Seen, State, failed

_AREA = "services"
STARTTLS = Check(
    "mail.starttls",
    _AREA,
    "RFC 3207",
    "Give the mail server a certificate and its key, and let it offer STARTTLS (in Postmoogle: "
    "POSTMOOGLE_TLS_CERT and POSTMOOGLE_TLS_KEY).",
)
CERTIFICATE = Check(
    "mail.certificate",
    _AREA,
    "RFC 7817",
    "Give the mail server the whole chain of a valid certificate for its name.",
)
RELAY = Check(
    "mail.relay",
    _AREA,
    "RFC 2505 section 2.1",
    "Let the mail server accept mail for its own domains only, unless the sender has logged in: "
    "otherwise it sends spam for anybody, and other servers will block it.",
)
_SMTP_PORT = 25
_READY = 220
_LOGIN_REQUIRED = 530
_STRANGER = "verify@example.net"
_SECONDS = 30.0
_SOON = 2.0
Tls = Literal["checked", "unchecked", "none"]


@dataclass
class Talk:
    """What was heard: `closed` before, `tls` after TLS was asked for, `trouble` at any time."""

    kind: Literal["tcp", "tls"]
    greeting: Reply | None = None
    closed: Fault | None = None
    offered: bool = False
    secured: bool = False
    tls: Fault | None = None
    answers: dict[str, Reply] = field(default_factory=dict)
    trouble: str = ""


async def smtp(place: Place) -> Seen:
    """Talk to a mail server, over TLS from the first byte if it does not greet without."""
    try:
        talk = await asyncio.wait_for(_talk(place), _SECONDS)
    except asyncio.TimeoutError:
        return Seen("open", "SMTP", {"error": "the talk takes too long"})
    if talk.greeting is None or talk.greeting.code != _READY:
        facts = {"error": str(talk.closed or talk.trouble or talk.greeting)}
        state: State = failed(talk.closed) if talk.closed else "open"
        return Seen(state, "SMTP", facts)
    facts = {"greeting": str(talk.greeting), "over": talk.kind}
    where = f"{place.port}/tcp at {place.address}"
    sights = tuple(Sight(where, finding) for finding in judge(talk, place))
    return Seen("answers", "SMTP", facts, sights)


async def _talk(place: Place) -> Talk:
    """Find out how the server wants to be spoken to; port 25 is never TLS at once (RFC 8314)."""
    if place.port == _SMTP_PORT:
        return await _secured(place, patience=0)
    talk = await _secured(place, patience=_SOON)
    if talk.greeting or talk.closed:
        return talk
    wrapped = await _visit(place, Talk("tls"), tls="none", patience=0)
    return wrapped if wrapped.greeting else await _secured(place, patience=0)


async def _secured(place: Place, *, patience: float) -> Talk:
    """Talk with STARTTLS; if that fails, again without looking at the certificate, or without."""
    first = await _visit(place, Talk("tcp"), tls="checked", patience=patience)
    if not first.tls:
        return first
    second = await _visit(place, Talk("tcp"), tls="unchecked", patience=patience)
    if second.secured:
        second.tls = first.tls
        return second
    third = await _visit(place, Talk("tcp"), tls="none", patience=patience)
    third.tls = second.tls or first.tls
    return third


async def _visit(place: Place, talk: Talk, *, tls: Tls, patience: float) -> Talk:
    async with place.transport.channel(
        place.address, place.port, kind=talk.kind, name=place.host
    ) as channel:
        if channel.fault and channel.certificate is None:
            talk.closed = channel.fault
            return talk
        try:
            await _speak(channel, talk, host=place.host, tls=tls, patience=patience)
        except SmtpError as error:
            talk.trouble = str(error)
    return talk


async def _speak(channel: Channel, talk: Talk, *, host: str, tls: Tls, patience: float) -> None:
    session = SmtpSession(channel)
    talk.greeting = await session.greeting(patience)
    if talk.greeting.code != _READY:
        return
    talk.secured, talk.tls = channel.certificate is not None, channel.fault
    talk.offered = (await session.hello()).offers("STARTTLS")
    if talk.offered and tls != "none" and not talk.secured:
        reply = await session.say("STARTTLS")
        if reply.code != _READY:
            talk.tls = Fault("tls", f"STARTTLS is answered with {reply}")
            return
        talk.tls = await channel.starttls(host, trusting=tls == "unchecked")
        if talk.tls:
            return
        talk.secured = True
        await session.hello()
    await _try_relay(session, talk, host=host)


async def _try_relay(session: SmtpSession, talk: Talk, *, host: str) -> None:
    """Ask to pass on mail to a stranger, as a sender of this host, or else as another one."""
    for sender in (f"verify@{host}", _STRANGER):
        talk.answers["MAIL"] = await session.say(f"MAIL FROM:<{sender}>")
        if talk.answers["MAIL"].is_positive:
            talk.answers["RCPT"] = await session.say(f"RCPT TO:<{_STRANGER}>")
            break
        if talk.answers["MAIL"].code == _LOGIN_REQUIRED:
            break
    with contextlib.suppress(SmtpError):
        await session.say("RSET")
        await session.say("QUIT")


def judge(talk: Talk, place: Place) -> Iterator[Finding]:
    """Judge what was heard from a server that greeted."""
    where = f"{place.port}/tcp at {place.address}"
    yield _judge_tls(talk, where, port=place.port)
    if talk.secured and talk.tls:
        message = f"Senders do not trust the certificate of the mail server on {where}: {talk.tls}."
        yield CERTIFICATE.warning(message, where=where, address=place.address)
    elif talk.secured:
        message = f"The certificate of the mail server on {where} is trusted."
        yield CERTIFICATE.ok(message, where=where)
    yield _judge_relay(talk, where)


def _judge_tls(talk: Talk, where: str, *, port: int) -> Finding:
    facts = {"where": where, "offered": talk.offered, "error": str(talk.tls or talk.trouble)}
    if talk.secured:
        how = "TLS at once" if talk.kind == "tls" else "STARTTLS"
        return STARTTLS.ok(f"The mail server on {where} speaks {how}.", where=where)
    if talk.tls:
        message = f"The mail server on {where} offers STARTTLS, but it fails: {talk.tls}."
        return STARTTLS.error(message, **facts)
    if talk.trouble and not talk.answers:
        message = f"The talk with the mail server on {where} breaks off: {talk.trouble}."
        return STARTTLS.unknown(message, **facts)
    if port == _SMTP_PORT:
        message = f"The mail server on {where} offers no STARTTLS: mail comes to it in the clear."
        return STARTTLS.warning(message, **facts)
    message = f"The mail server on {where} offers no STARTTLS: passwords come to it in the clear."
    return STARTTLS.error(message, **facts)


def _judge_relay(talk: Talk, where: str) -> Finding:
    """Say whether a stranger's mail to a stranger is refused, as it must be, for good."""
    facts = {"where": where, **{name: str(reply) for name, reply in talk.answers.items()}}
    last = talk.answers.get("RCPT") or talk.answers.get("MAIL")
    if last and last.is_refusal:
        message = f"The mail server on {where} does not pass on the mail of strangers."
        return RELAY.ok(message, **facts)
    if last and last.is_positive and "RCPT" in talk.answers:
        message = f"The mail server on {where} passes on mail from anybody to anybody."
        return RELAY.error(message, **facts)
    reason = talk.trouble or str(last or "the talk ended before")
    message = f"The mail server on {where} does not say whether it passes on mail: {reason}."
    return RELAY.unknown(message, **facts)
