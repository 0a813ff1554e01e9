# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nftables rules of every set of components, judged by nft itself in a network of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.homestead.matrix.plugins.module_utils.firewall import ports
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.nftables import (
    TABLE,
    open_ports,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.components import COMPONENTS
from ansible_collections.homestead.matrix.plugins.plugin_utils.ports import component_ports

TEMPLATE = Path(__file__).parents[2] / "roles/firewall/templates/nftables.nft.j2"
BASE = [name for name, row in COMPONENTS.items() if not row.optional]
OPTIONAL = [name for name in COMPONENTS if name not in BASE]
SETS = {"none": [], **{name: [name] for name in OPTIONAL}, "all": OPTIONAL}
OWN_NETWORK = ["unshare", "--map-root-user", "--net"]
SOURCES = ("192.0.2.7/32", "198.51.100.0/24", "2001:db8::/32")
Rows = list[dict[str, Any]]

pytestmark = pytest.mark.skipif(not shutil.which("nft"), reason="nft is not installed")


def rows(components: list[str], *, sources: tuple[str, ...] = ()) -> Rows:
    """Return the ports as the firewall role gets them."""
    found = component_ports([*BASE, *components], ssh_port=22)
    return [dict(replace(port, sources=sources).as_dict()) for port in found]


def render(table: Rows) -> str:
    """Fill in the template as Ansible does."""
    templar = Templar(loader=DataLoader(), variables={"matrix_site": {"ports": table}})
    text: str = templar.template(trust_as_template(TEMPLATE.read_text(encoding="utf-8")))
    return text


def nft(script: str, *, rules: str) -> str:
    """Run a shell line with nft in a network of its own; the rules are its input."""
    done = subprocess.run(
        [*OWN_NETWORK, "sh", "-ec", script],
        input=rules,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def accepting(listing: str) -> Iterator[dict[str, Any]]:
    """Walk over all rules that do not only match, whatever their chain."""
    for item in json.loads(listing)["nftables"]:
        if "rule" in item:
            yield item["rule"]


@pytest.mark.parametrize("components", SETS.values(), ids=SETS)
@pytest.mark.parametrize("sources", [(), SOURCES], ids=["everybody", "sources"])
def test_exactly_the_ports_of_the_table(components: list[str], sources: tuple[str, ...]) -> None:
    table = rows(components, sources=sources)
    nft("nft -c -f -", rules=render(table))
    listing = nft(f"nft -f -; nft -j list table {' '.join(TABLE)}", rules=render(table))
    assert open_ports(listing) == [ports.parse(row) for row in table]


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
    listing = nft(f"nft -f -; nft -j list table {' '.join(TABLE)}", rules=render([]))
    assert {rule.get("comment", "") for rule in accepting(listing)} == NEEDED
    assert sum("comment" not in rule for rule in accepting(listing)) == 3


def test_only_the_input_hook_is_ours_and_it_drops() -> None:
    listing = nft(f"nft -f -; nft -j list table {' '.join(TABLE)}", rules=render(rows([])))
    chains = [item["chain"] for item in json.loads(listing)["nftables"] if "chain" in item]
    hooks = [(chain["hook"], chain["policy"]) for chain in chains if "hook" in chain]
    assert hooks == [("input", "drop")]


def test_loading_again_leaves_other_tables_alone() -> None:
    foreign = "table ip foreign { chain c { tcp dport 9 accept ; } ; }"
    script = f"nft '{foreign}'; cat > $T/r; nft -f $T/r; nft -f $T/r; nft list ruleset"
    listing = nft(f"T=$(mktemp -d); {script}; rm -r $T", rules=render(rows([])))
    assert listing.count("table ip foreign") == listing.count("table inet homestead") == 1
    assert listing.count('accept comment "SSH"') == 1


def test_the_listing_of_loaded_rules_loads_again_as_the_same() -> None:
    script = "nft -f -; nft -s list ruleset > $T/a; nft flush ruleset; nft -f $T/a"
    compare = "nft -s list ruleset | cmp - $T/a"
    nft(f"T=$(mktemp -d); {script}; {compare}; rm -r $T", rules=render(rows([], sources=SOURCES)))
