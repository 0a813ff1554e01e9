# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every port of a plan against hosts in memory: what answers what, and what it proves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports.check_ports import (
    check_ports,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports.dns_messages import (
    dns_question,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    FaultKind,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_host import (
    IPV4,
    IPV6,
    FakeHost,
    Port,
    Speech,
    always,
    opened,
    speak_dns,
    speak_dns_over_tcp,
    speak_dtls,
    speak_stun,
)


def look(host: FakeHost, *ports: dict[str, Any], closed: tuple[int, ...] = ()) -> list[Finding]:
    shut = [{"protocol": "tcp", "port": port, "purpose": ""} for port in closed]
    plan = {"open": list(ports), "closed": shut}
    expectations = {"hostname": "matrix.example.com", "ports": plan}
    return asyncio.run(check_ports(host, Expectations.of(expectations)))


SSH = opened("tcp", 22, "ssh")
HTTPS = opened("tcp", 443, "reverse_proxy")
WEB = {"tcp-443": always(b"TLS")}


@pytest.mark.parametrize(
    ("port", "speech"),
    [
        pytest.param(SSH, always(b"SSH-2.0-OpenSSH_9.2\r\n"), id="SSH"),
        pytest.param(opened("tcp", 2222, "ssh"), always(b"SSH-2.0-x"), id="SSH elsewhere"),
        pytest.param(
            opened("tcp", 80, "reverse_proxy"), always(b"HTTP/1.1 301 Moved\r\n"), id="HTTP"
        ),
        pytest.param(HTTPS, always(b"TLS"), id="HTTPS"),
        pytest.param(opened("tcp", 8448, "synapse"), always(b"TLS"), id="federation"),
        pytest.param(opened("tcp", 3478, "coturn"), speak_stun, id="STUN over TCP"),
        pytest.param(opened("udp", 3478, "coturn"), speak_stun, id="STUN over UDP"),
        pytest.param(opened("tcp", 5349, "coturn"), speak_stun, id="STUN over TLS"),
        pytest.param(opened("udp", 5349, "coturn"), speak_dtls, id="DTLS"),
        pytest.param(opened("tcp", 4443, "jitsi"), always(b""), id="a connection"),
        pytest.param(opened("tcp", 113, "heisenbridge"), always(b"0, 0 : ERROR :x"), id="ident"),
        pytest.param(opened("udp", 53, "dnsmasq"), speak_dns, id="DNS over UDP"),
        pytest.param(opened("tcp", 53, "dnsmasq"), speak_dns_over_tcp, id="DNS over TCP"),
    ],
)
def test_an_open_port(port: dict[str, Any], speech: Speech) -> None:
    name = f"{port['protocol']}-{port['first']}"
    [finding] = look(FakeHost({name: speech}), port)
    assert (finding.verdict, finding.id) == ("ok", f"ports.open.{name}")


def test_dtls_of_a_server_that_remembers_one_of_our_ports() -> None:
    asked = []

    def speak(question: bytes) -> bytes:
        asked.append(question)
        return b"" if len(asked) == 1 else speak_dtls(question)

    [finding] = look(FakeHost({"udp-5349": speak}), opened("udp", 5349, "coturn"))
    assert finding.verdict == "ok"
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("port", "found", "verdict"),
    [
        pytest.param(SSH, always(b"220 mail"), "error", id="another protocol"),
        pytest.param(SSH, "timeout", "info", id="SSH is often filtered"),
        pytest.param(SSH, "refused", "error", id="SSH does not run"),
        pytest.param(opened("tcp", 8448, "synapse"), "timeout", "error", id="filtered"),
        pytest.param(opened("tcp", 8448, "synapse"), "refused", "error", id="refused"),
        pytest.param(opened("tcp", 8448, "synapse"), always(b"SSH"), "error", id="no TLS"),
        pytest.param(opened("udp", 3478, "coturn"), always(b""), "error", id="UDP silent"),
        pytest.param(opened("udp", 3478, "coturn"), always(b"noise"), "error", id="UDP noise"),
        pytest.param(opened("udp", 5349, "coturn"), always(b"noise"), "error", id="no DTLS"),
        pytest.param(opened("tcp", 25, "postmoogle"), "timeout", "unknown", id="SMTP blocked"),
        pytest.param(opened("tcp", 587, "postmoogle"), "timeout", "error", id="submission"),
        pytest.param(opened("udp", 51820, "wireguard"), always(b""), "unknown", id="WireGuard"),
        pytest.param(opened("udp", 10000, "jitsi"), always(b""), "unknown", id="Jitsi video"),
        pytest.param(opened("udp", 10000, "jitsi"), "refused", "error", id="no video bridge"),
        pytest.param(opened("tcp", 25, "postmoogle"), "refused", "error", id="no mail server"),
        pytest.param(opened("tcp", 587, "postmoogle"), "refused", "error", id="no submission"),
        pytest.param(opened("tcp", 113, "heisenbridge"), "refused", "error", id="no ident"),
        pytest.param(opened("tcp", 113, "heisenbridge"), always(b"no"), "error", id="not ident"),
        pytest.param(opened("tcp", 4443, "jitsi"), "refused", "info", id="no Jitsi over TCP"),
        pytest.param(opened("udp", 53, "dnsmasq"), always(b""), "info", id="DNS for others"),
        pytest.param(opened("tcp", 53, "dnsmasq"), always(b""), "info", id="DNS hangs up"),
        pytest.param(opened("tcp", 53, "dnsmasq"), "refused", "info", id="DNS on the tunnel"),
        pytest.param(opened("tcp", 53, "dnsmasq"), "timeout", "error", id="DNS filtered"),
        pytest.param(opened("tcp", 1234, "extra"), "refused", "info", id="own port, no service"),
        pytest.param(opened("tcp", 1234, "extra"), "timeout", "error", id="own port, filtered"),
        pytest.param(
            opened("udp", 49152, "coturn", last=49573), always(b""), "skipped", id="relay range"
        ),
        pytest.param(
            opened("tcp", 8448, "synapse", sources=["10.0.0.0/8"]), "timeout", "info", id="narrowed"
        ),
    ],
)
def test_what_a_port_shows(port: dict[str, Any], found: Port, verdict: str) -> None:
    name = f"{port['protocol']}-{port['first']}"
    findings = look(FakeHost({name: found, **WEB}), port, HTTPS)
    assert [item.verdict for item in findings if item.id == f"ports.open.{name}"] == [verdict]


@pytest.mark.parametrize(
    ("found", "verdict", "said"),
    [
        pytest.param("refused", "ok", "refused", id="refused"),
        pytest.param("timeout", "ok", "filtered", id="filtered"),
        pytest.param(always(b"hello"), "error", "answers strangers", id="open"),
    ],
)
def test_a_closed_port(found: Port, verdict: str, said: str) -> None:
    findings = look(FakeHost({"tcp-5432": found, **WEB}), HTTPS, closed=(5432,))
    [finding] = [item for item in findings if item.id == "ports.closed.tcp-5432"]
    assert finding.verdict == verdict
    assert said in finding.message


def test_silence_over_a_stream_is_no_firewall() -> None:
    port = opened("tcp", 3478, "coturn")
    [finding] = look(FakeHost({"tcp-3478": always(b"")}), port)
    assert "is open, but does not speak STUN" in finding.message


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        pytest.param("timeout", "error", id="dead"),
        pytest.param("unreachable", "error", id="no host there"),
        pytest.param("no_route", "unknown", id="no IPv6 here"),
        pytest.param("private", "skipped", id="private"),
    ],
)
def test_an_address_where_nothing_answers_is_one_finding(fault: FaultKind, verdict: str) -> None:
    host = FakeHost(WEB, records=(IPV4, IPV6), at={IPV6.value: fault})
    findings = look(host, HTTPS, closed=(5432,))
    assert {(item.verdict, item.id) for item in findings} == {
        ("ok", "ports.open.tcp-443"),
        ("ok", "ports.closed.tcp-5432"),
        (verdict, "ports.address"),
    }


def test_each_address_is_judged_by_itself() -> None:
    findings = look(FakeHost(WEB, records=(IPV4, IPV6)), HTTPS)
    assert [item.evidence["address"] for item in findings] == [IPV4.value, IPV6.value]


@pytest.mark.parametrize("expectations", [{}, {"hostname": "h"}, {"ports": {"open": [SSH]}}])
def test_without_a_plan_nothing_is_tried(expectations: dict[str, Any]) -> None:
    [finding] = asyncio.run(check_ports(FakeHost({}), Expectations.of(expectations)))
    assert finding.verdict == "skipped"


def test_a_host_without_an_address_is_left_to_other_checks() -> None:
    [finding] = look(FakeHost(WEB, records=()), HTTPS)
    assert (finding.verdict, finding.id) == ("skipped", "ports.address")


def test_the_dns_question() -> None:
    assert dns_question("a.example", b"\1\2") == (b"\1\2\1\0\0\1\0\0\0\0\0\0\1a\7example\0\0\1\0\1")
