# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ports say: greetings, HTTP, STUN, DTLS, ident, DNS and mail, or anything else."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports import (
    check_ports,
    dns_messages,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire import dtls
from ansible_collections.homestead.matrix.tests.fuzz.properties import (
    assert_sound,
    fuzzed,
    run,
)
from ansible_collections.homestead.matrix.tests.fuzz.strategies import mutated
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_host import (
    IPV4,
    FakeHost,
    opened,
    speak_dns,
    speak_stun,
)
from hypothesis import example
from hypothesis import strategies as st

KINDS = {
    "ssh": ("tcp", 22),
    "reverse_proxy": ("tcp", 443),
    "synapse": ("tcp", 8448),
    "coturn": ("udp", 3478),
    "postmoogle": ("tcp", 25),
    "heisenbridge": ("tcp", 113),
    "dnsmasq": ("udp", 53),
}
WEB = ("reverse_proxy", "tcp", 80)
MORE = (WEB, ("coturn", "tcp", 5349), ("coturn", "udp", 5349), ("dnsmasq", "tcp", 53))
PLANNED = [(name, *where) for name, where in KINDS.items()] + list(MORE)
SAID = mutated(
    b"SSH-2.0-OpenSSH_10.0\r\n",
    b"220 example.com ESMTP\r\n",
    b"220-example.com\r\n220 ESMTP\r\n",
    b"250-example.com\r\n250-STARTTLS\r\n250 SIZE 1\r\n",
    b"250-" + b"x" * 5000 + b"\r\n",
    b"554 no\r\n",
    b"HTTP/1.1 301 Moved\r\nLocation: https://example.com/\r\n\r\n",
    b"0, 0 : ERROR : NO-USER\r\n",
    b"\x16\xfe\xff" + bytes(40),
    b"\x16\x03\x03" + bytes(40),
    b"\x00\x20" + speak_dns(bytes(32)),
    speak_dns(bytes(32)),
    speak_stun(bytes.fromhex("000100002112a442000102030405060708090a0b")),
    b"\x1b[2J\x1b[31mred\x07",
)
STEPS = st.lists(SAID | st.sampled_from([speak_dns, speak_stun]), min_size=1, max_size=5)


def saying(steps: list[Any]) -> Callable[[bytes], bytes]:
    """Answer with each of these in turn, whatever is asked."""
    turns = itertools.cycle(steps)

    def say(question: bytes) -> bytes:
        step = next(turns)
        found: bytes = step(question) if callable(step) and len(question) > 2 else b""
        return step if isinstance(step, bytes) else found

    return say


@fuzzed(STEPS, st.booleans())
@example([b"220-" + b"x" * 600 + b"\r\n"], False)
@example([b"\xff" * 70_000], True)
def test_every_planned_port_is_judged(steps: list[Any], published: bool) -> None:
    speech = saying(steps)
    host = FakeHost(
        {f"{protocol}-{port}": speech for _unused, protocol, port in PLANNED}, records=(IPV4,)
    )
    planned = {
        "open": [opened(protocol, port, name) for name, protocol, port in PLANNED],
        "closed": [{"protocol": protocol, "port": port} for _unused, protocol, port in PLANNED],
    }
    led = [{"protocol": "tcp", "first": 8000, "last": 9000, "to": "172.17.0.2:80"}] * published
    expectations = {"hostname": IPV4.name, "ports": planned}
    assert_sound(run(check_ports.check_ports(host, Expectations.of(expectations), led)))


@pytest.mark.parametrize("probe", [dtls.is_dtls_answer])
@fuzzed(data=st.binary(max_size=40))
def test_answers_without_a_question(probe: Callable[[bytes], bool], data: bytes) -> None:
    assert probe(data) in (True, False)


@fuzzed(st.binary(max_size=40), st.binary(min_size=2, max_size=40))
def test_dns_answers_belong_to_their_question(answer: bytes, question: bytes) -> None:
    if dns_messages.is_dns_answer(answer, question):
        assert answer[:2] == question[:2]
