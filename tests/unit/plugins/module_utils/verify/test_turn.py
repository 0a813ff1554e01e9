# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TURN checks against a server in memory that has one fault at a time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.calls.check_turn import (
    check_turn,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
    TurnRoute,
    routes_of,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.stun import (
    Kind,
    Message,
    Name,
    build,
    parse,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import Fault
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    Record,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_turn import (
    CREDENTIALS,
    RECORDS,
    Behaviour,
    FakeTurn,
)
from hypothesis import given, settings
from hypothesis import strategies as st

EXPECTATIONS: dict[str, Any] = {
    "turn": {
        "host": "turn.example.com",
        "port": 3478,
        "tls_port": 5349,
        "realm": "turn.example.com",
        "relay_first": 49152,
        "relay_last": 49573,
        "uris": [
            "turns:turn.example.com?transport=tcp",
            "turn:turn.example.com?transport=udp",
            "turn:turn.example.com:3478?transport=tcp",
            "turns:turn.example.com?transport=udp",
        ],
    }
}
ALLOWED = ("192.0.2.0/24",)
TIMEOUT = Fault("timeout", "no answer in time")
REFUSED = Fault("refused", "the connection is refused")


def look(
    behaviour: Behaviour,
    *,
    credentials: Mapping[str, Any] | None = MappingProxyType(CREDENTIALS),
    expectations: Mapping[str, Any] = MappingProxyType(EXPECTATIONS),
    allowed: Sequence[str] = ALLOWED,
) -> list[Finding]:
    network = FakeTurn(behaviour)
    return asyncio.run(
        check_turn(network, Expectations.of(expectations).turn, credentials, allowed=allowed)
    )


def faults(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(item.verdict, item.id) for item in findings if item.verdict not in ("ok", "info")}


def test_nothing_is_wrong_with_a_good_server() -> None:
    findings = look(Behaviour())
    assert faults(findings) == set()
    assert {finding.id for finding in findings} == {
        "turn.udp",
        "turn.tcp",
        "turn.tls",
        "turn.dtls",
        "turn.certificate",
        "turn.anonymous",
        "turn.credentials",
        "turn.relay_address",
        "turn.relay_port",
        "turn.relay_outside",
        "turn.relay_between",
        "turn.private_peers",
        "turn.expired",
    }


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        pytest.param(
            Behaviour(open_relay=True), {("error", "turn.anonymous")}, id="relay for everybody"
        ),
        pytest.param(
            Behaviour(secret="south"), {("error", "turn.credentials")}, id="another secret"
        ),
        pytest.param(
            Behaviour(realm="other.example.com"), {("warning", "turn.realm")}, id="another realm"
        ),
        pytest.param(Behaviour(stale_at=Kind.ALLOCATE), set(), id="a stale nonce is no fault"),
        pytest.param(
            Behaviour(stale_at=Kind.CREATE_PERMISSION),
            set(),
            id="a nonce that is stale for permissions is no fault",
        ),
        pytest.param(
            Behaviour(remembers_relays=2),
            set(),
            id="two ports for which the server holds a relay are no fault",
        ),
        pytest.param(
            Behaviour(remembers_relays=3),
            {("warning", "turn.anonymous")},
            id="a server that holds a relay for every port",
        ),
        pytest.param(
            Behaviour(remembers_users=2),
            set(),
            id="two ports from which the server remembers another user are no fault",
        ),
        pytest.param(
            Behaviour(remembers_users=9),
            {("error", "turn.credentials")},
            id="a server that remembers another user from every port",
        ),
        pytest.param(Behaviour(loses=1), set(), id="a lost datagram is no fault"),
        pytest.param(Behaviour(loses=2), set(), id="two lost datagrams are no fault"),
        pytest.param(
            Behaviour(signs=False), {("error", "turn.credentials")}, id="unsigned answers"
        ),
        pytest.param(
            Behaviour(relay="10.0.0.5"),
            {("error", "turn.relay_address")},
            id="a relay on a private address",
        ),
        pytest.param(
            Behaviour(first_port=60000), {("error", "turn.relay_port")}, id="a relay out of range"
        ),
        pytest.param(
            Behaviour(firewall=True), {("error", "turn.relay_outside")}, id="relay ports closed"
        ),
        pytest.param(
            Behaviour(own_peers=False),
            {("warning", "turn.relay_permission")},
            id="peers forbidden",
        ),
        pytest.param(
            Behaviour(private_peers=True), {("error", "turn.private_peers")}, id="private peers"
        ),
        pytest.param(
            Behaviour(spoils=True),
            {("error", "turn.relay_outside"), ("error", "turn.relay_between")},
            id="data spoilt",
        ),
        pytest.param(
            Behaviour(refusals={3: 440}), {("warning", "turn.relay_family")}, id="no such family"
        ),
        pytest.param(
            Behaviour(refusals={3: 486}), {("error", "turn.credentials")}, id="quota reached"
        ),
        pytest.param(Behaviour(clock=0), {("error", "turn.expired")}, id="no look at the time"),
        pytest.param(
            Behaviour(clock=2000000000), {("error", "turn.credentials")}, id="a clock of the future"
        ),
        pytest.param(
            Behaviour(unanswered=frozenset({8})),
            {
                ("error", "turn.relay_outside"),
                ("error", "turn.relay_between"),
                ("unknown", "turn.private_peers"),
            },
            id="no answer about peers",
        ),
        pytest.param(Behaviour(refusals={4: 437}), {("warning", "turn.release")}, id="no release"),
        pytest.param(
            Behaviour(certificate_fault="expired"),
            {("error", "turn.certificate")},
            id="certificate",
        ),
        pytest.param(
            Behaviour(closed={"udp": TIMEOUT}),
            {("error", "turn.udp"), ("error", "turn.dtls")},
            id="no UDP",
        ),
        pytest.param(Behaviour(closed={"tcp": REFUSED}), {("error", "turn.tcp")}, id="no TCP"),
        pytest.param(Behaviour(closed={"tls": REFUSED}), {("error", "turn.tls")}, id="no TLS"),
        pytest.param(
            Behaviour(closed=dict.fromkeys(("udp", "tcp", "tls"), TIMEOUT)),
            {("error", "turn.server")},
            id="nothing answers",
        ),
        pytest.param(
            Behaviour(closed=dict.fromkeys(("udp", "tcp", "tls"), Fault("no_route", "none"))),
            {("unknown", "turn.server")},
            id="no route from here",
        ),
        pytest.param(
            Behaviour(closed=dict.fromkeys(("udp", "tcp", "tls"), Fault("private", "private"))),
            {("skipped", "turn.server")},
            id="a private address",
        ),
        pytest.param(Behaviour(answer=b""), {("error", "turn.server")}, id="silence"),
        pytest.param(
            Behaviour(answer=b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            {("error", "turn.server")},
            id="another protocol",
        ),
        pytest.param(Behaviour(answer=os.urandom(300)), {("error", "turn.server")}, id="noise"),
    ],
)
def test_one_fault(behaviour: Behaviour, expected: set[tuple[str, str]]) -> None:
    assert faults(look(behaviour)) == expected


ATTRIBUTES = st.lists(
    st.tuples(st.sampled_from([int(name) for name in Name]), st.binary(max_size=24)), max_size=6
).map(tuple)
KINDS = st.sampled_from([0, 0x0010, 0x0100, 0x0110])


@settings(max_examples=150, deadline=None)
@given(kind=KINDS, attributes=ATTRIBUTES, cut=st.integers(0, 60), sealed=st.booleans())
def test_wrong_answers_are_findings(
    kind: int, attributes: tuple[tuple[int, bytes], ...], cut: int, sealed: bool
) -> None:
    """Let the server answer every request with another message, whole or cut."""

    def mangle(answer: bytes) -> bytes:
        head = parse(answer)
        message = Message(head.kind & ~0x0110 | kind, head.transaction, attributes)
        data = build(message, key=b"k" if sealed else None)
        return data if cut > 30 else data[: len(data) - cut]

    findings = look(Behaviour(mangle=mangle), allowed=("0.0.0.0/0", "::/0"))
    assert {finding.area for finding in findings} == {"turn"}


def test_every_relay_is_given_back() -> None:
    network = FakeTurn(Behaviour())
    asyncio.run(
        check_turn(network, Expectations.of(EXPECTATIONS).turn, CREDENTIALS, allowed=ALLOWED)
    )
    assert network.released == len(network.relays) == 4


def test_a_relay_for_expired_credentials_is_given_back_too() -> None:
    network = FakeTurn(Behaviour(clock=0))
    asyncio.run(
        check_turn(network, Expectations.of(EXPECTATIONS).turn, CREDENTIALS, allowed=ALLOWED)
    )
    assert network.released == len(network.relays) == 5


def test_refused_credentials_name_both_causes() -> None:
    [finding] = [item for item in look(Behaviour(secret="south")) if item.verdict == "error"]
    assert "secret" in finding.message
    assert "clock" in finding.message
    assert "clocks" in finding.remedy


def test_without_an_expired_pair_that_is_not_tried() -> None:
    valid = {name: CREDENTIALS[name] for name in ("username", "password")}
    assert "turn.expired" not in {item.id for item in look(Behaviour(), credentials=valid)}


def test_which_private_peers_are_tried() -> None:
    """Whatever private networks the operator allows, the host itself is none of them."""
    for allowed, more in ((ALLOWED, ["10.0.0.1", "192.168.0.1"]), (("0.0.0.0/0",), [])):
        [finding] = [
            item for item in look(Behaviour(), allowed=allowed) if item.id == "turn.private_peers"
        ]
        assert finding.evidence["tried"] == ["127.0.0.1", "169.254.169.254", *more]


BOTH = (*RECORDS, Record("turn.example.com", "AAAA", "2001:db8::1"))
SIX = "2001:db8::1"


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        pytest.param(
            Behaviour(closed=dict.fromkeys(("udp", "tcp", "tls"), TIMEOUT)),
            ["No TURN server answers at 192.0.2.1 and 2001:db8::1."],
            id="nothing answers anywhere",
        ),
        pytest.param(
            Behaviour(closed_at={SIX: TIMEOUT}),
            ["No TURN server answers at 2001:db8::1."],
            id="one address is dead",
        ),
        pytest.param(
            Behaviour(closed={"tcp": Fault("refused", "refused")}),
            ["The TURN server gives no answer over TCP at 192.0.2.1:3478 and [2001:db8::1]:3478: "],
            id="one route is closed",
        ),
        pytest.param(
            Behaviour(open_relay=True),
            [
                "Anybody gets a relay over UDP at 192.0.2.1:3478 and [2001:db8::1]:3478, "
                "over TCP at 192.0.2.1:3478 and [2001:db8::1]:3478, "
                "over TLS at 192.0.2.1:5349 and [2001:db8::1]:5349 without a password."
            ],
            id="the same on every way",
        ),
        pytest.param(
            Behaviour(certificate_fault="expired"),
            ["Clients refuse the certificate over TLS at 192.0.2.1:5349 and [2001:db8::1]:5349: "],
            id="certificate",
        ),
    ],
)
def test_one_fault_at_two_addresses_is_one_finding(
    behaviour: Behaviour, expected: list[str]
) -> None:
    network = FakeTurn(behaviour, BOTH)
    findings = asyncio.run(check_turn(network, Expectations.of(EXPECTATIONS).turn, None))
    told = [item.message for item in findings if item.verdict not in ("ok", "info", "skipped")]
    assert [text[: len(start)] for text, start in zip(told, expected)] == expected
    assert len(told) == len(expected)


def test_a_way_that_is_closed_for_two_reasons_is_two_findings() -> None:
    """No route from here and a dead address are told apart."""
    no_route = Fault("no_route", "none")
    network = FakeTurn(Behaviour(closed_at={SIX: no_route, "192.0.2.1": TIMEOUT}), BOTH)
    findings = asyncio.run(check_turn(network, Expectations.of(EXPECTATIONS).turn, None))
    assert faults(findings) == {
        ("error", "turn.server"),
        ("unknown", "turn.server"),
        ("skipped", "turn.credentials"),
    }


def test_without_credentials_no_relay_is_asked_for() -> None:
    network = FakeTurn(Behaviour())
    findings = asyncio.run(check_turn(network, Expectations.of(EXPECTATIONS).turn, None))
    assert faults(findings) == {("skipped", "turn.credentials")}
    assert network.relays == {}


def test_without_expectations_nothing_is_asked() -> None:
    assert faults(look(Behaviour(), expectations={})) == {("skipped", "turn.server")}


def test_a_name_without_address() -> None:
    expectations = {"turn": {"host": "nowhere.example.com"}}
    assert faults(look(Behaviour(), expectations=expectations)) == {("error", "turn.addresses")}


def test_each_address_is_judged_by_itself() -> None:
    records = (*RECORDS, Record("turn.example.com", "AAAA", "2001:db8::1"))
    network = FakeTurn(Behaviour(), records)
    findings = asyncio.run(check_turn(network, Expectations.of(EXPECTATIONS).turn, None))
    addresses = {item.evidence["address"] for item in findings if item.id == "turn.anonymous"}
    assert addresses == {"192.0.2.1", "2001:db8::1"}


def test_no_secret_is_in_the_findings() -> None:
    for behaviour in (Behaviour(), Behaviour(secret="south"), Behaviour(clock=0)):
        for password in (CREDENTIALS["password"], CREDENTIALS["expired"]["password"]):
            assert password not in repr(look(behaviour))


@pytest.mark.parametrize(
    ("uri", "route"),
    [
        pytest.param("turn:h.test", TurnRoute("udp", "h.test", 3478), id="plain"),
        pytest.param("turn:h.test:1?transport=tcp", TurnRoute("tcp", "h.test", 1), id="TCP"),
        pytest.param("turns:h.test", TurnRoute("tls", "h.test", 5349), id="TLS"),
        pytest.param(
            "turns:h.test:443?transport=tcp", TurnRoute("tls", "h.test", 443), id="TLS 443"
        ),
        pytest.param("turns:h.test?transport=udp", TurnRoute("dtls", "h.test", 5349), id="DTLS"),
        pytest.param("turn:[2001:db8::1]:1", TurnRoute("udp", "2001:db8::1", 1), id="IPv6 literal"),
    ],
)
def test_uri(uri: str, route: TurnRoute) -> None:
    assert routes_of([uri]) == (route,)


@pytest.mark.parametrize("uri", ["", "stun:h.test", "turn:", "turn://h.test", "turn:h?x=y"])
def test_what_is_no_turn_uri(uri: str) -> None:
    assert routes_of([uri]) == ()
