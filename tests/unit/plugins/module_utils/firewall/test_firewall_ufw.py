# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backend ufw decides, on a host of paper."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.commit import (
    FOLDER,
    Intent,
    Survey,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.iptables import IPV4, IPV6
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.system import FirewallError
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.ufw import (
    DEFAULTS,
    FOUND,
    RECORD,
    SETTINGS,
    UNIT,
    Ufw,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall import paper_ufw
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall.commits import (
    SSH,
    apply,
    commit,
    confirm,
    inspect,
    wish,
)

OURS = wish(ufw=paper_ufw.rules(22, 443))
FEWER = Intent(ports=[SSH], rules=wish(ufw=paper_ufw.rules(22)).rules)
NONE = wish()
Host = paper_ufw.UfwHost
Change = Callable[[Host], object]


def bare(**more: object) -> Host:
    host = Host()
    vars(host).update(more)
    return host


def found(*ports: int) -> Host:
    """Return a host whose operator enabled ufw by hand."""
    host = Host()
    host.enable(*ports)
    return host


def ours() -> Host:
    """Return a host that was bare, with our rules in force."""
    host = Host()
    commit(host, OURS)
    return host


def edit(path: str, old: str, new: str) -> Change:
    return lambda host: host.files.update({path: host.files[path].replace(old, new)})


def add(rule: str) -> Change:
    return lambda host: host.tables["iptables"].rules.append(rule)


ALL = [
    "ufw's files are others",
    "the loaded rules are not those of the last run",
    "the unit that loads them at boot is not in place",
]


@pytest.mark.parametrize(
    ("host", "wanted", "faults"),
    [
        pytest.param(bare(programs=set()), OURS, ["ufw is not installed"], id="not installed"),
        pytest.param(bare(units={}), OURS, ALL, id="as delivered, without its unit"),
        pytest.param(bare(), OURS, ALL[:2], id="as delivered"),
        pytest.param(found(22), OURS, ALL[:2], id="other rules"),
        pytest.param(ours(), OURS, [], id="ours"),
        pytest.param(bare(), NONE, [], id="as delivered, nothing wished"),
        pytest.param(found(22), NONE, [], id="rules of others, nothing wished"),
        pytest.param(
            ours(),
            NONE,
            ["rules of ours are left, which shall filter nothing any more"],
            id="ours, nothing wished",
        ),
    ],
)
def test_faults(host: Host, wanted: Intent, faults: list[str]) -> None:
    assert Ufw(host).faults(wanted.rules["ufw"]) == faults


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        pytest.param(edit(IPV4.path, "22", "23"), ALL[:1], id="rule"),
        pytest.param(edit(IPV6.path, "22", "23"), ALL[:1], id="rule for IPv6"),
        pytest.param(edit(SETTINGS, "=yes", "=no"), ALL[:1], id="disabled"),
        pytest.param(edit(DEFAULTS, "DROP", "ACCEPT"), ALL[:1], id="policy"),
        pytest.param(add(paper_ufw.rule(9)), ALL[1:2], id="loaded rule"),
        pytest.param(lambda host: host.files.pop(RECORD), ALL[1:2], id="record removed"),
        pytest.param(lambda host: host.units[UNIT].discard("enabled"), ALL[2:], id="unit disabled"),
        pytest.param(lambda host: host.units[UNIT].discard("active"), ALL[2:], id="unit stopped"),
    ],
)
def test_what_was_changed_by_hand_is_put_right(change: Change, faults: list[str]) -> None:
    host = ours()
    change(host)
    assert inspect(host, OURS).faults == faults
    commit(host, OURS)
    assert inspect(host, OURS) == Survey()
    assert (host.files, host.saved()) == (ours().files, ours().saved())


@pytest.mark.parametrize("verdict", ["DROP", "REJECT"])
def test_a_ban_is_no_fault(verdict: str) -> None:
    host = ours()
    add(f"-A ufw-user-input -s 203.0.113.9/32 -j {verdict}")(host)
    assert inspect(host, OURS) == Survey()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(edit(DEFAULTS, "IPV6=yes", "IPV6=no"), "ufw needs IPV6=yes", id="no IPv6"),
        pytest.param(
            edit(DEFAULTS, "MANAGE_BUILTINS=no", "MANAGE_BUILTINS=yes"),
            "ufw needs MANAGE_BUILTINS=no",
            id="would remove the rules of others",
        ),
        pytest.param(lambda host: host.files.pop(DEFAULTS), "ufw needs IPV6", id="no settings"),
        pytest.param(
            lambda host: host.breaks.update({"iptables-restore -n --test": "line 9 failed\nx"}),
            "ufw refuses the new rules, so nothing was changed: line 9 failed$",
            id="broken rules",
        ),
        pytest.param(
            lambda host: host.breaks.update({"ip6tables-restore -n --test": "no chain"}),
            "no chain",
            id="broken rules for IPv6",
        ),
    ],
)
def test_refused_before_anything_changes(change: Change, reason: str) -> None:
    host = bare()
    change(host)
    files, saved = dict(host.files), host.saved()
    with pytest.raises(FirewallError, match=reason):
        apply(host, OURS)
    assert (host.files, host.saved()) == (files, saved)


def test_a_host_without_ipv6_can_be_left_alone() -> None:
    host = bare()
    edit(DEFAULTS, "IPV6=yes", "IPV6=no")(host)
    assert inspect(host, NONE) == Survey()


STATES = [pytest.param(bare, id="bare host"), pytest.param(lambda: found(22, 9), id="ufw by hand")]
Make = Callable[[], Host]


@pytest.mark.parametrize("make", STATES)
def test_nothing_is_written_under_etc_before_the_proof(make: Make) -> None:
    host, before = make(), make().etc()
    apply(host, OURS)
    assert paper_ufw.rule(443) in host.saved()
    assert host.etc() == before


@pytest.mark.parametrize("make", STATES)
def test_a_boot_forgets_what_is_not_confirmed(make: Make) -> None:
    host = make()
    apply(host, OURS)
    host.boot()
    assert (host.files, host.saved()) == (make().files, make().saved())


@pytest.mark.parametrize("make", STATES)
def test_the_timer_brings_the_former_rules_back(make: Make) -> None:
    host = make()
    apply(host, OURS)
    host.expire()
    assert (host.files, host.saved()) == (make().files, make().saved())
    assert host.names(FOLDER) == []


@pytest.mark.parametrize("make", STATES)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            {"breaks": {"systemctl enable": "no bus"}, "units": {UNIT: set()}}, id="no unit"
        ),
        pytest.param({"full": FOUND}, id="no room for what was found"),
        pytest.param({"full": IPV6.path}, id="no room for the rules of IPv6"),
        pytest.param({"full": RECORD}, id="no room for the record"),
    ],
)
def test_rules_that_cannot_be_kept_make_way_for_the_former(
    make: Make, fault: dict[str, object]
) -> None:
    host = make()
    apply(host, OURS)
    vars(host).update(fault)
    with pytest.raises(FirewallError, match="the new rules could not be kept"):
        confirm(host)
    assert (host.files, host.saved()) == (make().files, make().saved())


@pytest.mark.parametrize("make", STATES)
def test_a_commit_lasts_over_a_boot(make: Make) -> None:
    host = make()
    commit(host, OURS)
    host.boot()
    assert inspect(host, OURS) == Survey()
    assert paper_ufw.rule(443) in host.saved()
    assert paper_ufw.rule(9) not in host.saved()


@pytest.mark.parametrize("make", STATES)
def test_what_was_found_comes_back_when_ours_goes(make: Make) -> None:
    host = make()
    commit(host, OURS)
    commit(host, FEWER)
    commit(host, NONE)
    assert (host.files, host.saved()) == (make().files, make().saved())


def test_what_was_found_is_remembered_once() -> None:
    host = found(22, 9)
    commit(host, OURS)
    remembered = host.files[FOUND]
    commit(host, FEWER)
    assert host.files[FOUND] == remembered
    assert "dport 9" in remembered
    assert "dport 443" not in remembered


def test_a_report_tells_the_ports_of_people_and_their_purposes() -> None:
    assert inspect(found(22, 9), OURS).changes == ["+ tcp 443 HTTPS", "- tcp 9 SSH"]


def test_ufw_that_does_not_filter_opens_nothing() -> None:
    assert Ufw(bare()).ports() == []


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        pytest.param(bare(), False, id="as delivered"),
        pytest.param(bare(programs=set()), False, id="not installed"),
        pytest.param(found(22), True, id="by hand"),
        pytest.param(ours(), False, id="ours"),
    ],
)
def test_filters_alone(host: Host, alone: bool) -> None:
    assert Ufw(host).filters_alone() is alone


def test_the_connection_must_stay_possible() -> None:
    host = bare(connection="192.0.2.1 4 192.0.2.2 2222")
    with pytest.raises(FirewallError, match="this very connection"):
        apply(host, OURS)


def test_a_ban_between_the_halves_is_nobody_s_change() -> None:
    host = bare()
    apply(host, OURS)
    add("-A ufw-user-input -s 203.0.113.9/32 -j DROP")(host)
    confirm(host)
    assert inspect(host, OURS) == Survey()


def test_an_open_port_between_the_halves_is_somebody_else_s_change() -> None:
    host = bare()
    apply(host, OURS)
    add(paper_ufw.rule(9))(host)
    with pytest.raises(FirewallError, match="somebody else changed the rules"):
        confirm(host)
    assert host.saved() == bare().saved()


def test_preparing_does_nothing() -> None:
    host = bare(programs=set())
    Ufw(host).prepare()
    assert (host.files, host.calls) == (bare().files, [])
