# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commits to firewalld, and the ways back, on a host of paper."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.commit import (
    FOLDER,
    Survey,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.firewalld import (
    FOUND,
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
    confirm,
    inspect,
    wish,
)

WANTED = wish(firewalld=paper_firewalld.rules(22, 443))
FEWER = wish(firewalld=paper_firewalld.rules(22))
NONE = wish()
Host = paper_firewalld.FirewalldHost
bare, found = paper_firewalld.bare, paper_firewalld.found
Make = Callable[[], Host]


def installed() -> Host:
    """Return a host on which firewalld got installed by a run of ours."""
    host = bare(programs={"nft"}, files={})
    apply(host, WANTED)
    host.programs.add("firewall-cmd")
    host.files[SETTINGS] = paper_firewalld.DELIVERED
    return host


def test_the_package_cannot_start_the_daemon() -> None:
    host = installed()
    assert host.units[UNIT] == {"masked"}
    assert host.run(["systemctl", "start", UNIT]).code


def test_an_installed_daemon_is_used() -> None:
    host = installed()
    commit(host, WANTED)
    host.boot()
    assert inspect(host, WANTED) == Survey()


def test_an_installed_daemon_is_off_when_ours_goes() -> None:
    host = installed()
    commit(host, WANTED)
    commit(host, NONE)
    assert host.state() == bare().state()


def test_a_run_that_died_while_installing_leaves_no_mask() -> None:
    host = installed()
    commit(host, NONE)
    assert host.state() == bare().state()


STATES = [
    pytest.param(bare, id="installed"),
    pytest.param(found, id="runs"),
    pytest.param(lambda: found("work"), id="runs with another zone"),
]


@pytest.mark.parametrize("make", STATES)
def test_nothing_is_written_under_etc_before_the_proof(make: Make) -> None:
    host = make()
    apply(host, WANTED)
    assert "443" in Firewalld(host).loaded()
    assert host.disk() == make().disk()


@pytest.mark.parametrize("make", STATES)
def test_a_boot_forgets_what_is_not_confirmed(make: Make) -> None:
    host = make()
    apply(host, WANTED)
    host.boot()
    assert host.state() == make().state()


@pytest.mark.parametrize("make", STATES)
def test_the_timer_brings_the_former_rules_back(make: Make) -> None:
    host = make()
    apply(host, WANTED)
    host.expire()
    assert host.state() == make().state()
    assert host.names(FOLDER) == []


@pytest.mark.parametrize("make", STATES)
def test_the_timer_brings_ours_back(make: Make) -> None:
    host = make()
    commit(host, WANTED)
    before = host.state()
    apply(host, NONE)
    host.expire()
    assert (host.state(), host.names(FOLDER)) == (before, [])


@pytest.mark.parametrize("make", STATES)
@pytest.mark.parametrize("full", [SETTINGS, FOUND, RECORD])
def test_rules_that_cannot_be_kept_make_way_for_the_former(make: Make, full: str) -> None:
    host = make()
    apply(host, WANTED)
    host.full = full
    with pytest.raises(FirewallError, match="the new rules could not be kept"):
        confirm(host)
    assert host.state() == make().state()


@pytest.mark.parametrize("make", STATES)
def test_a_commit_lasts_over_a_boot(make: Make) -> None:
    host = make()
    commit(host, WANTED)
    host.boot()
    assert inspect(host, WANTED) == Survey()
    assert "443" in host.listing


@pytest.mark.parametrize("make", STATES)
def test_what_was_found_comes_back_when_ours_goes(make: Make) -> None:
    host = make()
    commit(host, WANTED)
    remembered = host.files[FOUND]
    commit(host, FEWER)
    assert host.files[FOUND] == remembered
    commit(host, NONE)
    assert host.state() == make().state()


@pytest.mark.parametrize("make", STATES)
def test_rules_of_others_stand_when_firewalld_empties_their_tables(make: Make) -> None:
    host = make()
    host.empties = True
    host.tables["iptables"].restore("*filter\n:f2b - [0:0]\n-A INPUT -j f2b\n", flush=False)
    before = host.saved()
    for wanted in (WANTED, NONE):
        commit(host, wanted)
        assert host.saved() == before
