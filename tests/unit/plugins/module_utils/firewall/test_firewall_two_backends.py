# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one backend to another, and two of them side by side, on a host of paper."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall import (
    firewalld,
    nftables,
    ufw,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.commit import (
    FOLDER,
    UNDOING,
    Intent,
    Survey,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.iptables import IPV6
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.nftables import NAME
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.system import FirewallError
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall import (
    paper_firewalld,
    paper_ufw,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall.commits import (
    apply,
    commit,
    confirm,
    inspect,
    wish,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall.paper import (
    PaperHost,
)

NFTABLES = wish(nftables={NAME: "the rules"})
UFW = wish(ufw=paper_ufw.rules(22, 443))
FIREWALLD = wish(firewalld=paper_firewalld.rules(22, 443))
Host = paper_ufw.UfwHost


def filtered(wanted: Intent) -> Host:
    host = Host()
    commit(host, wanted)
    host.calls.clear()
    return host


def state(host: Host) -> tuple[dict[str, str], str, str, bool]:
    boots = nftables.UNIT_FILE in host.files and "enabled" in host.units[nftables.UNIT]
    return dict(host.files), host.table, host.saved(), boots


def position(host: PaperHost, start: str) -> int:
    return next(i for i, call in enumerate(host.calls) if call.startswith(start))


LOADS = {"ufw": "/lib/ufw/ufw-init", "nftables": "nft -f -", "ufw's end": "iptables-restore -n -w"}


@pytest.mark.parametrize(
    ("before", "after", "first", "second"),
    [
        pytest.param(NFTABLES, UFW, "ufw", "nftables", id="ufw comes"),
        pytest.param(UFW, NFTABLES, "nftables", "ufw's end", id="nftables comes"),
    ],
)
def test_what_comes_is_loaded_before_what_goes(
    before: Intent, after: Intent, first: str, second: str
) -> None:
    host = filtered(before)
    apply(host, after)
    assert position(host, LOADS[first]) < position(host, LOADS[second])


def test_what_went_is_back_before_what_came_goes() -> None:
    host = filtered(NFTABLES)
    apply(host, UFW)
    host.calls.clear()
    host.expire()
    assert position(host, "nft -f /run") < position(host, LOADS["ufw's end"])


@pytest.mark.parametrize(("before", "after"), [(NFTABLES, UFW), (UFW, NFTABLES)])
def test_one_takes_the_place_of_the_other(before: Intent, after: Intent) -> None:
    host = filtered(before)
    commit(host, after)
    host.boot()
    assert inspect(host, after) == Survey()
    assert bool(host.table) is bool(after.rules["nftables"])
    assert ("ufw" in host.saved()) is bool(after.rules["ufw"])


@pytest.mark.parametrize(("before", "after"), [(NFTABLES, UFW), (UFW, NFTABLES)])
def test_both_go(before: Intent, after: Intent) -> None:
    host = filtered(before)
    commit(host, after)
    commit(host, wish())
    assert state(host) == state(Host())


@pytest.mark.parametrize(("before", "after"), [(NFTABLES, UFW), (UFW, NFTABLES)])
def test_the_timer_brings_both_back(before: Intent, after: Intent) -> None:
    host = filtered(before)
    apply(host, after)
    host.expire()
    assert state(host) == state(filtered(before))
    assert (host.armed, host.names(FOLDER)) == (False, [])


@pytest.mark.parametrize(
    ("before", "after", "breaks"),
    [
        pytest.param(NFTABLES, UFW, "/lib/ufw/ufw-init", id="ufw does not start"),
        pytest.param(NFTABLES, UFW, "nft -f -", id="nftables does not go"),
        pytest.param(UFW, NFTABLES, "nft -f -", id="nftables does not load"),
        pytest.param(UFW, NFTABLES, "/bin/sh -c \nfor tables", id="ufw does not go"),
    ],
)
def test_what_cannot_be_loaded_changes_nothing(before: Intent, after: Intent, breaks: str) -> None:
    host = filtered(before)
    host.breaks = {breaks: "broken"}
    with pytest.raises(FirewallError, match="broken"):
        apply(host, after)
    assert state(host) == state(filtered(before))


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        pytest.param(
            NFTABLES, UFW, {"breaks": {"systemctl disable": "x"}}, id="unit does not stop"
        ),
        pytest.param(
            NFTABLES, UFW, {"breaks": {"systemctl daemon-reload": "x"}}, id="unit is gone already"
        ),
        pytest.param(UFW, NFTABLES, {"full": IPV6.path}, id="no room for what was found"),
    ],
)
def test_when_the_second_cannot_be_kept_both_are_back(
    before: Intent, after: Intent, fault: dict[str, object]
) -> None:
    host = filtered(before)
    apply(host, after)
    vars(host).update(fault)
    with pytest.raises(FirewallError, match="the new rules could not be kept"):
        confirm(host)
    assert state(host) == state(filtered(before))


def test_a_daemon_that_was_enabled_for_nothing_is_disabled() -> None:
    host = paper_firewalld.bare()
    commit(host, NFTABLES)
    apply(host, FIREWALLD)
    host.breaks = {"systemctl disable --now": "no bus"}
    with pytest.raises(FirewallError, match="no bus"):
        confirm(host)
    assert (host.table, host.units[firewalld.UNIT]) == ("the rules", set())


BROKEN = {"nft -f /run": "no memory", "nft delete": "no memory"}


def test_what_cannot_be_undone_keeps_nothing_else_from_it() -> None:
    host = filtered(NFTABLES)
    apply(host, UFW)
    host.breaks = BROKEN
    host.expire()
    assert host.saved() == Host().saved()
    assert host.files[nftables.RULES] == "the rules"


def test_what_cannot_be_undone_is_tried_again() -> None:
    host = filtered(NFTABLES)
    apply(host, UFW)
    host.breaks = BROKEN
    host.expire()
    assert (host.armed, bool(host.names(UNDOING))) == (True, True)
    host.breaks = {}
    host.expire()
    assert state(host) == state(filtered(NFTABLES))


def limited(rate: int) -> Intent:
    """Return what filters with ufw and limits ssh with nftables."""
    return wish(ufw=paper_ufw.rules(22, 443), nftables={NAME: f"limit {rate}"})


def test_a_limit_stands_beside_ufw() -> None:
    host = filtered(limited(30))
    host.boot()
    assert inspect(host, limited(30)) == Survey()
    assert (host.table, "ufw" in host.saved()) == ("limit 30", True)


def test_another_limit_opens_no_port() -> None:
    report = inspect(filtered(limited(30)), limited(20))
    assert (report.due, report.changes) == (["nftables"], [])


def test_a_limit_goes_alone() -> None:
    host = filtered(limited(30))
    commit(host, UFW)
    assert (host.table, inspect(host, UFW)) == ("", Survey())


def by_hand() -> Host:
    host = Host()
    host.enable(22)
    return host


@pytest.mark.parametrize(
    "make", [pytest.param(Host, id="as delivered"), pytest.param(by_hand, id="ufw by hand")]
)
def test_the_timer_brings_ours_back(make: Callable[[], Host]) -> None:
    host = make()
    commit(host, UFW)
    before = state(host)
    apply(host, wish())
    host.expire()
    assert state(host) == before


@pytest.mark.parametrize(
    ("host", "wanted", "name"),
    [
        pytest.param(by_hand(), NFTABLES, "ufw", id="ufw"),
        pytest.param(paper_firewalld.found(), NFTABLES, "firewalld", id="firewalld"),
        pytest.param(paper_firewalld.found(), UFW, "firewalld", id="firewalld, ufw wished"),
    ],
)
def test_no_second_firewall_beside_one_that_filters(
    host: PaperHost, wanted: Intent, name: str
) -> None:
    with pytest.raises(FirewallError, match=f"^{name} filters this host already .* {name}, or"):
        inspect(host, wanted)


def test_the_one_that_filters_may_be_the_wished_one() -> None:
    assert inspect(by_hand(), UFW).due == ["ufw"]


def test_ufw_can_stay_when_none_is_ours() -> None:
    assert inspect(by_hand(), wish()) == Survey()


def test_files_of_ufw_say_that_it_was_found_disabled() -> None:
    host = filtered(UFW)
    assert "ENABLED=yes" in host.files[ufw.SETTINGS]
    commit(host, NFTABLES)
    assert "ENABLED=no" in host.files[ufw.SETTINGS]
