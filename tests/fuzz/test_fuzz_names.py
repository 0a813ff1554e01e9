# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, addresses and DNS answers of strangers."""

from __future__ import annotations

import contextlib
from typing import Any, Literal

import dns.message
import dns.rdataclass
import dns.rdatatype
import dns.resolver
from ansible_collections.homestead.matrix.plugins.module_utils import names
from ansible_collections.homestead.matrix.plugins.module_utils.host import published
from ansible_collections.homestead.matrix.plugins.module_utils.verify import (
    addresses,
    redirect_chain,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.peers import resolution
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire import (
    guard,
    hosts,
    lookup,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    DnsAnswer,
    SrvTarget,
)
from ansible_collections.homestead.matrix.tests.fuzz.properties import (
    assert_sound,
    fuzzed,
    run,
    value_or_refusal,
)
from ansible_collections.homestead.matrix.tests.fuzz.strategies import TEXTS, VALUES, mutated
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    FakeTransport,
)
from hypothesis import example
from hypothesis import strategies as st

IN = dns.rdataclass.IN
ADDRESSES = st.ip_addresses().map(str)
HOSTS = TEXTS | st.sampled_from(["a.b", "a..b", ".", "", "-", "1.2.3", "a" * 64, "[::1]", "xn--"])
PORTS = st.sampled_from(["", ":8448", ":0", ":99999", ":080", ":\u0661", ":1:2", ":-1"])
SERVER_NAMES = st.builds("{}{}".format, HOSTS, PORTS)
SERVICES = st.builds(
    SrvTarget, st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), HOSTS
)
ANSWERS = st.builds(
    DnsAnswer,
    st.sampled_from(["found", "nxdomain", "nodata", "servfail", "timeout"]),
    st.lists(ADDRESSES | HOSTS, max_size=4).map(tuple),
    st.lists(SERVICES, max_size=4).map(tuple),
    st.lists(HOSTS, max_size=2).map(tuple),
)
MANY = tuple(f"192.0.{number // 256}.{number % 256}" for number in range(4000))
TARGETS = tuple(SrvTarget(0, 0, 8448, f"t{number}.test") for number in range(2000))


@fuzzed(SERVER_NAMES)
@example("a" * 100_000)
@example("[" + ":" * 100_000 + "]")
@example("1." * 100_000)
@example("[fe80::1%eth0]:8448")
def test_server_names_are_parsed_or_refused(text: str) -> None:
    name = value_or_refusal(names.ServerName.parse, text)
    if name is not None:
        assert names.ServerName.parse(name.join()) == name
        assert name.host.isascii()


@fuzzed(VALUES | st.builds("@{}:{}".format, TEXTS, SERVER_NAMES) | st.emails())
@example("@" + "a" * 100_000 + ":b")
@example('"' + "\\ " * 50_000 + '"@b')
@example("a@[" + "-" * 100_000)
@example("https://" + "%20" * 50_000 + "%2")
def test_names_of_people_are_judged(value: Any) -> None:
    for judge in (names.user_id_fault, names.email_fault, names.role_fault, names.page_fault):
        fault = judge(value)
        assert fault is None or fault.severity in ("error", "warning", "info")


@fuzzed(TEXTS | ADDRESSES | st.builds("{}%{}".format, ADDRESSES, TEXTS))
def test_the_guard_admits_public_addresses_only(text: str) -> None:
    assert guard.Guard().admits(text) in (True, False)
    value_or_refusal(guard.Guard.parse, [text])


@fuzzed(TEXTS | st.builds("{}:{}-{}".format, ADDRESSES, TEXTS, TEXTS), VALUES, VALUES)
@example("a:" + "9" * 5000, 1, 2)
@example("a:1-\u0661", 1, 2)
def test_published_ports_are_read_or_refused(target: str, first: Any, last: Any) -> None:
    given = {"protocol": "tcp", "first": str(first), "last": str(last), "to": target}
    port = value_or_refusal(published.Published.of, given)
    if port is not None:
        assert published.Published.of(port.as_dict()) == port
        assert published.remedy(port)


class Names(FakeTransport):
    """A DNS that gives these answers, in turn, to whatever it is asked."""

    def __init__(self, *answers: DnsAnswer) -> None:
        super().__init__()
        self._given = answers
        self.asked = 0

    async def resolve(self, name: str, kind: Literal["A", "AAAA", "CNAME", "SRV"]) -> DnsAnswer:
        assert isinstance(name, str), kind
        self.asked += 1
        return self._given[self.asked % len(self._given)]


@fuzzed(st.lists(ANSWERS, min_size=1, max_size=6), SERVER_NAMES)
@example([DnsAnswer("found", MANY, TARGETS)], "example.com")
@example([DnsAnswer("found", MANY, TARGETS, ("alias.test",))], "example.com")
@example([DnsAnswer("found", MANY)], "example.com:8448")
@example([DnsAnswer("found", (), (SrvTarget(0, 0, 0, "x" * 5000),))], "example.com")
def test_a_resolution_ends_in_few_endpoints(answers: list[DnsAnswer], server_name: str) -> None:
    transport = Names(*answers)
    found = run(resolution.resolve(transport, server_name))
    assert len(found.endpoints) <= resolution.ENDPOINTS_LIMIT
    assert transport.asked <= resolution.QUESTIONS_LIMIT
    assert_sound(found.findings)


@fuzzed(st.lists(ANSWERS, min_size=1, max_size=3), HOSTS)
@example([DnsAnswer("found", MANY)], "example.com")
def test_few_addresses_of_a_name_are_tried(answers: list[DnsAnswer], host: str) -> None:
    transport = Names(*answers)
    request = redirect_chain.first_request(f"https://{host}/")
    with contextlib.suppress(ValueError):
        assert_sound(run(addresses.check_addresses(transport, request, resolution.ADDRESSES)))
    assert len(transport.requests) <= hosts.ADDRESSES_LIMIT


def wire(kind: str, *lines: str) -> bytes:
    """Return the bytes of an answer to a question for example.com."""
    query = dns.message.make_query("example.com.", kind, id=1)
    reply = dns.message.make_response(query)
    text = "\n".join([reply.to_text(), ";ANSWER", *lines])
    return dns.message.from_text(text).to_wire()


@fuzzed(
    mutated(
        wire("A", "example.com. 1 IN A 192.0.2.1"),
        wire("A", "example.com. 1 IN CNAME a.test.", "a.test. 1 IN A 192.0.2.1"),
        wire("CNAME", "example.com. 1 IN CNAME a.test.", "a.test. 1 IN CNAME example.com."),
        wire("SRV", "example.com. 1 IN SRV 0 0 1 .", "example.com. 1 IN SRV 0 0 1 a\\032b.test."),
    )
)
def test_dns_answers_are_read(data: bytes) -> None:
    """What dnspython takes for an answer is read; it refuses the rest by exceptions of its own."""
    try:
        message = dns.message.from_wire(data)
        question = message.question[0]
        reply = dns.resolver.Answer(question.name, question.rdtype, IN, message)
    except Exception:  # the resolver does the same with each answer it gets
        return
    kind = dns.rdatatype.to_text(question.rdtype)
    if kind in ("A", "AAAA", "CNAME", "SRV"):
        answer = lookup.answer_of(reply, kind)
        assert len(answer.records) <= lookup.RECORDS_LIMIT
        assert len(answer.services) <= lookup.RECORDS_LIMIT
