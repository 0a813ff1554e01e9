# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a relay is worth: lent for the right password, at a usable address, and data flows."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from itertools import chain

from ..findings import Check, Finding
from ..wire.stun import StunError, TransportAddress
from ..wire.turn_client import (
    FAMILY_NOT_SUPPORTED,
    FORBIDDEN,
    UNAUTHORIZED,
    Allocation,
    RefusedError,
    TurnClient,
)
from .turn_refusals import check_expired, judge_peers, private_peers
from .turn_routes import Caller, Way

_AREA = "turn"
CREDENTIALS = Check(
    "turn.credentials",
    _AREA,
    "draft-uberti-behave-turn-rest-00",
    "Give the TURN server and the homeserver the same secret, and set the clocks of both "
    "(timedatectl).",
)
FAMILY = Check(
    "turn.relay_family",
    _AREA,
    "RFC 8656 section 7",
    "Give the TURN server a relay address of this family, or remove its DNS record.",
)
ADDRESS = Check(
    "turn.relay_address",
    _AREA,
    "RFC 8656 section 7.2",
    "Set external-ip to the public address: nobody can send to the address that is given out.",
)
PORT = Check(
    "turn.relay_port",
    _AREA,
    "RFC 8656 section 7.2",
    "Set min-port and max-port to the range that the firewall lets through.",
)
OUTSIDE = Check(
    "turn.relay_outside",
    _AREA,
    "RFC 8656 section 11",
    "Let the relay's UDP ports through the firewalls of host and provider, in both directions.",
)
BETWEEN = Check(
    "turn.relay_between",
    _AREA,
    "RFC 8656 section 11",
    "Let the relay's UDP ports reach each other: two callers may both need a relay.",
)
PERMISSION = Check(
    "turn.relay_permission",
    _AREA,
    "RFC 8656 section 9",
    "Let the TURN server relay to public addresses, its own among them (denied-peer-ip, "
    "allowed-peer-ip).",
)
RELEASE = Check("turn.release", _AREA, "RFC 8656 section 8", "Update the TURN server.")
_PAYLOAD_BYTES = 16


async def check_relay(
    client: TurnClient, caller: Caller, *, way: Way, thorough: bool
) -> list[Finding]:
    """Borrow a relay, judge it, if `thorough` send data through it, and give it back."""
    try:
        allocation = await client.allocate(way.version)
    except StunError as error:
        return await _refused(error, caller, way=way, thorough=thorough)
    facts = {**way.facts, "relay": str(allocation.relayed), "seconds": allocation.lifetime}
    findings = [CREDENTIALS.ok(f"The credentials give a relay {way}.", **facts)]
    findings += _placed(allocation, caller, way=way)
    if not thorough:
        return [*findings, *await _released(client, way)]
    return findings + await _tried(client, caller, way=way, allocation=allocation)


async def _refused(error: StunError, caller: Caller, *, way: Way, thorough: bool) -> list[Finding]:
    """Say why there is no relay; where every password is refused, only a success tells more."""
    refusal = _refusal(error, way)
    if not thorough or refusal.id != CREDENTIALS.id:
        return [refusal]
    expired = await check_expired(caller, way=way)
    return [refusal, *(finding for finding in expired if finding.verdict == "error")]


def _refusal(error: StunError, way: Way) -> Finding:
    code = error.code if isinstance(error, RefusedError) else 0
    facts = {**way.facts, "code": code}
    if code == UNAUTHORIZED:
        message = (
            f"The credentials are refused {way}: the homeserver's secret is another one, "
            "or a clock is wrong."
        )
        return CREDENTIALS.error(message, **facts)
    if code == FAMILY_NOT_SUPPORTED:
        message = f"There is no relay with an IPv{way.version} address {way}."
        return FAMILY.warning(message, **facts)
    return CREDENTIALS.error(f"The credentials give no relay {way}: {error}.", **facts)


def _placed(allocation: Allocation, caller: Caller, *, way: Way) -> list[Finding]:
    relayed, expected = allocation.relayed, caller.expected
    facts = {**way.facts, "relay": str(relayed)}
    ends = f"{expected.relay_first} to {expected.relay_last}"
    if not caller.guard.admits(str(relayed.address)):
        message = f"The relay's address {relayed.address} {way} is not public."
        finding = ADDRESS.error(message, **facts)
    else:
        finding = ADDRESS.ok(f"The relay {way} has an address that others can reach.", **facts)
    if not expected.relay_last:
        return [finding]
    if not expected.may_relay_at(relayed.port):
        message = f"The relay's port {way} is not one of {ends}."
        return [finding, PORT.error(message, **facts, expected=ends)]
    return [finding, PORT.ok(f"The relay's port {way} is one of {ends}.", **facts)]


async def _tried(
    client: TurnClient, caller: Caller, *, way: Way, allocation: Allocation
) -> list[Finding]:
    """Use the relay, and meanwhile ask for another one with expired credentials."""
    tried = await asyncio.gather(
        _used(client, caller, way=way, allocation=allocation), check_expired(caller, way=way)
    )
    return list(chain.from_iterable(tried))


async def _used(
    client: TurnClient, caller: Caller, *, way: Way, allocation: Allocation
) -> list[Finding]:
    """Ask whom the relay sends to, send data through it, and give it back."""
    peer, private = allocation.mapped.address, private_peers(caller, way)
    answers = await client.permit_each([peer, *private])
    flows = await _flows(client, caller, way=way, allocation=allocation, refusal=answers[peer])
    return [*flows, judge_peers({peer: answers[peer] for peer in private}, way)]


async def _flows(
    client: TurnClient,
    caller: Caller,
    *,
    way: Way,
    allocation: Allocation,
    refusal: StunError | None,
) -> list[Finding]:
    """Send data from outside, then from another relay, borrowed meanwhile; give both back."""
    kind = way.route.kind
    if kind == "dtls" or not caller.guard.admits(str(allocation.relayed.address)):
        return await _released(client, way)
    async with caller.transport.channel(
        way.address, way.route.port, kind=kind, name=way.route.host
    ) as channel:
        other = TurnClient(channel, caller.user)
        outside, lent = await asyncio.gather(
            _outside(client, caller, way=way, allocation=allocation, refusal=refusal),
            _lent(other, way),
        )
        between = await _between(client, other, way=way, ends=(allocation, lent))
        released = asyncio.gather(_released(client, way), other.release_quietly())
        return [outside, between, *(await released)[0]]


async def _lent(other: TurnClient, way: Way) -> Allocation | StunError:
    """Borrow a relay, or return why there is none."""
    try:
        return await other.allocate(way.version)
    except StunError as error:
        return error


async def _outside(
    client: TurnClient,
    caller: Caller,
    *,
    way: Way,
    allocation: Allocation,
    refusal: StunError | None,
) -> Finding:
    """Send a datagram to the relayed address, and expect it back."""
    relayed = allocation.relayed
    facts = {**way.facts, "relay": str(relayed), "peer": str(allocation.mapped.address)}
    if refusal:
        return _not_permitted(OUTSIDE, refusal, way=way, facts=facts)
    payload = os.urandom(_PAYLOAD_BYTES)
    async with (
        _echoing(client),
        caller.transport.channel(str(relayed.address), relayed.port, kind="udp") as stranger,
    ):
        if stranger.fault and stranger.fault.kind == "private":
            return OUTSIDE.skipped(f"The relay {relayed} is private.", **facts)
        arrived = await stranger.exchange(payload) == payload
    if arrived:
        return OUTSIDE.ok(f"Data from outside flows through the relay {relayed}.", **facts)
    return OUTSIDE.error(f"No data from outside flows through the relay {way}.", **facts)


async def _between(
    client: TurnClient,
    other: TurnClient,
    *,
    way: Way,
    ends: tuple[Allocation, Allocation | StunError],
) -> Finding:
    """Send data between two relays, as between two callers who both need one."""
    ours, theirs = ends
    facts = {**way.facts, "relay": str(ours.relayed)}
    try:
        if isinstance(theirs, StunError):
            raise theirs
        return await _relayed(client, other, way=way, ends=(ours.relayed, theirs.relayed))
    except StunError as error:
        return _not_permitted(BETWEEN, error, way=way, facts=facts)


async def _relayed(
    client: TurnClient,
    other: TurnClient,
    *,
    way: Way,
    ends: tuple[TransportAddress, TransportAddress],
) -> Finding:
    ours, theirs = ends
    facts = {**way.facts, "relay": str(ours), "other_relay": str(theirs)}
    await asyncio.gather(client.permit(theirs.address), other.permit(ours.address))
    payload = os.urandom(_PAYLOAD_BYTES)
    async with _echoing(other):
        arrived = await client.relay(payload, theirs) == payload
    if arrived:
        return BETWEEN.ok(f"Data flows between the relays {ours} and {theirs}.", **facts)
    return BETWEEN.error(f"Data is spoilt between two relays {way}.", **facts)


def _not_permitted(
    check: Check, error: StunError, *, way: Way, facts: dict[str, object]
) -> Finding:
    if isinstance(error, RefusedError) and error.code == FORBIDDEN:
        message = f"The TURN server forbids to relay to {facts.get('peer', 'itself')} {way}."
        return PERMISSION.warning(message, **facts)
    return check.error(f"No data flows through the relay {way}: {error}.", **facts)


async def _released(client: TurnClient, way: Way) -> list[Finding]:
    try:
        await client.release()
    except StunError as error:
        return [RELEASE.warning(f"The relay {way} cannot be given back: {error}.", **way.facts)]
    return []


@contextlib.asynccontextmanager
async def _echoing(client: TurnClient) -> AsyncIterator[None]:
    """Let a client answer its peers for a while."""
    task = asyncio.create_task(client.echo())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, StunError):
            await task
