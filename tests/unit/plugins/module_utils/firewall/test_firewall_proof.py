# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""While a change waits for its proof, what comes in is judged as new, and what came is told."""

from __future__ import annotations

import json

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.nftables import NAME
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.openings import parse
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.proof import begin, told
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.system import FirewallError
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall import paper_ufw
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall.commits import (
    SSH,
    apply,
    commit,
    confirm,
    inspect,
    wish,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall.paper import (
    PaperHost,
)

NEW = wish(nftables={NAME: "the rules"})
GRE = parse({"protocol": "gre", "first": 0, "last": 0, "purpose": "A tunnel"})


def seen(*elements: tuple[object, int]) -> str:
    members = [{"concat": list(element)} for element in elements]
    return json.dumps({"nftables": [{"metainfo": {}}, {"set": {"name": "seen", "elem": members}}]})


def test_the_proof_lasts_as_long_as_a_change_waits() -> None:
    host = PaperHost()
    apply(host, NEW)
    assert "ct zone set" in host.judging
    confirm(host)
    assert host.judging == ""


def test_the_proof_ends_with_the_undoing() -> None:
    host = PaperHost()
    apply(host, NEW)
    host.expire()
    assert host.judging == ""


def test_a_host_without_nft_gets_it_for_the_proof() -> None:
    host = paper_ufw.UfwHost(programs={"ufw", "sshd"})
    assert inspect(host, wish(ufw=paper_ufw.rules(22, 443))).missing == ["nftables"]


def test_ufw_can_go_where_there_is_no_nft() -> None:
    host = paper_ufw.UfwHost()
    commit(host, wish(ufw=paper_ufw.rules(22, 443)))
    host.programs.remove("nft")
    commit(host, wish())
    assert "ufw" not in host.saved()


def test_who_is_too_late_hears_what_came_in_meanwhile() -> None:
    host = PaperHost(came=seen(("udp", 51820), ("gre", 2048)))
    apply(host, NEW)
    host.expire()
    with pytest.raises(FirewallError, match="came to protocol gre, udp 51820, which the new rules"):
        confirm(host)


def test_what_came_before_another_change_is_not_told() -> None:
    host = PaperHost(came=seen(("udp", 51820)))
    apply(host, NEW)
    host.expire()
    host.came = ""
    commit(host, NEW)
    apply(host, wish(nftables={NAME: "other rules"}))
    host.expire()
    with pytest.raises(FirewallError, match=r"former rules back$"):
        confirm(host)


@pytest.mark.parametrize(
    ("listening", "line"),
    [
        pytest.param([], "tcp dport { 0 } add", id="nothing listens"),
        pytest.param(["tcp 22"], "tcp dport { 0 } add", id="will be open"),
        pytest.param(["tcp 22", "tcp 1194"], "tcp dport { 1194 } add", id="tunnel over TCP"),
        pytest.param(["udp 22", "udp 53"], "udp dport { 22, 53 } add", id="over UDP"),
        pytest.param([], "meta l4proto != { udp, 47 } add", id="protocol that will be open"),
    ],
)
def test_what_is_told_of(listening: list[str], line: str) -> None:
    assert line in begin([SSH, GRE], listening=listening)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param(seen(("tcp", 1194), ("esp", 9)), ["protocol esp", "tcp 1194"], id="names"),
        pytest.param(
            seen((41, 0), (17, 53), (99, 1)),
            ["protocol 99", "protocol ipv6", "udp 53"],
            id="numbers",
        ),
    ],
)
def test_places(text: str, places: list[str]) -> None:
    assert told(text) == places
