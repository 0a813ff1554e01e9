# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a TURN server must refuse to callers: the host's own network, and expired credentials."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

from ..findings import Check, Finding
from ..wire.stun import IPAddress, StunError
from ..wire.turn_client import (
    UNAUTHORIZED,
    WRONG_CREDENTIALS,
    Credentials,
    RefusedError,
    TurnClient,
)
from .turn_routes import Caller, Way

_AREA = "turn"
PEERS = Check(
    "turn.private_peers",
    _AREA,
    "RFC 8656 section 21",
    "Deny private and local networks as peers (denied-peer-ip): strangers reach them through "
    "the relay.",
)
EXPIRED = Check(
    "turn.expired",
    _AREA,
    "draft-uberti-behave-turn-rest-00",
    "Set the clock of the TURN server (timedatectl), and let it check the time in the user names "
    "(use-auth-secret in coturn): whoever was given credentials once uses the relay for ever.",
)
_OWN_PEERS = {4: ("127.0.0.1", "169.254.169.254"), 6: ("::1", "::ffff:127.0.0.1")}
"""The relay's own host and its neighbours; nobody has a reason to be led there."""
_PRIVATE_PEERS = {4: ("10.0.0.1", "192.168.0.1"), 6: ("fd00::1",)}
"""Private networks, in which an operator may allow peers."""


def private_peers(caller: Caller, way: Way) -> list[IPAddress]:
    """Return the peers that nobody shall be led to."""
    private = [peer for peer in _PRIVATE_PEERS[way.version] if not caller.guard.admits(peer)]
    return [ip_address(peer) for peer in (*_OWN_PEERS[way.version], *private)]


def judge_peers(answers: Mapping[IPAddress, StunError | None], way: Way) -> Finding:
    """Expect that strangers cannot reach the host's own network through the relay."""
    tried = [str(peer) for peer in answers]
    granted = [str(peer) for peer, answer in answers.items() if answer is None]
    refused = [str(peer) for peer, answer in answers.items() if isinstance(answer, RefusedError)]
    unanswered = [peer for peer in tried if peer not in (*granted, *refused)]
    facts = {**way.facts, "tried": tried, "granted": granted, "unanswered": unanswered}
    if granted:
        return PEERS.error(f"The relay {way} sends to {', '.join(granted)}.", **facts)
    if unanswered:
        names = ", ".join(unanswered)
        message = f"The relay {way} does not say whether it sends to {names}."
        return PEERS.unknown(message, **facts)
    return PEERS.ok(f"The relay {way} does not send to {', '.join(tried)}.", **facts)


async def check_expired(caller: Caller, *, way: Way) -> list[Finding]:
    """Ask for a relay with credentials whose time is over, and expect 401."""
    kind = way.route.kind
    if caller.expired is None or kind == "dtls":
        return []
    async with caller.transport.channel(
        way.address, way.route.port, kind=kind, name=way.route.host
    ) as channel:
        answer = await _allocated(TurnClient(channel, caller.expired), way)
    return [judge_expired(caller.expired, answer, way=way)]


async def _allocated(client: TurnClient, way: Way) -> StunError | None:
    """Borrow a relay and give it back; return why it was not lent."""
    try:
        await client.allocate(way.version)
    except StunError as error:
        return error
    await client.release_quietly()
    return None


def judge_expired(user: Credentials, answer: StunError | None, *, way: Way) -> Finding:
    """Say what it means that expired credentials were taken or not."""
    code = answer.code if isinstance(answer, RefusedError) else 0
    facts = {**way.facts, "username": user.username, "code": code}
    if answer is None:
        message = f"Credentials that expired long ago give a relay {way}."
        return EXPIRED.error(message, **facts)
    if code in (UNAUTHORIZED, WRONG_CREDENTIALS):
        return EXPIRED.ok(f"Expired credentials are refused {way}.", **facts)
    return EXPIRED.unknown(f"Expired credentials get no clear answer {way}: {answer}.", **facts)
