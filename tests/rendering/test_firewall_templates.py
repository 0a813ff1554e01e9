# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules for ufw and firewalld of every set of components, ufw's judged by iptables itself."""

from __future__ import annotations

import re
import shutil
from ipaddress import ip_network
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall import openings
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.iptables import (
    FAMILIES,
    Family,
    open_ports,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.ufw_files import (
    merged,
    purposes,
)
from firewall_rendering import ODD, SETS, SOURCES, Rows, in_own_network, rendered, rows

EVERY_SET = pytest.mark.parametrize("components", SETS.values(), ids=SETS)
EVERY_SOURCE = pytest.mark.parametrize("sources", [(), SOURCES], ids=["everybody", "sources"])
EVERY_FAMILY = pytest.mark.parametrize("family", FAMILIES, ids=["IPv4", "IPv6"])
Place = tuple[str, str, str]  # protocol, first or first:last, source


def ufw_file(family: Family, table: Rows) -> str:
    return rendered("ufw", table)["ufw"][family.path.rpartition("/")[2]]


def expected(family: Family, table: Rows) -> list[Place]:
    """Return what this version of IP must let in, in the order of the table."""
    everybody = str(family.everybody)
    return [
        (row["protocol"], written(row, ":") or "any", source)
        for row in table
        if row["protocol"] not in family.without
        for source in row["sources"] or [everybody]
        if ip_network(source).version == family.everybody.version
    ]


def written(row: dict[str, Any], dash: str) -> str:
    """Write the port or the range of a row; nothing for a protocol without ports."""
    numbers = (str(row["first"]), str(row["last"]))
    return dash.join(dict.fromkeys(numbers)) if row["first"] else ""


def described(text: str, family: Family) -> list[Place]:
    """Read the lines that ufw reads again."""
    every = re.escape(str(family.everybody))
    pattern = rf"^### tuple ### allow (\w+) ([\d:]+|any) {every} any (\S+) in comment=[0-9a-f]+$"
    found = re.findall(pattern, text, re.MULTILINE)
    assert len(found) == text.count("### tuple ###")
    return [(protocol, place, str(ip_network(source))) for protocol, place, source in found]


def loaded(text: str, family: Family) -> list[Place]:
    """Read the lines that iptables reads, each right after one for ufw."""
    pattern = (
        rf"^### tuple ### .*\n-A {family.chains}-user-input -p (\w+)"
        r"(?: (--dport|-m multiport --dports) ([\d:]+))?(?: -s (\S+))? -j ACCEPT$"
    )
    found = re.findall(pattern, text, re.MULTILINE)
    assert len(found) == len(re.findall(r"^-A \S+-user-input", text, re.MULTILINE))
    assert all(
        (":" in place) == option.startswith("-m") for _protocol, option, place, _source in found
    )
    return [
        (protocol, place or "any", str(ip_network(source)) if source else str(family.everybody))
        for protocol, _option, place, source in found
    ]


@EVERY_SET
@EVERY_SOURCE
@EVERY_FAMILY
def test_ufw_and_iptables_read_exactly_the_ports_of_the_table(
    components: list[str], sources: tuple[str, ...], family: Family
) -> None:
    table = rows(components, sources=sources)
    text = ufw_file(family, table)
    assert described(text, family) == loaded(text, family) == expected(family, table)


@pytest.mark.parametrize("table", [rows(SETS["all"]), ODD], ids=["all", "odd"])
@EVERY_FAMILY
def test_ufw_tells_the_purposes(table: Rows, family: Family) -> None:
    known = purposes(ufw_file(family, table))
    assert known == {openings.parse(row).place: row["purpose"] for row in table}


@EVERY_FAMILY
def test_ufw_finds_its_rules_where_it_looks_for_them(family: Family) -> None:
    text = ufw_file(family, rows([]))
    assert merged(text, ours=text) == text


@EVERY_FAMILY
def test_ufw_without_ports_lets_nobody_in(family: Family) -> None:
    text = ufw_file(family, [])
    assert (described(text, family), loaded(text, family)) == ([], [])
    assert merged(text, ours=text) == text


@EVERY_FAMILY
@pytest.mark.parametrize("source", ["192.0.2.0/24", "2001:db8::1/128"])
def test_a_source_concerns_its_own_version_of_ip(family: Family, source: str) -> None:
    table = rows([], sources=(source,))
    own = ip_network(source).version == family.everybody.version
    assert len(loaded(ufw_file(family, table), family)) == (len(table) if own else 0)


@pytest.mark.skipif(not shutil.which("iptables-restore"), reason="iptables is not installed")
@EVERY_SET
@EVERY_SOURCE
def test_iptables_opens_exactly_the_ports_of_the_table(
    components: list[str], sources: tuple[str, ...]
) -> None:
    table = rows(components, sources=sources)
    texts = {family: ufw_file(family, table) for family in FAMILIES}
    saved = {family: _load(texts[family], family) for family in FAMILIES}
    known = purposes("".join(texts.values()))
    assert open_ports(saved, purposes=known) == [openings.parse(row) for row in table]


def _load(text: str, family: Family) -> str:
    """Load a file as ufw does, after a test, and return what is in force."""
    restore, save = f"{family.tables}-restore -n", f"{family.tables}-save -t filter"
    in_own_network(f"{restore} --test", rules=text)
    return in_own_network(f"{restore}; {save}", rules=text)


def firewalld_files(table: Rows) -> tuple[ElementTree.Element, ElementTree.Element]:
    """Return the zone and the service; a text that is no XML ends here."""
    files = rendered("firewalld", table)["firewalld"]
    zone, service = (ElementTree.fromstring(files[name]) for name in ("zone.xml", "service.xml"))
    return zone, service


def opened(zone: ElementTree.Element, service: ElementTree.Element) -> set[Place]:
    """Return what the service and the rules of the zone let in."""
    found = [(row, "") for row in [*service.iter("port"), *service.iter("protocol")]]
    for rule in zone.iter("rule"):
        source = rule.find("source")
        address = "" if source is None else source.attrib["address"]
        version = f"ipv{ip_network(address).version}" if address else None
        assert (rule.get("family"), rule.find("accept") is not None) == (version, True)
        found += [(row, address) for row in [*rule.iter("port"), *rule.iter("protocol")]]
    places = (
        (row.get("protocol") or row.attrib["value"], row.get("port", ""), address)
        for row, address in found
    )
    return {place for place in places if place[0] != "ipv6-icmp"}


@EVERY_SET
@EVERY_SOURCE
def test_firewalld_reads_exactly_the_ports_of_the_table(
    components: list[str], sources: tuple[str, ...]
) -> None:
    table = rows(components, sources=sources)
    assert opened(*firewalld_files(table)) == {
        (row["protocol"], written(row, "-"), source)
        for row in table
        for source in row["sources"] or [""]
    }


def test_firewalld_lets_nothing_else_in() -> None:
    zone, service = firewalld_files([])
    assert zone.get("target") == "DROP"
    assert [child.tag for child in service] == ["short"]
    assert [row.attrib["name"] for row in zone.iter("service")] == [
        "homestead-matrix",
        "dhcpv6-client",
    ]
    assert {child.tag for rule in zone.iter("rule") for child in rule} == {
        *("icmp-type", "source", "protocol", "accept")
    }
    assert [row.attrib["value"] for row in zone.iter("protocol")] == ["ipv6-icmp"]


def test_firewalld_lets_the_network_speak() -> None:
    zone, _service = firewalld_files([])
    assert {row.attrib["name"] for row in zone.iter("icmp-type")} == {
        *("destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem"),
        *("echo-request", "neighbour-solicitation", "neighbour-advertisement"),
        "router-advertisement",
    }


@pytest.mark.parametrize("sources", [(), SOURCES], ids=["everybody", "sources"])
def test_a_purpose_cannot_break_the_files_of_firewalld(sources: tuple[str, ...]) -> None:
    zone, service = firewalld_files([{**ODD[0], "sources": list(sources)}])
    assert len(opened(zone, service)) == (len(sources) or 1)
