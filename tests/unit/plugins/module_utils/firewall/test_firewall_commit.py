# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.commit import (
    FOLDER,
    PENDING,
    PROVEN,
    Intent,
    Survey,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.nftables import (
    NAME,
    RULES,
    UNIT,
    UNIT_FILE,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.system import FirewallError
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall.commits import (
    APPLIED,
    CONFIRMED,
    SSH,
    apply,
    commit,
    confirm,
    firewall,
    inspect,
    wish,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall.paper import (
    PaperHost,
)

OLD = Intent(ports=[SSH], rules={"nftables": {NAME: "the old rules"}})
NEW = wish(nftables={NAME: "the new rules"})
NONE = wish()


@pytest.fixture
def host() -> PaperHost:
    """Return a host with the old rules in force."""
    host = PaperHost()
    commit(host, OLD)
    return host


def test_a_fresh_host_tells_what_would_open() -> None:
    report = inspect(PaperHost(programs=set()), NEW)
    assert report.missing == ["nftables"]
    assert report.changes == ["+ tcp 22 SSH", "+ tcp 443 HTTPS"]


def test_a_first_firewall_tells_who_is_shut_off() -> None:
    listens = {"tcp 8080": "caddy", "udp 68": "dhclient", "tcp 22": "sshd", "tcp 9": "inetd"}
    told = inspect(PaperHost(listens=listens), NEW).changes[2:]
    assert told == ["- tcp 9 inetd, which listens there", "- tcp 8080 caddy, which listens there"]


def test_a_commit_lasts_over_a_boot(host: PaperHost) -> None:
    commit(host, NEW)
    host.boot()
    assert host.table == "the new rules"
    assert inspect(host, NEW) == Survey()


def test_a_commit_leaves_nothing_behind(host: PaperHost) -> None:
    assert not host.armed
    assert host.names(FOLDER) == []


def test_new_rules_are_in_force_before_they_are_confirmed(host: PaperHost) -> None:
    apply(host, NEW)
    assert (host.table, host.armed, host.files[RULES]) == ("the new rules", True, "the old rules")


def test_a_boot_forgets_what_is_not_confirmed(host: PaperHost) -> None:
    apply(host, NEW)
    host.boot()
    assert host.table == "the old rules"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda host: setattr(host, "table", "by hand"), id="table changed by hand"),
        pytest.param(lambda host: setattr(host, "table", ""), id="table removed"),
        pytest.param(lambda host: host.files.update({RULES: "by hand"}), id="boot file changed"),
        pytest.param(lambda host: host.files.pop(RULES), id="boot file removed"),
        pytest.param(lambda host: host.files.pop(UNIT_FILE), id="unit removed"),
        pytest.param(lambda host: host.units[UNIT].discard("enabled"), id="unit disabled"),
    ],
)
def test_what_was_changed_by_hand_is_put_right(
    host: PaperHost, change: Callable[[PaperHost], object]
) -> None:
    change(host)
    assert inspect(host, OLD).faults
    commit(host, OLD)
    assert inspect(host, OLD) == Survey()
    assert host.table == host.files[RULES] == "the old rules"


def test_none_removes_everything(host: PaperHost) -> None:
    commit(host, NONE)
    assert host.table == ""
    assert host.files == {}
    assert inspect(host, NONE) == Survey()


def test_none_needs_no_nft() -> None:
    assert inspect(PaperHost(programs=set()), NONE) == Survey()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"connection": "192.0.2.1 4 192.0.2.2 2222"}, "this very conn", id="ssh port"),
        pytest.param({"sshd": "listenaddress [::]:2222\n"}, "sshd restarts", id="sshd elsewhere"),
        pytest.param({"breaks": {"nft -c": "syntax error"}}, "nft refuses", id="broken rules"),
        pytest.param({"breaks": {"nft -f -": "no memory"}}, "no memory", id="rules do not load"),
        pytest.param({"breaks": {"systemd-run": "no bus"}}, "no bus", id="timer does not start"),
        pytest.param({"full": FOLDER}, "No space left", id="no room to save the former rules"),
    ],
)
def test_refused_before_anything_changes(
    host: PaperHost, changes: dict[str, object], reason: str
) -> None:
    for name, value in changes.items():
        setattr(host, name, value)
    with pytest.raises((FirewallError, OSError), match=reason):
        apply(host, NEW)
    assert (host.table, host.files[RULES]) == ("the old rules", "the old rules")
    assert not host.armed
    assert host.names(PENDING) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda host: host.expire(), "put its former rules back", id="too late"),
        pytest.param(lambda host: host.boot(), "put its former rules back", id="rebooted"),
        pytest.param(
            lambda host: setattr(host, "table", "by hand"), "somebody else", id="changed by hand"
        ),
        pytest.param(
            lambda host: setattr(host, "full", "/etc"), "No space left", id="no room to keep them"
        ),
        pytest.param(
            lambda host: host.breaks.update({"systemctl start": "no bus"}), "no bus", id="no unit"
        ),
    ],
)
def test_a_failed_confirmation_ends_with_the_former_rules(
    host: PaperHost, change: Callable[[PaperHost], object], reason: str
) -> None:
    apply(host, NEW)
    change(host)
    with pytest.raises(FirewallError, match=reason):
        confirm(host)
    assert (host.table, host.files[RULES]) == ("the old rules", "the old rules")
    assert host.names(FOLDER) == []


def test_the_old_connection_proves_nothing(host: PaperHost) -> None:
    apply(host, NEW)
    with pytest.raises(FirewallError, match="old connection"):
        confirm(host, ticket=APPLIED)
    assert host.table == "the old rules"


def test_one_run_cannot_confirm_the_change_of_another(host: PaperHost) -> None:
    apply(host, NEW)
    with pytest.raises(FirewallError, match="former rules"):
        confirm(host, ticket=replace(CONFIRMED, token="two"))
    assert host.names(PENDING)


def test_the_next_run_finishes_after_a_dead_one(host: PaperHost) -> None:
    apply(host, NEW)
    commit(host, NEW)
    assert (host.table, host.files[RULES], host.armed) == ("the new rules", "the new rules", False)


def test_the_next_run_keeps_what_was_proven(host: PaperHost) -> None:
    apply(host, NEW)
    host.move(PENDING, PROVEN)
    firewall(host).settle()
    assert (host.files[RULES], host.names(FOLDER)) == ("the new rules", [])


def test_the_next_run_forgets_what_was_not_loaded(host: PaperHost) -> None:
    host.write(f"{FOLDER}/preparing/ticket", "{}")
    commit(host, NEW)
    assert (host.table, host.names(FOLDER)) == ("the new rules", [])


def test_an_unproven_change_is_taken_back_in_time(host: PaperHost) -> None:
    apply(host, NEW)
    host.expire()
    assert (host.table, host.armed, host.names(FOLDER)) == ("the old rules", False, [])


def test_a_timer_that_comes_after_the_proof_finds_nothing(host: PaperHost) -> None:
    apply(host, NEW)
    host.move(PENDING, PROVEN)
    host.expire()
    assert (host.table, host.armed) == ("the new rules", False)


def test_rules_that_do_not_load_again_leave_the_host_open(host: PaperHost) -> None:
    apply(host, NEW)
    host.breaks = {"nft -f /run": "no memory"}
    host.expire()
    assert (host.table, host.files[RULES]) == ("", "the old rules")


def test_a_program_that_hangs_is_ended(host: PaperHost) -> None:
    host.slow = "nft -f -"
    with pytest.raises(FirewallError, match="nft -f did not end in time"):
        apply(host, NEW)
    assert (host.table, host.armed) == ("the old rules", False)
