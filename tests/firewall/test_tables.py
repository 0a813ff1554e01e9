# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of every set of components, loaded by the real programs one after the other.

The table's ports are open, no other, and what others wrote stays. It stays after the tests as well:
they are the last of a server.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle, islice

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall import openings
from conftest import LONG
from firewall_rendering import SETS, SOURCES, Rows, rendered, rows
from firewall_server import Server

WISHES = {
    f"{name}, {whom}": rows(components, sources=sources)
    for name, components in SETS.items()
    for whom, sources in (("everybody", ()), ("sources", SOURCES))
}


FOREIGN = {
    "ip nat": "iptables -t nat -N DOCKER; "
    "iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER; "
    "iptables -t nat -A DOCKER -p tcp --dport 8080 -j DNAT --to 172.17.0.2:80",
    "ip filter": "iptables -N f2b-sshd; iptables -I INPUT -p tcp --dport 22 -j f2b-sshd; "
    "iptables -A f2b-sshd -s 203.0.113.9 -j REJECT; iptables -A f2b-sshd -j RETURN",
    "ip6 filter": "ip6tables -N LIBVIRT_INP; ip6tables -I INPUT -j LIBVIRT_INP; "
    "ip6tables -A LIBVIRT_INP -i virbr0 -p udp --dport 53 -j ACCEPT",
    "ip wg-quick-wg0": "nft 'table ip wg-quick-wg0 { chain preraw { type filter hook prerouting "
    "priority -300; policy accept; iifname != wg0 ip daddr 10.8.0.1 drop; }; }'",
    "inet f2b-table": "nft 'table inet f2b-table { set bans { type ipv4_addr; elements = { "
    "203.0.113.10 }; }; chain f2b { type filter hook input priority -1; ip saddr @bans drop; }; }'",
}
SHOWN = (
    "for tables in iptables ip6tables; do $tables-save | grep -E 'DOCKER|f2b|LIBVIRT'; done; "
    "nft list table ip wg-quick-wg0; nft list table inet f2b-table"
)
CHANGES = 50


@dataclass(frozen=True)
class Committed:
    """What the kernel held open after each wish, and the rules of others before and after all."""

    opened: dict[str, list[str]]
    before: str
    after: str


@pytest.fixture(scope="session")
def committed(bare: Server) -> Committed:
    assert bare.play().status == 0
    bare.shell("; ".join(FOREIGN.values()))
    before = bare.shell(SHOWN)
    names = islice(cycle(WISHES), CHANGES if LONG else len(WISHES))
    given = [(WISHES[name], rendered(bare.firewall, WISHES[name])) for name in names]
    opened = bare.commit(given)
    assert len(opened) == len(given)
    return Committed(dict(zip(WISHES, opened)), before, bare.shell(SHOWN))


@pytest.mark.parametrize("wish", WISHES)
def test_exactly_the_ports_of_the_table(committed: Committed, wish: str) -> None:
    assert sorted(committed.opened[wish]) == sorted(
        str(openings.parse(row)) for row in WISHES[wish]
    )


def test_rules_of_others_stay_to_the_byte(bare: Server, committed: Committed) -> None:
    names = ("DOCKER", "f2b-sshd", "LIBVIRT_INP", "wg-quick", "bans")
    assert [name for name in names if name not in committed.before] == []
    assert committed.after == committed.before
    for firewall in ("none", bare.firewall):
        assert bare.play(matrix_firewall=firewall).status == 0
        assert bare.shell(SHOWN) == committed.before


def ufw_calls(table: Rows) -> str:
    """Return how one would say it to ufw, a call for each rule."""
    lines = []
    for row in table:
        numbers = ":".join(dict.fromkeys([str(row["first"]), str(row["last"])]))
        port = f" port {numbers}" if row["first"] else ""
        for source in row["sources"] or ["any"]:
            to = f"from {source} to any{port}"
            lines.append(f"ufw allow proto {row['protocol']} {to} comment '{row['purpose']}'")
    return "\n".join(lines)


EVERYTHING = [*SETS["all"], *SETS["protocols"]]
SHAPES = {
    (row["protocol"], row["first"] == row["last"]): row for row in rows(EVERYTHING, sources=SOURCES)
}
"""A row of each form that a rule can have: ufw takes a quarter of a second for each of a source."""


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(rows(EVERYTHING), id="everybody"),
        pytest.param(list(SHAPES.values()), id="sources"),
    ],
)
def test_our_files_are_those_that_ufw_would_write(bare: Server, table: Rows) -> None:
    if bare.firewall != "ufw":
        pytest.skip("for ufw")
    assert bare.play(matrix_firewall="none").status == 0
    bare.shell(ufw_calls(table))
    for name, text in rendered("ufw", table)["ufw"].items():
        assert bare.run("cat", f"/etc/ufw/{name}") == text
    bare.shell("ufw --force reset")


def test_ufw_shows_the_purposes(server: Server) -> None:
    if server.firewall != "ufw":
        pytest.skip("for ufw")
    shown = server.run("ufw", "status")
    assert (
        "49152:49573/udp            ALLOW       Anywhere                   # TURN relays" in shown
    )


def test_firewalld_shows_the_zone(server: Server) -> None:
    if server.firewall != "firewalld":
        pytest.skip("for firewalld")
    assert server.run("firewall-cmd", "--get-default-zone").strip() == "homestead"
    assert "49152-49573/udp" in server.run("firewall-cmd", "--info-service=homestead-matrix")
