# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of nftables that others wrote, loaded by nft: named only if they certainly shut a port."""

from __future__ import annotations

import shutil

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.openings import parse
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.others import nft_chains
from firewall_rendering import in_own_network

pytestmark = pytest.mark.skipif(not shutil.which("nft"), reason="nft is not installed")
ROWS = [("tcp", 22, 22, []), ("tcp", 443, 443, []), ("udp", 49152, 49573, [])]
PORTS = [
    parse({"protocol": protocol, "first": first, "last": last, "purpose": "", "sources": sources})
    for protocol, first, last, sources in [*ROWS, ("tcp", 9, 9, ["192.0.2.0/24"])]
]
ALL = [port.place for port in PORTS]
THEIRS = """
table inet theirs {
    set bans { type ipv4_addr; }
    set open { type inet_service; }
    chain own { tcp dport 443 accept; ip saddr 192.0.2.0/24 accept; }
    chain input { type filter hook input priority 0; CHAIN; }
    chain forward { type filter hook forward priority 0; policy drop; }
}
table inet homestead { chain input { type filter hook input priority 0; policy drop; }
}
"""
STATES = "ct state vmap { established : accept, related : accept, invalid : drop }"


@pytest.mark.parametrize(
    ("chain", "places"),
    [
        pytest.param("policy drop", ALL, id="policy"),
        pytest.param(f"policy drop; iif lo accept; {STATES}", ALL, id="loopback and answers"),
        pytest.param("policy drop; tcp dport { 22, 443 } accept", ALL[2:], id="some ports"),
        pytest.param("policy drop; tcp dport vmap { 22 : accept }", [], id="a map of ports"),
        pytest.param(
            "tcp dport { 22, 440-450 } accept; meta l4proto tcp reject", ALL[3:], id="reject"
        ),
        pytest.param("policy drop; jump own", ALL[:1] + ALL[2:3], id="chain of their own"),
        pytest.param("policy drop; tcp dport @open accept", ALL[2:3], id="set with a name"),
        pytest.param("ip saddr @bans drop", [], id="bans"),
        pytest.param("ct state new limit rate over 9/second drop", [], id="limit"),
        pytest.param("ct state invalid drop", [], id="invalid packets"),
        pytest.param('iifname "wg0" drop', [], id="another interface"),
        pytest.param("tcp dport != 22 drop", ALL[1:2] + ALL[3:], id="all but one"),
        pytest.param("counter; log; drop", ALL, id="counted and logged"),
    ],
)
def test_what_they_shut(chain: str, places: list[str]) -> None:
    text = THEIRS.replace("CHAIN", chain).replace("; ", "\n")
    listing = in_own_network("nft -f -; nft -j list ruleset", rules=text)
    (found,) = nft_chains(listing, without=frozenset())
    assert [port.place for port in PORTS if found.shuts(port)] == places
