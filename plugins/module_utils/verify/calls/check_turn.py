# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TURN server as a stranger and as a caller see it, on every way and every address."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from ..expectations import TurnServer
from ..findings import Check, Finding
from ..together import Sight, together
from ..wire.dtls import greet
from ..wire.guard import Guard
from ..wire.hosts import addresses_of
from ..wire.stun import StunError
from ..wire.transport import Channel, Fault, Transport
from ..wire.turn_client import UNAUTHORIZED, Credentials, TurnClient
from .turn_relay import CREDENTIALS, check_relay
from .turn_routes import Caller, Way

_AREA = "turn"
_TURN = "RFC 8656"
SERVER = Check(
    "turn.server",
    _AREA,
    _TURN,
    "Start the TURN server and let its ports through the firewalls of host and provider, "
    "or correct the DNS record that leads here.",
)
ADDRESSES = Check(
    "turn.addresses",
    _AREA,
    _TURN,
    "Create A and AAAA records for the TURN server's name.",
)
ROUTE = Check(
    "turn.{part}",
    _AREA,
    "RFC 8489 section 6",
    "Start the TURN server and let the port through the firewalls of host and provider.",
)
CERTIFICATE = Check(
    "turn.certificate",
    _AREA,
    "RFC 7065",
    "Give the TURN server the whole chain of a valid certificate for its name, and restart it.",
)
ANONYMOUS = Check(
    "turn.anonymous",
    _AREA,
    "RFC 8656 section 7.2",
    "Set use-auth-secret and static-auth-secret: without them anybody relays through this host.",
)
REALM = Check("turn.realm", _AREA, _TURN, "Make sure that the name leads to the right server.")


State = Literal["answers", "silent", "no_route", "private"]
_SECONDS = 45.0
_NOWHERE: tuple[State, ...] = ("silent", "no_route", "private")


@dataclass(frozen=True)
class Attempt:
    """A way that was taken: whether it leads to a TURN server, and what it shows."""

    way: Way
    state: State
    findings: Sequence[Finding]


async def check_turn(
    transport: Transport,
    expected: TurnServer | None,
    credentials: Mapping[str, Any] | None,
    *,
    allowed: Sequence[str] = (),
) -> list[Finding]:
    """Look at every way to the TURN server; `allowed` are private networks that may be used."""
    if expected is None:
        return [SERVER.skipped("No TURN server is expected, so none was looked for.")]
    user = Credentials.of(credentials)
    expired = Credentials.of((credentials or {}).get("expired"))
    guard = Guard.parse(allowed)
    caller = Caller(transport, user, expected, guard, expired) if user else None
    hosts = dict.fromkeys(route.host for route in expected.routes)
    jobs = [_check_host(transport, host, expected=expected, caller=caller) for host in hosts]
    findings = list(chain.from_iterable(await asyncio.gather(*jobs)))
    if user is None:
        findings.append(CREDENTIALS.skipped("No credentials were given, so no call was tried."))
    return findings


async def _check_host(
    transport: Transport, host: str, *, expected: TurnServer, caller: Caller | None
) -> list[Finding]:
    """Take every route to every address at once; what shows on several is said once."""
    addresses = await addresses_of(transport, host)
    if not addresses:
        return [ADDRESSES.error(f"{host} has neither an A nor an AAAA record.", host=host)]
    routes = [route for route in expected.routes if route.host == host]
    jobs = [
        _check_way(
            transport,
            Way(route, address),
            realm=expected.realm,
            caller=caller,
            relay=route == routes[0],
        )
        for address in addresses
        for route in routes
    ]
    return _host_findings(await asyncio.gather(*jobs))


def _host_findings(attempts: Sequence[Attempt]) -> list[Finding]:
    """Tell of each address, of one where nothing answers no more than that."""
    states: dict[str, set[State]] = {}
    for attempt in attempts:
        states.setdefault(attempt.way.address, set()).add(attempt.state)
    dead: dict[State, list[str]] = {}
    for address, seen in states.items():
        if seen <= set(_NOWHERE):
            dead.setdefault(seen.pop() if len(seen) == 1 else "silent", []).append(address)
    nowhere = [address for addresses in dead.values() for address in addresses]
    alive = [attempt for attempt in attempts if attempt.way.address not in nowhere]
    tried = list(dict.fromkeys(attempt.way.route.kind for attempt in attempts))
    sights = [Sight(str(item.way), finding) for item in alive for finding in item.findings]
    told = [_nowhere(addresses, state, tried=tried) for state, addresses in dead.items()]
    return [*told, *together(sights)]


def _nowhere(addresses: Sequence[str], state: State, *, tried: Sequence[str]) -> Finding:
    """Say once what would be said of every way to these addresses."""
    where, facts = " and ".join(addresses), {"addresses": list(addresses), "tried": list(tried)}
    if state == "private":
        message = f"No TURN server was asked at {where}, which is not public."
        return SERVER.skipped(message, **facts)
    if state == "no_route":
        return SERVER.unknown(f"This vantage has no route to {where}.", **facts)
    return SERVER.error(f"No TURN server answers at {where}.", **facts)


async def _check_way(
    transport: Transport, way: Way, *, realm: str, caller: Caller | None, relay: bool
) -> Attempt:
    """Take one way to a TURN server, for as long as a server may take that means well."""
    taking = _take_way(transport, way, realm=realm, caller=caller, relay=relay)
    try:
        return await asyncio.wait_for(taking, _SECONDS)
    except asyncio.TimeoutError:
        message = f"The TURN server takes too long to answer {way}."
        return Attempt(way, "answers", [_route_check(way).error(message, **way.facts)])


async def _take_way(
    transport: Transport, way: Way, *, realm: str, caller: Caller | None, relay: bool
) -> Attempt:
    """Ask for our address and for a relay; a call is made on the best way to each address."""
    kind, port = way.route.kind, way.route.port
    if kind == "dtls":
        return await _check_dtls(transport, way)
    async with transport.channel(way.address, port, kind=kind, name=way.route.host) as channel:
        client = TurnClient(channel, caller.user if caller else None)
        answered = await _binding(client, channel, way)
        findings = [answered, *_certificate(channel, way)]
        if answered.verdict == "error":
            return Attempt(way, _state(channel.fault), findings)
        findings += await _allocations(client, way, realm=realm, caller=caller, relay=relay)
        return Attempt(way, "answers", findings)


async def _check_dtls(transport: Transport, way: Way) -> Attempt:
    """Try whether a server greets in DTLS; more of it Python does not speak."""
    greeting = await greet(transport, way.address, way.route.port)
    if greeting.is_hello:
        greeted = _route_check(way).ok(f"The TURN server greets {way}.", **way.facts)
        return Attempt(way, "answers", [greeted])
    message = f"The TURN server gives no answer {way}."
    return Attempt(way, _state(greeting.fault), [_route_check(way).error(message, **way.facts)])


def _state(fault: Fault | None) -> State:
    kind = fault.kind if fault else "timeout"
    return kind if kind in ("private", "no_route") else "silent"


def _route_check(way: Way) -> Check:
    return ROUTE.of(way.route.kind)


def _certificate(channel: Channel, way: Way) -> list[Finding]:
    if channel.certificate is None:
        return []
    if channel.fault:
        message = f"Clients refuse the certificate {way}: {channel.fault}."
        return [CERTIFICATE.error(message, **way.facts)]
    return [CERTIFICATE.ok(f"The certificate {way} is trusted.", **way.facts)]


async def _binding(client: TurnClient, channel: Channel, way: Way) -> Finding:
    check = _route_check(way)
    try:
        mapped = await client.bind()
    except StunError as error:
        reason = channel.fault or error
        return check.error(f"The TURN server gives no answer {way}: {reason}.", **way.facts)
    facts = {**way.facts, "we_are": str(mapped)}
    if mapped.address.version != way.version:
        return check.warning(f"The answer {way} names an address of the other family.", **facts)
    return check.ok(f"The TURN server answers {way}.", **facts)


async def _allocations(
    client: TurnClient, way: Way, *, realm: str, caller: Caller | None, relay: bool
) -> list[Finding]:
    findings = await _anonymous(client, way, realm=realm)
    if caller is None or findings[0].verdict != "ok":
        return findings
    return findings + await check_relay(client, caller, way=way, thorough=relay)


async def _anonymous(client: TurnClient, way: Way, *, realm: str) -> list[Finding]:
    """Expect that a relay is refused to strangers, and that the refusal says how to log in."""
    try:
        answer = await client.challenge(way.version)
    except StunError as error:
        return [ANONYMOUS.error(f"Asking for a relay {way} fails: {error}.", **way.facts)]
    if answer.is_success:
        await client.release_quietly()
        return [ANONYMOUS.error(f"Anybody gets a relay {way} without a password.", **way.facts)]
    facts = {**way.facts, "code": answer.error_code, "realm": client.realm}
    if answer.error_code != UNAUTHORIZED or not client.realm:
        message = f"A relay is refused {way} with {answer.error_code} and not with 401 and a realm."
        return [ANONYMOUS.warning(message, **facts)]
    findings = [ANONYMOUS.ok(f"No relay without credentials {way}.", **facts)]
    if realm and client.realm != realm:
        message = f'The realm is "{client.realm}" {way}, not "{realm}".'
        findings.append(REALM.warning(message, **facts))
    return findings
