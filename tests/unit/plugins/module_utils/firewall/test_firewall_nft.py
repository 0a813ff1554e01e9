# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.nft import open_ports


def match(protocol: str, name: str, right: Any, *, op: str = "==") -> dict[str, Any]:
    left = {"payload": {"protocol": protocol, "field": name}}
    return {"match": {"op": op, "left": left, "right": right}}


def listing(*conditions: dict[str, Any], verdict: str = "accept") -> str:
    rule = {"comment": "Purpose", "expr": [*conditions, {verdict: None}]}
    return json.dumps({"nftables": [{"metainfo": {}}, {"chain": {}}, {"rule": rule}]})


NET = {"prefix": {"addr": "192.0.2.0", "len": 24}}


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        pytest.param(listing(match("tcp", "dport", 22)), ["tcp 22 Purpose"], id="one port"),
        pytest.param(
            listing(match("udp", "dport", {"range": [10, 20]})), ["udp 10-20 Purpose"], id="range"
        ),
        pytest.param(
            listing(match("tcp", "dport", {"set": [80, {"range": [90, 99]}]})),
            ["tcp 80 Purpose", "tcp 90-99 Purpose"],
            id="set",
        ),
        pytest.param(
            listing(match("ip", "saddr", NET), match("tcp", "dport", 22)),
            ["tcp 22 Purpose from 192.0.2.0/24"],
            id="source network",
        ),
        pytest.param(
            listing(match("ip6", "saddr", "2001:db8::1"), match("tcp", "dport", 22)),
            ["tcp 22 Purpose from 2001:db8::1/128"],
            id="source address",
        ),
        pytest.param(listing(match("tcp", "dport", 22), verdict="drop"), [], id="dropped"),
        pytest.param(listing(match("tcp", "dport", 22, op="!=")), [], id="all but one"),
        pytest.param(listing(match("udp", "dport", 68), match("udp", "sport", 67)), [], id="DHCP"),
        pytest.param(
            listing({"counter": None}, match("tcp", "dport", 9)), ["tcp 9 Purpose"], id="counter"
        ),
        pytest.param(listing(match("tcp", "dport", "@names")), [], id="named set"),
        pytest.param(
            listing(
                match("ip", "saddr", {"range": ["192.0.2.1", "192.0.2.9"]}),
                match("tcp", "dport", 9),
            ),
            ["tcp 9 Purpose"],
            id="range of addresses",
        ),
        pytest.param(listing(), [], id="no condition"),
        pytest.param(listing(match("icmp", "type", "echo-request")), [], id="no port"),
    ],
)
def test_open_ports(text: str, ports: list[str]) -> None:
    assert [str(port) for port in open_ports(text)] == ports


def test_sources_of_one_port_come_together() -> None:
    origins = [match("ip6", "saddr", "2001:db8::1"), match("ip", "saddr", NET)]
    texts = [listing(origin, match("tcp", "dport", 22)) for origin in origins]
    rules = [rule for text in texts for rule in json.loads(text)["nftables"]]
    found = open_ports(json.dumps({"nftables": rules}))
    assert [str(port) for port in found] == ["tcp 22 Purpose from 192.0.2.0/24, 2001:db8::1/128"]


# What firewalld 2.3.1 loads for a zone and a service of ours.
FIREWALLD = (Path(__file__).parent / "texts/firewalld.json").read_text(encoding="utf-8")
SERVICE = [
    *("tcp 80", "tcp 443", "tcp 3478", "udp 3478", "tcp 5349", "udp 5349", "udp 49152-49573"),
    "tcp 22 from 192.0.2.7/32, 2001:db8::/32",
]


@pytest.mark.parametrize(
    ("chains", "ports"),
    [
        pytest.param(r"filter_IN_homestead(_\w+)?", SERVICE, id="zone"),
        pytest.param(r"filter_IN_homestead_allow", SERVICE, id="one chain"),
        pytest.param(r"filter_IN_home", [], id="beginning of a name"),
        pytest.param(r"filter_IN_public(_\w+)?", [], id="other zone"),
        pytest.param(r".*", SERVICE, id="all chains"),
    ],
)
def test_only_rules_of_these_chains_count(chains: str, ports: list[str]) -> None:
    assert [str(port) for port in open_ports(FIREWALLD, chains=chains)] == ports
