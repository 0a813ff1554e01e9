# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a relay is worth: lent for the right password, at a usable address, and data flows."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import ip_address

from .findings import Check, Finding
from .guard import Guard
from .stun import Endpoint, IPAddress, StunError
from .transport import Transport
from .turn_client import (
    FAMILY_NOT_SUPPORTED,
    FORBIDDEN,
    UNAUTHORIZED,
    Allocation,
    Credentials,
    RefusedError,
    TurnClient,
)
from .turn_routes import Expected, Way

_AREA = "turn"
CREDENTIALS = Check(
    "turn.credentials",
    _AREA,
    "draft-uberti-behave-turn-rest-00",
    "Give the TURN server and the homeserver the same secret, and set both clocks.",
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
PEERS = Check(
    "turn.private_peers",
    _AREA,
    "RFC 8656 section 21",
    "Deny private and local networks as peers (denied-peer-ip): strangers reach them through "
    "the relay.",
)
RELEASE = Check("turn.release", _AREA, "RFC 8656 section 8", "Update the TURN server.")
_PRIVATE_PEERS = {
    4: ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.0.1"),
    6: ("::1", "fd00::1", "::ffff:127.0.0.1"),
}
_PAYLOAD_BYTES = 16


@dataclass(frozen=True)
class Caller:
    """Somebody who may use the relay, and what he knows about it."""

    transport: Transport
    user: Credentials
    expected: Expected
    guard: Guard


async def check_relay(
    client: TurnClient, caller: Caller, *, way: Way, thorough: bool
) -> list[Finding]:
    """Borrow a relay, judge it, if `thorough` send data through it, and give it back."""
    try:
        allocation = await client.allocate(way.version)
    except StunError as error:
        return [_refusal(error, way)]
    facts = {**way.facts, "relay": str(allocation.relayed), "seconds": allocation.lifetime}
    findings = [CREDENTIALS.ok(f"The credentials give a relay {way}.", **facts)]
    findings += _placed(allocation, caller, way=way)
    if thorough:
        findings += await _tried(client, caller, way=way, allocation=allocation)
    return [*findings, *await _released(client, way)]


def _refusal(error: StunError, way: Way) -> Finding:
    code = error.code if isinstance(error, RefusedError) else 0
    facts = {**way.facts, "code": code}
    if code == UNAUTHORIZED:
        return CREDENTIALS.error(f"The credentials are refused {way}.", **facts)
    if code == FAMILY_NOT_SUPPORTED:
        message = f"There is no relay with an IPv{way.version} address {way}."
        return FAMILY.warning(message, **facts)
    return CREDENTIALS.error(f"The credentials give no relay {way}: {error}.", **facts)


def _placed(allocation: Allocation, caller: Caller, *, way: Way) -> list[Finding]:
    relayed, expected = allocation.relayed, caller.expected
    facts = {**way.facts, "relay": str(relayed)}
    ends = f"{expected.relay_first} to {expected.relay_last}"
    if not caller.guard.admits(str(relayed.address)):
        finding = ADDRESS.error(f"The relay {relayed} {way} is not a public address.", **facts)
    else:
        finding = ADDRESS.ok(f"The relay {way} has an address that others can reach.", **facts)
    if not expected.relay_last:
        return [finding]
    if not expected.may_relay_at(relayed.port):
        message = f"The relay's port {relayed.port} {way} is not one of {ends}."
        return [finding, PORT.error(message, **facts, expected=ends)]
    return [finding, PORT.ok(f"The relay's port {way} is one of {ends}.", **facts)]


async def _tried(
    client: TurnClient, caller: Caller, *, way: Way, allocation: Allocation
) -> list[Finding]:
    """Send data through the relay from outside and from another relay, and ask for too much."""
    if not caller.guard.admits(str(allocation.relayed.address)):
        return await _private_peers(client, caller, way=way)
    return [
        await _outside(client, caller, way=way, allocation=allocation),
        await _between(client, caller, way=way, allocation=allocation),
        *await _private_peers(client, caller, way=way),
    ]


async def _outside(
    client: TurnClient, caller: Caller, *, way: Way, allocation: Allocation
) -> Finding:
    """Send a datagram to the relayed address, and expect it back."""
    relayed = allocation.relayed
    facts = {**way.facts, "relay": str(relayed), "peer": str(allocation.mapped.address)}
    try:
        await client.permit(allocation.mapped.address)
    except StunError as error:
        return _not_permitted(OUTSIDE, error, way=way, facts=facts)
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
    return OUTSIDE.error(f"No data from outside flows through the relay {relayed}.", **facts)


async def _between(
    client: TurnClient, caller: Caller, *, way: Way, allocation: Allocation
) -> Finding:
    """Send data between two relays, as between two callers who both need one."""
    kind, facts = way.route.kind, {**way.facts, "relay": str(allocation.relayed)}
    if kind == "dtls":
        return BETWEEN.skipped("Nothing was sent over DTLS.", **facts)
    async with caller.transport.channel(
        way.address, way.route.port, kind=kind, name=way.route.host
    ) as channel:
        other = TurnClient(channel, caller.user)
        try:
            peer = (await other.allocate(way.version)).relayed
            return await _relayed(client, other, ends=(allocation.relayed, peer))
        except StunError as error:
            return _not_permitted(BETWEEN, error, way=way, facts=facts)
        finally:
            await other.release_quietly()


async def _relayed(
    client: TurnClient, other: TurnClient, *, ends: tuple[Endpoint, Endpoint]
) -> Finding:
    ours, theirs = ends
    facts = {"relay": str(ours), "other_relay": str(theirs)}
    await asyncio.gather(client.permit(theirs.address), other.permit(ours.address))
    payload = os.urandom(_PAYLOAD_BYTES)
    async with _echoing(other):
        arrived = await client.relay(payload, theirs) == payload
    if arrived:
        return BETWEEN.ok(f"Data flows between the relays {ours} and {theirs}.", **facts)
    return BETWEEN.error(f"Data is spoilt between the relays {ours} and {theirs}.", **facts)


def _not_permitted(
    check: Check, error: StunError, *, way: Way, facts: dict[str, object]
) -> Finding:
    if isinstance(error, RefusedError) and error.code == FORBIDDEN:
        message = f"The TURN server forbids to relay to {facts.get('peer', 'itself')} {way}."
        return PERMISSION.warning(message, **facts)
    return check.error(f"No data flows through the relay {way}: {error}.", **facts)


async def _private_peers(client: TurnClient, caller: Caller, *, way: Way) -> list[Finding]:
    """Expect that strangers cannot reach the host's own network through the relay."""
    peers = [ip_address(peer) for peer in _PRIVATE_PEERS[way.version]]
    denied = [peer for peer in peers if not caller.guard.admits(str(peer))]
    granted = [str(peer) for peer in denied if await _is_granted(client, peer)]
    facts = {**way.facts, "granted": granted}
    if granted:
        return [PEERS.error(f"The relay {way} sends to {', '.join(granted)}.", **facts)]
    return [PEERS.ok(f"The relay {way} does not send to private addresses.", **facts)]


async def _is_granted(client: TurnClient, peer: IPAddress) -> bool:
    try:
        await client.permit(peer)
    except StunError:
        return False
    return True


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
