# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A port that another check looks at is left to it, and no other port is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.calls.check_turn import (
    check_turn,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.elsewhere import (
    Elsewhere,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding
from ansible_collections.homestead.matrix.plugins.module_utils.verify.peers.resolution import (
    PeerEndpoint,
    Resolution,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports.check_ports import (
    check_ports,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire import stun
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.stun import Kind, Name
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_host import (
    IPV4,
    IPV6,
    FakeHost,
    Port,
    always,
    opened,
    speak_dtls,
    speak_stun,
)

HOST = "matrix.example.com"
BASE = f"https://{HOST}"
WAYS = ("udp", "tcp")
TURN = Expectations.of(
    {"turn": {"host": HOST, "uris": [f"turn:{HOST}", f"turns:{HOST}?transport=udp"]}}
)
TURN_TCP = Expectations.of(
    {"turn": {"host": HOST, "uris": [f"turn:{HOST}?transport=tcp", f"turns:{HOST}"]}}
)
PLAN = [
    opened("tcp", 443, "reverse_proxy"),
    opened("tcp", 8448, "synapse"),
    opened("udp", 3478, "coturn"),
    opened("udp", 5349, "coturn"),
    opened("tcp", 3478, "coturn"),
    opened("tcp", 5349, "coturn"),
]
WELL: dict[str, Port] = {
    "tcp-443": always(b"TLS"),
    "tcp-8448": always(b"TLS"),
    "udp-3478": speak_stun,
    "udp-5349": speak_dtls,
    "tcp-3478": speak_stun,
    "tcp-5349": speak_stun,
}


def resolved(name: str, *places: tuple[str, int]) -> Resolution:
    endpoints = tuple(PeerEndpoint(address, port) for address, port in places)
    return Resolution("example.com", "3.2", endpoints=endpoints, certificate_name=name)


NOBODY = resolved("")
SEEN = stun.TransportAddress.of("192.0.2.99", 4000)


def speak_turn(question: bytes) -> bytes:
    """Answer a Binding request, and refuse a relay to strangers, as a TURN server does."""
    request = stun.parse(question)
    seen = stun.encode_endpoint(SEEN, transaction=request.transaction)
    attributes: tuple[stun.Attribute, ...] = ((int(Name.XOR_MAPPED_ADDRESS), seen),)
    if request.kind == Kind.ALLOCATE:
        attributes = ((int(Name.ERROR_CODE), b"\0\0\4\1"), (int(Name.REALM), HOST.encode()))
    outcome = 0x0110 if request.kind == Kind.ALLOCATE else 0x0100
    return stun.build(stun.Message(request.kind | outcome, request.transaction, attributes))


def look(host: FakeHost, elsewhere: Elsewhere) -> list[Finding]:
    async def looked() -> list[Finding]:
        known = asyncio.get_running_loop().create_future()
        known.set_result(elsewhere)
        expectations = {"hostname": HOST, "ports": {"open": PLAN, "closed": []}}
        return await check_ports(host, Expectations.of(expectations), elsewhere=known)

    return asyncio.run(looked())


@pytest.mark.parametrize(
    ("shut", "elsewhere", "verdict", "pointer"),
    [
        pytest.param(
            "tcp-443",
            Elsewhere.of(Expectations(), base=BASE, resolution=NOBODY),
            "skipped",
            "see client.reach.",
            id="the base URL",
        ),
        pytest.param(
            "tcp-8448",
            Elsewhere.of(Expectations(), base=f"{BASE}:8448", resolution=NOBODY),
            "skipped",
            "see client.reach.",
            id="the base URL with a port",
        ),
        pytest.param(
            "tcp-443",
            Elsewhere.of(Expectations(), base="https://other.example.com", resolution=NOBODY),
            "error",
            "refused",
            id="the base URL of another host",
        ),
        pytest.param(
            "tcp-443",
            Elsewhere.of(Expectations(), base="https://[", resolution=NOBODY),
            "error",
            "refused",
            id="a base URL that is none",
        ),
        pytest.param(
            "tcp-8448",
            Elsewhere.of(Expectations(), base=BASE, resolution=resolved(HOST, (IPV4.value, 8448))),
            "skipped",
            "see federation.reach.",
            id="federation",
        ),
        pytest.param(
            "tcp-8448",
            Elsewhere.of(Expectations(), base=BASE, resolution=resolved(HOST, (IPV4.value, 443))),
            "error",
            "refused",
            id="federation at another port",
        ),
        pytest.param(
            "tcp-8448",
            Elsewhere.of(Expectations(), base=BASE, resolution=resolved(HOST, ("192.0.2.7", 8448))),
            "error",
            "refused",
            id="federation at another address",
        ),
        pytest.param(
            "tcp-8448",
            Elsewhere.of(
                Expectations(), base=BASE, resolution=resolved("example.com", (IPV4.value, 8448))
            ),
            "error",
            "refused",
            id="federation by another name",
        ),
        pytest.param(
            "udp-3478",
            Elsewhere.of(TURN, base=BASE, resolution=NOBODY),
            "skipped",
            "see turn.udp or turn.server.",
            id="TURN over UDP",
        ),
        pytest.param(
            "udp-5349",
            Elsewhere.of(TURN, base=BASE, resolution=NOBODY),
            "skipped",
            "see turn.dtls or turn.server.",
            id="TURN over DTLS",
        ),
        pytest.param(
            "tcp-3478",
            Elsewhere.of(TURN_TCP, base=BASE, resolution=NOBODY),
            "skipped",
            "see turn.tcp or turn.server.",
            id="TURN over TCP",
        ),
        pytest.param(
            "tcp-5349",
            Elsewhere.of(TURN_TCP, base=BASE, resolution=NOBODY),
            "skipped",
            "see turn.tls or turn.server.",
            id="TURN over TLS",
        ),
        pytest.param(
            "tcp-3478",
            Elsewhere.of(TURN, base=BASE, resolution=NOBODY),
            "error",
            "refused",
            id="a way to TURN that no URI names",
        ),
        pytest.param(
            "udp-3478",
            Elsewhere.of(
                Expectations.of({"turn": {"host": "turn.example.com"}}),
                base=BASE,
                resolution=NOBODY,
            ),
            "error",
            "refused",
            id="TURN on another host",
        ),
    ],
)
def test_a_port_that_another_check_looks_at(
    shut: str, elsewhere: Elsewhere, verdict: str, pointer: str
) -> None:
    findings = look(FakeHost({**WELL, shut: "refused"}), elsewhere)
    [found] = [item for item in findings if item.verdict != "ok"]
    assert (found.id, found.verdict) == (f"ports.open.{shut}", verdict)
    assert pointer in found.message
    assert bool(found.remedy) is (verdict == "error")


def test_what_is_well_stays_well() -> None:
    everything = Elsewhere.of(TURN, base=BASE, resolution=resolved(HOST, (IPV4.value, 8448)))
    assert {item.verdict for item in look(FakeHost(WELL), everything)} == {"ok"}


@pytest.mark.parametrize(
    ("elsewhere", "verdict"),
    [
        pytest.param(Elsewhere(), "error", id="nobody else looks"),
        pytest.param(
            Elsewhere.of(Expectations(), base=f"{BASE}:8448", resolution=NOBODY),
            "skipped",
            id="others look",
        ),
    ],
)
def test_one_fault_at_two_addresses_is_one_finding(elsewhere: Elsewhere, verdict: str) -> None:
    host = FakeHost({**WELL, "tcp-8448": "refused"}, records=(IPV4, IPV6))
    [found] = [item for item in look(host, elsewhere) if item.verdict != "ok"]
    assert (found.id, found.verdict) == ("ports.open.tcp-8448", verdict)
    assert f"at {IPV4.value} and {IPV6.value}" in found.message
    places: list[dict[str, Any]] = found.evidence["places"]
    assert [place["address"] for place in places] == [IPV4.value, IPV6.value]
    assert found.evidence["addresses"] == [IPV4.value, IPV6.value]


def test_a_dead_address_is_one_finding_for_all_its_ports() -> None:
    host = FakeHost(WELL, records=(IPV4, IPV6), at={IPV6.value: "timeout"})
    found = [item for item in look(host, Elsewhere()) if item.verdict != "ok"]
    assert [(item.id, item.verdict) for item in found] == [("ports.address", "error")]


@pytest.mark.parametrize(
    ("shut", "told"),
    [
        pytest.param(
            ("udp-3478", "udp-5349", "tcp-3478", "tcp-5349"),
            f"No TURN server answers at {IPV4.value} and {IPV6.value}.",
            id="a dead server",
        ),
        pytest.param(
            ("udp-3478",),
            f"The TURN server gives no answer over UDP at {IPV4.value}:3478 and "
            f"[{IPV6.value}]:3478: ",
            id="one closed port",
        ),
    ],
)
def test_a_fault_of_the_turn_server_is_one_error_of_the_run(
    shut: tuple[str, ...], told: str
) -> None:
    """Two addresses, four ports, two parts of the report: one alarm."""
    uris = [f"{scheme}:{HOST}?transport={kind}" for scheme in ("turn", "turns") for kind in WAYS]
    turn = Expectations.of({"turn": {"host": HOST, "uris": uris}})
    ports_of_calls = dict.fromkeys(("udp-3478", "tcp-3478", "tcp-5349"), speak_turn)
    answers: dict[str, Port] = {**WELL, **ports_of_calls, **dict.fromkeys(shut, "refused")}
    host = FakeHost(answers, records=(IPV4, IPV6))
    ports = look(host, Elsewhere.of(turn, base=BASE, resolution=NOBODY))
    calls = asyncio.run(check_turn(host, turn.turn, None))
    errors = [item for item in [*ports, *calls] if item.verdict == "error"]
    assert [item.message[: len(told)] for item in errors] == [told]
    assert {item.id for item in ports if item.verdict == "skipped"} == {
        f"ports.open.{part}" for part in shut
    }
