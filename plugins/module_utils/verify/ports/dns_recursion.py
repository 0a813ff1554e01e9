# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the host is an open resolver: one that looks up foreign names for strangers."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..findings import Check, Finding
from ..together import Sight, together
from ..wire.hosts import addresses_of
from ..wire.silence import RoundTrips, repeated
from ..wire.transport import Transport
from .dns_messages import dns_question, is_dns_answer, missing_of_dns
from .port_probes import Place, knock, whisper

RECURSION = Check(
    "dns.recursion",
    "services",
    "RFC 5358 section 4",
    "Let the name server answer the private network only (in dnsmasq: local-service, or the "
    "tunnel as interface): strangers use it to flood others. If this host runs no name server, "
    "the network of the vantage answers in its place: look from another one.",
)
Kind = Literal["udp", "tcp"]
State = Literal["open", "unclear", "refuses", "silent", "unreached"]
_GRAVEST: tuple[State, ...] = ("open", "unclear", "refuses", "silent", "unreached")
_PORT = 53
_FOREIGN = "example.com"
_PATIENCE = 2.0
_NOERROR, _SERVFAIL, _NXDOMAIN = 0, 2, 3
_NS, _TXT, _CHAOS = 2, 16, 3
_UNREACHED = ("private", "no_route")
_NOBODY = ("silent", "filtered", "refused", "unreachable")


@dataclass(frozen=True)
class Heard:
    """What came back over one protocol: the answer, empty if there is none."""

    kind: Kind
    state: State
    facts: Mapping[str, Any]


async def check_recursion(
    transport: Transport,
    host: str,
    *,
    patience: float = _PATIENCE,
    trips: RoundTrips | None = None,
) -> list[Finding]:
    """Ask every address of the host for a foreign name, over UDP and TCP, planned or not."""
    addresses = await addresses_of(transport, host) if host else []
    measured = trips or RoundTrips(transport)
    places = [Place(transport, host, address, _PORT, measured) for address in addresses]
    jobs = [_look(place, patience=patience) for place in places]
    return together(sight for sights in await asyncio.gather(*jobs) for sight in sights)


async def _look(place: Place, *, patience: float) -> list[Sight]:
    kinds: tuple[Kind, ...] = ("udp", "tcp")
    heard = await asyncio.gather(*(_ask(place, kind=kind, patience=patience) for kind in kinds))
    finding = judge(place.address, heard)
    return [Sight(place.address, finding)] if finding else []


async def _ask(place: Place, *, kind: Kind, patience: float) -> Heard:
    """Ask for as long as a foreign name may take, but only where somebody is there to answer."""
    asking = asyncio.ensure_future(_insist(place, kind, patience=patience))
    looking = asyncio.ensure_future(_is_there(place, kind))
    try:
        await asyncio.wait({asking, looking}, return_when=asyncio.FIRST_COMPLETED)
        if asking.done() or looking.result():
            return await asking
        return Heard(kind, "silent", {})
    finally:
        asking.cancel()
        looking.cancel()


async def _is_there(place: Place, kind: Kind) -> bool:
    """Tell whether anything listens: over UDP by what name servers answer at once.

    They tell their version, or that they do not tell it; and without recursion they look up
    nothing. To TCP it is enough to connect.
    """
    seen = await (whisper(place, _easy_questions()) if kind == "udp" else knock(place))
    return seen.state not in _NOBODY


def _easy_questions() -> list[bytes]:
    version = dns_question("version.bind", os.urandom(2), kind=_TXT, group=_CHAOS, recursive=False)
    return [version, dns_question("", os.urandom(2), kind=_NS, recursive=False)]


async def _insist(place: Place, kind: Kind, *, patience: float) -> Heard:
    """Ask several times; who says nothing in time refuses it as well."""
    found = await repeated(
        lambda: _asked(place, kind),
        decided=lambda heard: heard.state != "silent",
        longest=patience,
    )
    return found or Heard(kind, "silent", {})


async def _asked(place: Place, kind: Kind) -> Heard:
    question = dns_question(_FOREIGN, os.urandom(2))
    async with place.transport.channel(place.address, _PORT, kind=kind) as channel:
        if kind == "tcp":
            framed = struct.pack("!H", len(question)) + question
            answer = (await channel.exchange(framed, missing=missing_of_dns))[2:]
        else:
            answer = await channel.exchange(question)
        if channel.fault and channel.fault.kind in _UNREACHED:
            return Heard(kind, "unreached", {})
    return heard_of(kind, answer, question)


def heard_of(kind: Kind, answer: bytes, question: bytes) -> Heard:
    """Read in an answer's header whether recursion is there for us (RFC 1035 section 4.1.1)."""
    if not is_dns_answer(answer, question):
        return Heard(kind, "silent", {})
    flags, _questions, records = struct.unpack_from("!HHH", answer, 2)
    available, authoritative, code = bool(flags & 0x80), bool(flags & 0x400), flags & 0xF
    looked_up = code == _NOERROR and records > 0 and not authoritative
    facts = {"recursion_available": available, "code": code, "answers": records}
    if looked_up or (available and code in (_NOERROR, _NXDOMAIN)):
        return Heard(kind, "open", facts)
    if available and code == _SERVFAIL:
        return Heard(kind, "unclear", facts)
    return Heard(kind, "refuses", facts)


def judge(address: str, heard: Sequence[Heard]) -> Finding | None:
    """Say what a stranger's question is worth at an address; nothing if it was not asked."""
    state = min((item.state for item in heard), key=_GRAVEST.index)
    facts: dict[str, Any] = {item.kind: {"is": item.state, **item.facts} for item in heard}
    facts["address"] = address
    ways = " and ".join(item.kind.upper() for item in heard if item.state == state)
    if state == "unreached":
        return None
    if state == "open":
        message = f"A name server at {address} looks up {_FOREIGN} for strangers over {ways}."
        return RECURSION.error(message, **facts)
    if state == "unclear":
        message = f"A name server at {address} fails to look up {_FOREIGN} over {ways}, but "
        return RECURSION.unknown(f"{message}does not refuse to.", **facts)
    if state == "refuses":
        return RECURSION.ok(
            f"The name server at {address} looks up nothing for strangers.", **facts
        )
    return RECURSION.ok(f"No name server at {address} answers strangers.", **facts)
