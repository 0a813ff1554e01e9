# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chains of iptables and nftables that others wrote: named only if they certainly shut a port."""

from __future__ import annotations

import json

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.nftables import NAME
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.openings import parse
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.others import (
    iptables_chain,
    nft_chains,
    told,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.system import FirewallError
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall import (
    paper_tables,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall.commits import (
    SSH,
    WEB,
    inspect,
    wish,
)

TURN = parse({"protocol": "udp", "first": 49152, "last": 49573, "purpose": "TURN relays"})
OWN = parse(
    {"protocol": "tcp", "first": 9, "last": 9, "purpose": "Own", "sources": ["192.0.2.0/24"]}
)
PORTS = [SSH, WEB, TURN, OWN]
ALL = [port.place for port in PORTS]
PROVIDER = """\
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
"""
DOCKER = """\
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A DOCKER-USER -j DROP
"""
BANS = """\
:f2b-sshd - [0:0]
-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd
-A f2b-sshd -s 203.0.113.9/32 -j REJECT --reject-with icmp-port-unreachable
-A f2b-sshd -j RETURN
"""
SPARES_PARTLY = """\
-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 5/min -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j DROP
"""
NAMED = """\
:own - [0:0]
-A INPUT ! -i lo -j own
-A own -p tcp -m multiport --dports 22,400:500 -j ACCEPT
-A own -p udp -j ACCEPT
-A own -s 192.0.2.0/24 -j ACCEPT
-A own -j DROP
"""


@pytest.mark.parametrize(
    ("rules", "policy", "places"),
    [
        pytest.param("", "ACCEPT", [], id="nothing"),
        pytest.param("", "DROP", ALL, id="policy"),
        pytest.param(PROVIDER, "ACCEPT", ALL[1:], id="image of a provider"),
        pytest.param("-A INPUT -j ACCEPT\n" + PROVIDER, "DROP", [], id="all let in before"),
        pytest.param(DOCKER, "ACCEPT", [], id="Docker"),
        pytest.param(BANS, "ACCEPT", [], id="bans"),
        pytest.param(SPARES_PARTLY, "ACCEPT", [], id="limit"),
        pytest.param(NAMED, "ACCEPT", [], id="chain of their own, that another interface has"),
        pytest.param(NAMED.replace("! -i lo ", ""), "ACCEPT", [], id="lets in all of ours"),
        pytest.param(
            NAMED.replace("! -i lo ", "").replace("400:500", "80"), "ACCEPT", ALL[1:2], id="not all"
        ),
        pytest.param("-A INPUT -p udp -j DROP\n", "ACCEPT", ALL[2:3], id="one protocol"),
        pytest.param("-A INPUT -i eth1 -j DROP\n", "ACCEPT", [], id="one interface"),
        pytest.param("-A INPUT -j ufw-before-input\n", "DROP", [], id="ufw decides"),
        pytest.param(
            "-A INPUT -j REJECT\n-A INPUT -j ufw-before-input\n", "DROP", ALL, id="before"
        ),
        pytest.param("-A INPUT -m set --match-set bans src -j DROP\n", "ACCEPT", [], id="set"),
    ],
)
def test_iptables(rules: str, policy: str, places: list[str]) -> None:
    saved = f"# Generated\n*filter\n:INPUT {policy} [0:0]\n:FORWARD DROP [0:0]\n{rules}COMMIT\n"
    chain = iptables_chain("iptables", saved)
    assert [port.place for port in PORTS if chain.shuts(port)] == places


def test_the_sentence_names_the_chain_the_ports_and_the_remedy() -> None:
    saved = f"*filter\n:INPUT ACCEPT [0:0]\n{PROVIDER}COMMIT\n"
    (sentence,) = told([iptables_chain("iptables", saved)], [SSH, WEB])
    assert sentence.startswith("the chain INPUT of iptables shuts out tcp 443, whatever")
    assert "`iptables -D INPUT -j REJECT --reject-with icmp-host-prohibited`" in sentence


def test_refused_before_anything_changes() -> None:
    host = paper_tables.TablesHost(programs={"nft", "sshd", "iptables-save"})
    host.tables["iptables"].rules = PROVIDER.splitlines()
    with pytest.raises(FirewallError, match=r"^the chain INPUT of iptables .*Nothing was changed"):
        inspect(host, wish(nftables={NAME: "the rules"}))


def test_what_iptables_holds_is_read_once() -> None:
    chain = {"family": "ip", "table": "filter", "name": "INPUT", "hook": "input", "policy": "drop"}
    listing = json.dumps({"nftables": [{"chain": chain}]})
    assert list(nft_chains(listing, without=frozenset({("ip", "filter")}))) == []
