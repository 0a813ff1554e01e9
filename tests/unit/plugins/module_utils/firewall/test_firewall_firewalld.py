# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backend firewalld decides, on a host of paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.commit import (
    Intent,
    Survey,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.firewalld import (
    JUDGED,
    OURS,
    RECORD,
    SETTINGS,
    UNIT,
    Firewalld,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.system import FirewallError
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall import (
    paper_firewalld,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall.commits import (
    apply,
    commit,
    inspect,
    wish,
)

TEXTS = Path(__file__).parent / "texts"
WANTED = wish(firewalld=paper_firewalld.rules(22, 443))
NONE = wish()
Host = paper_firewalld.FirewalldHost
bare, found = paper_firewalld.bare, paper_firewalld.found
Change = Callable[[Host], object]


def ours() -> Host:
    """Return a host that was bare, with our rules in force."""
    host = Host()
    commit(host, WANTED)
    return host


def edit(path: str, old: str, new: str) -> Change:
    return lambda host: host.files.update({path: host.files[path].replace(old, new)})


ALL = [
    "firewalld's files are others",
    "the loaded rules are not those of the last run",
    "firewalld does not run, or does not start at boot",
]


@pytest.mark.parametrize(
    ("host", "wanted", "faults"),
    [
        pytest.param(bare(programs={"nft"}), WANTED, ["firewalld is not installed"], id="bare"),
        pytest.param(bare(), WANTED, [ALL[0], ALL[2]], id="installed"),
        pytest.param(found(), WANTED, ALL[:1], id="other zone"),
        pytest.param(ours(), WANTED, [], id="ours"),
        pytest.param(bare(), NONE, [], id="installed, nothing wished"),
        pytest.param(found(), NONE, [], id="other zone, nothing wished"),
        pytest.param(
            ours(),
            NONE,
            ["rules of ours are left, which shall filter nothing any more"],
            id="ours, nothing wished",
        ),
    ],
)
def test_faults(host: Host, wanted: Intent, faults: list[str]) -> None:
    assert Firewalld(host).faults(wanted.rules["firewalld"]) == faults


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        pytest.param(edit(OURS["service.xml"], "443", "444"), ALL[:1], id="service"),
        pytest.param(lambda host: host.files.pop(OURS["zone.xml"]), ALL[:1], id="zone removed"),
        pytest.param(edit(SETTINGS, "=homestead", "=public"), ALL[:1], id="default zone"),
        pytest.param(
            lambda host: setattr(host, "listing", host.listing.replace("443", "444")),
            ALL[1:2],
            id="loaded rule",
        ),
        pytest.param(lambda host: host.files.pop(RECORD), ALL[1:2], id="record removed"),
        pytest.param(lambda host: host.run(["systemctl", "stop", UNIT]), ALL[1:], id="stopped"),
        pytest.param(lambda host: host.units[UNIT].discard("enabled"), ALL[2:], id="disabled"),
    ],
)
def test_what_was_changed_by_hand_is_put_right(change: Change, faults: list[str]) -> None:
    host = ours()
    change(host)
    assert inspect(host, WANTED).faults == faults
    commit(host, WANTED)
    assert inspect(host, WANTED) == Survey()
    assert host.state() == ours().state()


@pytest.mark.parametrize(
    ("zone", "route", "elsewhere"),
    [
        pytest.param("public", "default via 192.0.2.254 dev eth0\n", True, id="way out"),
        pytest.param("public", "default via 192.0.2.254 dev eth1\n", False, id="inner network"),
        pytest.param("homestead", "default via 192.0.2.254 dev eth0\n", False, id="in our zone"),
        pytest.param("public", "", False, id="no way out"),
    ],
)
def test_the_way_to_the_internet_must_be_in_our_zone(
    zone: str, route: str, elsewhere: bool
) -> None:
    host = ours()
    host.interfaces, host.route = {"eth0": zone}, route
    host.run(["firewall-cmd", "--quiet", "--reload"])
    sentence = (
        "firewalld has eth0 in the zone public, where the rules do not hold; run "
        "`firewall-cmd --permanent --zone=public --remove-interface=eth0`"
    )
    assert inspect(host, WANTED).faults == ([sentence] if elsewhere else [])


def test_rules_that_do_not_hold_are_taken_back() -> None:
    host = bare(interfaces={"eth0": "public"})
    with pytest.raises(FirewallError, match=r"in the zone public.*in force again"):
        apply(host, WANTED)
    assert host.state() == bare().state()


def test_nftables_service_would_remove_the_rules() -> None:
    host = bare(units={UNIT: set(), "nftables.service": {"active"}})
    with pytest.raises(FirewallError, match=r"cannot run beside nftables\.service"):
        apply(host, WANTED)
    assert host.state() == bare().state()


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        pytest.param(found(), WANTED, id="firewalld runs already"),
        pytest.param(bare(), NONE, id="nothing wished"),
    ],
)
def test_nftables_service_does_not_matter(host: Host, wanted: Intent) -> None:
    host.units["nftables.service"] = {"active"}
    Firewalld(host).check(wanted.rules["firewalld"])


TOO_BIG = "INVALID_PORT: port number in '99999' is too big"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param(f"Configuration error: {TOO_BIG}\n", TOO_BIG, id="version 2"),
        pytest.param(
            "ERROR: Failed to load user configuration. Falling back to full stock configuration.\n"
            f"Configuration error: {TOO_BIG}\n",
            TOO_BIG,
            id="version 1",
        ),
        pytest.param("No D-Bus\nat all", "No D-Bus", id="other words"),
    ],
)
def test_the_program_s_words_are_the_reason(words: str, reason: str) -> None:
    host = bare(breaks={"firewall-offline-cmd": words})
    with pytest.raises(FirewallError, match=f"so nothing was changed: {reason}$"):
        apply(host, WANTED)
    assert host.state() == bare().state()
    assert host.names(JUDGED) == []


def test_ports_have_the_purposes_of_our_files() -> None:
    host = ours()
    for name, path in OURS.items():
        host.files[path] = (TEXTS / name).read_text(encoding="utf-8")
    assert [str(port) for port in Firewalld(host).ports()] == [
        "tcp 80 HTTP: certificates and redirects to HTTPS",
        "tcp 443 HTTPS: clients",
        "tcp 3478 TURN: calls",
        "udp 3478 TURN: calls",
        "tcp 5349 TURN over TLS: calls",
        "udp 5349 TURN over TLS: calls",
        "udp 49152-49573 TURN relays for calls",
        "tcp 22 SSH from 192.0.2.7/32, 2001:db8::/32",
    ]


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        pytest.param(bare(), False, id="installed"),
        pytest.param(bare(programs={"nft"}), False, id="not installed"),
        pytest.param(found(), True, id="runs"),
        pytest.param(ours(), False, id="ours"),
    ],
)
def test_filters_alone(host: Host, alone: bool) -> None:
    assert Firewalld(host).filters_alone() is alone
