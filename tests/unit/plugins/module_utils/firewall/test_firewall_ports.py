# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.openings import (
    Opening,
    changes,
    ordered,
    parse,
)

SSH: dict[str, Any] = {"protocol": "tcp", "first": 22, "last": 22, "purpose": "SSH"}
RELAY: dict[str, Any] = {
    "protocol": "udp",
    "first": 49152,
    "last": 49573,
    "purpose": "TURN relay",
}
GRE: dict[str, Any] = {"protocol": "gre", "first": 0, "last": 0, "purpose": "A tunnel"}
NARROW: dict[str, Any] = {**SSH, "sources": ["2001:db8::/32", "192.0.2.7"]}


@pytest.mark.parametrize(
    ("row", "text"),
    [
        pytest.param(SSH, "tcp 22 SSH", id="one port"),
        pytest.param(RELAY, "udp 49152-49573 TURN relay", id="range"),
        pytest.param(NARROW, "tcp 22 SSH from 192.0.2.7/32, 2001:db8::/32", id="sources"),
        pytest.param({**SSH, "purpose": ""}, "tcp 22", id="no purpose"),
        pytest.param(GRE, "gre A tunnel", id="protocol without ports"),
    ],
)
def test_port_in_words(row: dict[str, Any], text: str) -> None:
    assert str(parse(row)) == text


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param({"first": 0}, "no port between", id="port zero"),
        pytest.param({"last": 65536}, "no port between", id="port too high"),
        pytest.param({"first": 30}, "no port between", id="range backwards"),
        pytest.param({**GRE, "last": 1}, "gre has no ports", id="port of a protocol without"),
        pytest.param({"purpose": 'x" accept'}, "without quotes", id="quote"),
        pytest.param({"purpose": "x\naccept"}, "one line", id="two lines"),
        pytest.param({"purpose": "x" * 121}, "at most 120", id="too long"),
        pytest.param({"purpose": "\N{EURO SIGN}" * 41}, "at most 120", id="too long in bytes"),
        pytest.param({"sources": ["192.0.2.1/24"]}, "host bits", id="address inside a network"),
        pytest.param({"sources": ["example.org"]}, "example.org", id="name as source"),
    ],
)
def test_refused(fault: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse({**SSH, **fault})


@pytest.mark.parametrize(
    ("row", "address", "admitted"),
    [
        pytest.param(SSH, "203.0.113.9", True, id="everybody"),
        pytest.param(NARROW, "192.0.2.7", True, id="named"),
        pytest.param(NARROW, "192.0.2.8", False, id="neighbour of the named"),
        pytest.param(NARROW, "2001:db8::1", True, id="named by IPv6"),
        pytest.param(NARROW, "2001:db9::1", False, id="other IPv6"),
    ],
)
def test_admits(row: dict[str, Any], address: str, admitted: bool) -> None:
    assert parse(row).admits(ip_address(address)) is admitted


def test_an_unknown_address_may_if_anybody_may() -> None:
    assert parse(NARROW).admits(None)


def test_networks_come_in_one_order() -> None:
    texts = ["2001:db8::/32", "10.0.0.0/8", "10.0.0.0/8", "192.0.2.7"]
    found = [str(network) for network in ordered(map(ip_network, texts))]
    assert found == ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("former", "wanted", "lines"),
    [
        pytest.param([], [SSH], ["+ tcp 22 SSH"], id="opens"),
        pytest.param([SSH], [], ["- tcp 22 SSH"], id="closes"),
        pytest.param([SSH], [SSH], [], id="same"),
        pytest.param([{**SSH, "purpose": "sshd"}], [SSH], [], id="another purpose"),
        pytest.param([{**SSH, "purpose": ""}], [SSH], [], id="a purpose that nobody knew"),
        pytest.param([SSH, SSH], [], ["- tcp 22 SSH"], id="twice"),
        pytest.param(
            [{**NARROW, "purpose": "sshd"}],
            [SSH],
            ["+ tcp 22 SSH", "- tcp 22 sshd from 192.0.2.7/32, 2001:db8::/32"],
            id="widens",
        ),
        pytest.param(
            [{**RELAY, "last": 49172}],
            [RELAY],
            ["+ udp 49152-49573 TURN relay", "- udp 49152-49172 TURN relay"],
            id="longer range",
        ),
        pytest.param(
            [SSH],
            [NARROW],
            ["+ tcp 22 SSH from 192.0.2.7/32, 2001:db8::/32", "- tcp 22 SSH"],
            id="narrows",
        ),
    ],
)
def test_changes(former: list[Any], wanted: list[Any], lines: list[str]) -> None:
    def ports(rows: list[Any]) -> list[Opening]:
        return [parse(row) for row in rows]

    assert changes(ports(former), ports(wanted)) == lines
