# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that Docker publishes past the firewall, seen by a stranger."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports.check_ports import (
    check_ports,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_host import (
    IPV4,
    IPV6,
    FakeHost,
    Port,
    always,
    opened,
)

HTTPS = opened("tcp", 443, "reverse_proxy")
WEB: dict[str, Port] = {"tcp-443": always(b"TLS")}


def led(protocol: str, first: int, to: str, *, last: int = 0) -> dict[str, Any]:
    return {"protocol": protocol, "first": first, "last": last or first, "to": to}


def look(ports: Mapping[str, Port], *published: dict[str, Any], **options: Any) -> list[Finding]:
    """Return what is found besides the ports that must be open."""
    expectations = {
        "hostname": "matrix.example.com",
        "ports": {"open": [HTTPS, *options.pop("opened", [])], "closed": options.pop("closed", [])},
    }
    host = FakeHost({**WEB, **ports}, **options)
    findings = asyncio.run(check_ports(host, Expectations.of(expectations), published))
    return [item for item in findings if not item.id.startswith("ports.open.")]


@pytest.mark.parametrize(
    ("port", "found", "verdict", "said"),
    [
        pytest.param(
            led("tcp", 8080, "172.17.0.2:80"),
            always(b""),
            "warning",
            "publishes 8080/tcp past the firewall, and it answers strangers at 192.0.2.1.",
            id="open",
        ),
        pytest.param(
            led("tcp", 8080, "172.17.0.2:80"), "refused", "info", "answers: refused.", id="refused"
        ),
        pytest.param(
            led("tcp", 8080, "172.17.0.2:80"), "timeout", "info", "filtered.", id="filtered"
        ),
        pytest.param(
            led("udp", 8080, "172.17.0.2:80"), always(b"hello"), "warning", "8080/udp", id="UDP"
        ),
        pytest.param(
            led("udp", 8080, "172.17.0.2:80"), "refused", "info", "refused", id="UDP refused"
        ),
        pytest.param(
            led("udp", 8080, "172.17.0.2:80"),
            always(b""),
            "unknown",
            "at 192.0.2.1 nothing answers, which over UDP proves nothing.",
            id="UDP silent",
        ),
    ],
)
def test_what_a_published_port_shows(
    port: dict[str, Any], found: Port, verdict: str, said: str
) -> None:
    [finding] = look({f"{port['protocol']}-8080": found}, port)
    assert (finding.verdict, finding.id) == (verdict, f"ports.published.{port['protocol']}-8080")
    assert said in finding.message
    assert finding.message.startswith("Docker, or other NAT on the host, publishes 8080/")


def test_the_remedy_is_for_this_port() -> None:
    [finding] = look({"tcp-9000": always(b"")}, led("tcp", 9000, "172.17.0.2:90"))
    assert finding.remedy == (
        "Publish it on 127.0.0.1 in the container's settings, like -p 127.0.0.1:9000:90, "
        "or list it in firewall_extra_ports if it shall be open."
    )


def test_the_evidence_says_where_the_port_leads() -> None:
    [finding] = look({"tcp-8080": always(b"")}, led("tcp", 8080, "172.17.0.2:80"))
    assert finding.evidence["to"] == "172.17.0.2:80"
    assert finding.evidence["address"] == "192.0.2.1"


@pytest.mark.parametrize(
    ("wanted", "verdicts"),
    [
        pytest.param([opened("tcp", 8080, "operator")], [], id="open to everybody"),
        pytest.param([opened("udp", 8080, "operator")], ["warning"], id="the other protocol"),
        pytest.param(
            [opened("tcp", 8080, "operator", sources=["10.0.0.0/8"])],
            ["warning"],
            id="open to some, but published to all",
        ),
    ],
)
def test_a_port_of_the_description(wanted: list[dict[str, Any]], verdicts: list[str]) -> None:
    findings = look({"tcp-8080": always(b"")}, led("tcp", 8080, "172.17.0.2:80"), opened=wanted)
    assert [finding.verdict for finding in findings] == verdicts


def test_a_range_is_one_finding_and_shows_what_answers_in_it() -> None:
    port = led("tcp", 8000, "172.17.0.2:8000-8003", last=8003)
    [finding] = look({"tcp-8002": always(b"")}, port)
    assert (finding.verdict, finding.id) == ("warning", "ports.published.tcp-8000")
    assert "8000-8003/tcp" in finding.message


def test_a_packet_stays_in_its_family() -> None:
    ports = [led("tcp", 8080, "172.17.0.2:80"), led("tcp", 8443, "[fd00::2]:443")]
    findings = look(
        {"tcp-8080": always(b""), "tcp-8443": always(b"")}, *ports, records=(IPV4, IPV6)
    )
    assert [(item.id[-4:], item.evidence["address"]) for item in findings] == [
        ("8080", IPV4.value),
        ("8443", IPV6.value),
    ]


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        pytest.param(always(b""), "error", id="open"),
        pytest.param("refused", "info", id="refused"),
    ],
)
def test_a_port_that_must_be_shut_is_one_finding(found: Port, verdict: str) -> None:
    shut = [{"protocol": "tcp", "port": 5432, "purpose": "PostgreSQL"}]
    [finding] = look({"tcp-5432": found}, led("tcp", 5432, "172.17.0.2:5432"), closed=shut)
    assert (finding.verdict, finding.id) == (verdict, "ports.published.tcp-5432")


@pytest.mark.parametrize(
    ("number", "verdict"),
    [
        pytest.param(5432, "error", id="far from its beginning"),
        pytest.param(5001, "warning", id="not the port that must be shut"),
    ],
)
def test_a_port_that_must_be_shut_in_a_long_range(number: int, verdict: str) -> None:
    shut = [{"protocol": "tcp", "port": 5432, "purpose": "PostgreSQL"}]
    port = led("tcp", 5000, "172.17.0.2:5000-5999", last=5999)
    [finding] = look({f"tcp-{number}": always(b"")}, port, closed=shut)
    assert (finding.verdict, finding.id) == (verdict, "ports.published.tcp-5000")


def test_a_port_that_must_be_shut_is_tried_where_nothing_leads_past_the_firewall() -> None:
    shut = [{"protocol": "tcp", "port": 5432, "purpose": "PostgreSQL"}]
    ports = [led("tcp", 5432, "172.17.0.2:5432")]
    findings = look({"tcp-5432": "refused"}, *ports, closed=shut, records=(IPV4, IPV6))
    assert [(item.id, item.evidence["address"]) for item in findings] == [
        ("ports.published.tcp-5432", IPV4.value),
        ("ports.closed.tcp-5432", IPV6.value),
    ]


def test_where_nothing_answers_the_address_is_the_finding() -> None:
    port = led("tcp", 8080, "172.17.0.2:80")
    [finding] = look({}, port, at={IPV4.value: "no_route"})
    assert finding.id == "ports.address"


def test_without_published_ports_nothing_is_said() -> None:
    assert look({"tcp-8080": always(b"")}) == []
