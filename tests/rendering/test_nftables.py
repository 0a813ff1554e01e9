# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nftables rules of every set of components, judged by nft itself in a network of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall import openings
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.nft import open_ports
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.nftables import NAME, TABLE
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.proof import END, begin
from firewall_rendering import ODD, SETS, SOURCES, Rows, in_own_network, rendered, rows

LIST = f"nft -f -; nft -j list table {' '.join(TABLE)}"

pytestmark = pytest.mark.skipif(not shutil.which("nft"), reason="nft is not installed")


def render(table: Rows, *, rate: int = 0) -> str:
    return rendered("nftables", table, rate=rate)["nftables"][NAME]


def items(kind: str, listing: str) -> Iterator[dict[str, Any]]:
    """Walk over all chains or rules of a listing."""
    for item in json.loads(listing)["nftables"]:
        if kind in item:
            yield item[kind]


@pytest.mark.parametrize("components", SETS.values(), ids=SETS)
@pytest.mark.parametrize("sources", [(), SOURCES], ids=["everybody", "sources"])
@pytest.mark.parametrize("rate", [0, 30], ids=["no limit", "limit"])
def test_exactly_the_ports_of_the_table(
    components: list[str], sources: tuple[str, ...], rate: int
) -> None:
    table = rows(components, sources=sources)
    in_own_network("nft -c -f -", rules=render(table, rate=rate))
    listing = in_own_network(LIST, rules=render(table, rate=rate))
    assert open_ports(listing) == [openings.parse(row) for row in table]


# What accepts without being a port of the table: what every host needs.
NEEDED = {
    "",  # loopback, established connections, and the jump to the ports
    "ICMP: errors, path MTU, ping",
    "ICMPv6: errors, path MTU, ping",
    "ICMPv6: neighbours and routers",
    "ICMPv6: multicast groups",
    "DHCP client",
    "DHCPv6 client",
}


def test_nothing_else_is_let_in() -> None:
    listing = in_own_network(LIST, rules=render([]))
    assert {rule.get("comment", "") for rule in items("rule", listing)} == NEEDED
    assert sum("comment" not in rule for rule in items("rule", listing)) == 3


def hooks(listing: str) -> list[tuple[str, str]]:
    chains = [chain for chain in items("chain", listing) if "hook" in chain]
    return [(chain["hook"], chain["policy"]) for chain in chains]


def test_only_the_input_hook_is_ours_and_it_drops() -> None:
    listing = in_own_network(LIST, rules=render(rows([])))
    assert hooks(listing) == [("input", "drop")]


def test_loading_again_leaves_other_tables_alone() -> None:
    foreign = "table ip foreign { chain c { tcp dport 9 accept ; } ; }"
    script = f"nft '{foreign}'; cat > $T/r; nft -f $T/r; nft -f $T/r; nft list ruleset"
    listing = in_own_network(f"T=$(mktemp -d); {script}; rm -r $T", rules=render(rows([])))
    assert listing.count("table ip foreign") == listing.count("table inet homestead") == 1
    assert listing.count('accept comment "SSH"') == 1


@pytest.mark.parametrize("rate", [0, 30], ids=["no limit", "limit"])
def test_the_listing_of_loaded_rules_loads_again_as_the_same(rate: int) -> None:
    script = "nft -f -; nft -st list ruleset > $T/a; nft flush ruleset; nft -f $T/a"
    compare = "nft -st list ruleset | cmp - $T/a"
    table = rows([], sources=SOURCES)
    in_own_network(f"T=$(mktemp -d); {script}; {compare}; rm -r $T", rules=render(table, rate=rate))


def test_a_purpose_cannot_break_the_rules() -> None:
    listing = in_own_network(LIST, rules=render(ODD))
    assert open_ports(listing) == [openings.parse(row) for row in ODD]


def test_nft_takes_what_judges_packets_as_new() -> None:
    text = begin([openings.parse(row) for row in rows(["gre"])], listening=["tcp 9", "udp 53"])
    listing = in_own_network("nft -f -; nft list ruleset", rules=text)
    assert "ct zone set 48632" in listing
    assert in_own_network("nft -f -; nft list ruleset", rules=text + END) == ""


SSH_PORT = 2222
LIMITED = rows([], ssh_port=SSH_PORT)


def steps(listing: str, chain: str) -> list[Any]:
    """Return the ends of the rules of a chain: where they jump to, or their verdict."""
    ends = [rule["expr"][-1] for rule in items("rule", listing) if rule["chain"] == chain]
    return [end["jump"]["target"] if "jump" in end else next(iter(end)) for end in ends]


def drops(listing: str) -> list[tuple[int, str, dict[str, Any]]]:
    """Return port, state of the connection and limit of every rule that drops."""
    found = [rule["expr"] for rule in items("rule", listing) if "drop" in rule["expr"][-1]]
    return [
        (port["match"]["right"], state["match"]["right"], counted["set"]["stmt"][0]["limit"])
        for port, state, counted, _drop in found
    ]


OVER = {"rate": 30, "burst": 30, "per": "minute", "inv": True}


def test_ssh_is_limited_before_it_is_accepted() -> None:
    listing = in_own_network(LIST, rules=render(LIMITED, rate=30))
    assert steps(listing, "input")[-2:] == ["ssh_limit", "ports"]
    assert set(steps(listing, "ports")) == {"accept"}


def test_connections_that_stand_are_not_limited() -> None:
    listing = in_own_network(LIST, rules=render(LIMITED, rate=30))
    assert steps(listing, "input").index("vmap") < steps(listing, "input").index("ssh_limit")


@pytest.mark.parametrize("firewall", ["nftables", "ufw", "firewalld"])
def test_only_new_connections_to_ssh_are_limited(firewall: str) -> None:
    text = rendered(firewall, LIMITED, rate=30)["nftables"][NAME]
    listing = in_own_network(LIST, rules=text)
    assert drops(listing) == [(SSH_PORT, "new", OVER)] * 2
    assert steps(listing, "ssh_limit") == ["drop", "drop"]


def test_each_version_of_ip_counts_its_addresses() -> None:
    text = render(LIMITED, rate=30)
    listing = in_own_network(LIST, rules=text)
    counted = [
        rule["expr"][2]["set"]["elem"]["payload"]
        for rule in items("rule", listing)
        if rule["chain"] == "ssh_limit"
    ]
    assert [(way["protocol"], way["field"]) for way in counted] == [
        ("ip", "saddr"),
        ("ip6", "saddr"),
    ]


@pytest.mark.parametrize("firewall", ["ufw", "firewalld"])
def test_a_limit_beside_another_firewall_stops_nothing_else(firewall: str) -> None:
    listing = in_own_network(LIST, rules=rendered(firewall, LIMITED, rate=30)["nftables"][NAME])
    assert hooks(listing) == [("input", "accept")]
    assert steps(listing, "input") == ["accept", "ssh_limit"]
    assert open_ports(listing) == []


@pytest.mark.parametrize("firewall", ["ufw", "firewalld"])
def test_without_a_limit_another_firewall_stands_alone(firewall: str) -> None:
    assert rendered(firewall, LIMITED)["nftables"] == {}


def test_without_a_limit_nothing_is_counted() -> None:
    assert "ssh_limit" not in render(LIMITED)


def test_without_a_firewall_there_is_no_limit() -> None:
    assert rendered("none", LIMITED, rate=30) == {}
