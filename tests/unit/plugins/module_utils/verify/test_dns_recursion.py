# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open resolvers, and name servers that are none; the answers are written by dnspython."""

from __future__ import annotations

import asyncio
import struct
import time
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports.dns_recursion import (
    check_recursion,
    heard_of,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
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
)
from hypothesis import given
from hypothesis import strategies as st

HOST = "matrix.example.com"
EASY = ("version.bind. CH TXT", ". IN NS")
RECORD = dns.rrset.from_text("example.com.", 60, "IN", "A", "192.0.2.80")


def server(code: str, *, flags: str = "", records: int = 0, **changes: Any) -> Speech:
    """Return a name server that gives every foreign question this answer, and refuses others."""

    def speak(question: bytes) -> bytes:
        query = dns.message.from_wire(question)
        reply = dns.message.make_response(query)
        if query.question[0].to_text() in EASY:
            assert not query.flags & dns.flags.RD
            reply.set_rcode(dns.rcode.REFUSED)
            return reply.to_wire()
        assert query.question[0].to_text() == "example.com. IN A"
        assert query.flags & dns.flags.RD
        reply.flags |= dns.flags.from_text(flags)
        reply.set_rcode(dns.rcode.from_text(code))
        reply.answer = [RECORD] * min(records, 1)
        reply.id ^= changes.get("identity", 0)
        return reply.to_wire()

    return speak


def over_tcp(speech: Speech) -> Speech:
    def speak(question: bytes) -> bytes:
        answer = speech(question[2:])
        return struct.pack("!H", len(answer)) + answer

    return speak


def look(udp: Port, tcp: Port = "refused", **host: Any) -> list[Finding]:
    speech = tcp if isinstance(tcp, str) else over_tcp(tcp)
    transport = FakeHost({"udp-53": udp, "tcp-53": speech}, **host)
    return asyncio.run(check_recursion(transport, HOST))


CASES = [
    pytest.param(server("NOERROR", flags="RA", records=1), "error", id="an answer"),
    pytest.param(server("NXDOMAIN", flags="RA"), "error", id="no such name"),
    pytest.param(server("NOERROR", flags="RA"), "error", id="no such record"),
    pytest.param(server("NOERROR", flags="RA TC"), "error", id="cut short"),
    pytest.param(server("NOERROR", records=1), "error", id="an answer without saying so"),
    pytest.param(server("SERVFAIL", flags="RA"), "unknown", id="it tries, and fails"),
    pytest.param(server("REFUSED"), "ok", id="refused"),
    pytest.param(server("REFUSED", flags="RA"), "ok", id="dnsmasq without anybody to ask"),
    pytest.param(server("NOERROR"), "ok", id="a referral"),
    pytest.param(server("NXDOMAIN", flags="AA"), "ok", id="authoritative"),
    pytest.param(server("NOERROR", flags="AA", records=1), "ok", id="its own zone"),
    pytest.param(server("SERVFAIL"), "ok", id="no recursion, and no zone"),
    pytest.param(server("NOTIMP"), "ok", id="not implemented"),
]


@pytest.mark.parametrize(("speech", "verdict"), CASES)
def test_over_udp(speech: Speech, verdict: str) -> None:
    [finding] = look(speech)
    assert (finding.verdict, finding.id) == (verdict, "dns.recursion")


@pytest.mark.parametrize(("speech", "verdict"), CASES)
def test_over_tcp(speech: Speech, verdict: str) -> None:
    [finding] = look("timeout", speech)
    assert finding.verdict == verdict


@pytest.mark.parametrize(
    "found",
    [
        pytest.param("refused", id="refused"),
        pytest.param("timeout", id="filtered"),
        pytest.param(always(b""), id="silence, as dnsmasq meets strangers"),
        pytest.param(always(b"SSH-2.0-OpenSSH\r\n"), id="another protocol"),
        pytest.param(always(b"\0" * 12), id="a question"),
        pytest.param(
            server("NOERROR", flags="RA", records=1, identity=1), id="an answer to somebody else"
        ),
    ],
)
def test_what_is_no_answer(found: Port) -> None:
    [finding] = look(found, "refused")
    assert finding.verdict == "ok"
    assert finding.message == "No name server at 192.0.2.1 answers strangers."


def test_the_ways_are_named() -> None:
    bad, good = server("NOERROR", flags="RA", records=1), server("REFUSED")
    for udp, tcp, named in ((bad, bad, "UDP and TCP"), (bad, good, "UDP"), (good, bad, "TCP")):
        [finding] = look(udp, tcp)
        assert finding.message.endswith(f"for strangers over {named}.")


def test_one_open_resolver_at_two_addresses_is_one_finding() -> None:
    [finding] = look(server("NXDOMAIN", flags="RA"), records=(IPV4, IPV6))
    assert f"at {IPV4.value} and {IPV6.value} looks up" in finding.message


@pytest.mark.parametrize("fault", ["private", "no_route"])
def test_an_address_that_cannot_be_asked_is_left_to_the_ports(fault: FaultKind) -> None:
    [finding] = look("refused", records=(IPV4, IPV6), at={IPV6.value: fault})
    assert finding.evidence["address"] == IPV4.value


def test_without_a_host_nobody_is_asked() -> None:
    assert asyncio.run(check_recursion(FakeHost({}), "")) == []


def test_patience_has_an_end() -> None:
    """A port that swallows everything costs no more than the patience."""

    async def looked() -> list[Finding]:
        network = Network(Guard.parse(["127.0.0.0/8"]), seconds=5)
        return await check_recursion(network, "127.0.0.53", patience=0.3)

    started = time.monotonic()
    findings = asyncio.run(looked())
    assert {finding.id for finding in findings} <= {"dns.recursion"}
    assert time.monotonic() - started < 2


@given(st.binary(max_size=64))
def test_any_bytes_are_a_state(data: bytes) -> None:
    question = b"\1\2" + bytes(20)
    for answer in (data, b"\1\2" + data, b"\1\2\x80" + data):
        assert heard_of("udp", answer, question).state in ("open", "unclear", "refuses", "silent")
