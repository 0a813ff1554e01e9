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
    Firewall,
    Report,
    Ticket,
    Wish,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.nftables import (
    RULES,
    UNIT_FILE,
    Nftables,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.ports import parse
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.system import FirewallError
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall.paper import (
    PaperHost,
)

SSH = parse({"protocol": "tcp", "first": 22, "last": 22, "purpose": "SSH"})
WEB = parse({"protocol": "tcp", "first": 443, "last": 443, "purpose": "HTTPS"})
OLD = Wish(ports=[SSH], rules={"nftables": "the old rules"})
NEW = Wish(ports=[SSH, WEB], rules={"nftables": "the new rules"})
NONE = Wish(ports=[], rules={"nftables": ""})
APPLIED = Ticket(token="one", seconds=45, connection="192.0.2.1 40000 192.0.2.2 22")
CONFIRMED = replace(APPLIED, connection="192.0.2.1 40001 192.0.2.2 22")


def firewall(host: PaperHost) -> Firewall:
    return Firewall(host, backends={"nftables": Nftables(host)})


def inspect(host: PaperHost, wish: Wish) -> Report:
    return firewall(host).inspect(wish, over_ssh=True)


def apply(host: PaperHost, wish: Wish, *, ticket: Ticket = APPLIED) -> None:
    firewall(host).settle()
    report = inspect(host, wish)
    firewall(host).apply(wish, due=report.due, ticket=ticket)


def commit(host: PaperHost, wish: Wish) -> None:
    apply(host, wish)
    firewall(host).confirm(wish, ticket=CONFIRMED)


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


def test_a_commit_lasts_over_a_boot(host: PaperHost) -> None:
    commit(host, NEW)
    host.boot()
    assert host.table == "the new rules"
    assert inspect(host, NEW) == Report()


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
        pytest.param(lambda host: setattr(host, "enabled", False), id="unit disabled"),
    ],
)
def test_what_was_changed_by_hand_is_put_right(
    host: PaperHost, change: Callable[[PaperHost], object]
) -> None:
    change(host)
    assert inspect(host, OLD).faults
    commit(host, OLD)
    assert inspect(host, OLD) == Report()
    assert host.table == host.files[RULES] == "the old rules"


def test_none_removes_everything(host: PaperHost) -> None:
    commit(host, NONE)
    assert host.table == ""
    assert host.files == {}
    assert inspect(host, NONE) == Report()


def test_none_needs_no_nft() -> None:
    assert inspect(PaperHost(programs=set()), NONE) == Report()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"connection": "192.0.2.1 4 192.0.2.2 2222"}, "this very conn", id="ssh port"),
        pytest.param({"sshd": "listenaddress [::]:2222\n"}, "sshd restarts", id="sshd elsewhere"),
        pytest.param({"breaks": {"nft -c": "syntax error"}}, "nft refuses", id="broken rules"),
        pytest.param({"breaks": {"nft -f": "no memory"}}, "no memory", id="rules do not load"),
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
        pytest.param(
            lambda host: host.run(["sh", "-c", "/run/homestead-firewall/undoing"]),
            "put its former rules back",
            id="too late",
        ),
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
        firewall(host).confirm(NEW, ticket=CONFIRMED)
    assert (host.table, host.files[RULES]) == ("the old rules", "the old rules")
    assert host.names(FOLDER) == []


def test_the_old_connection_proves_nothing(host: PaperHost) -> None:
    apply(host, NEW)
    with pytest.raises(FirewallError, match="old connection"):
        firewall(host).confirm(NEW, ticket=APPLIED)
    assert host.table == "the old rules"


def test_one_run_cannot_confirm_the_change_of_another(host: PaperHost) -> None:
    apply(host, NEW)
    with pytest.raises(FirewallError, match="former rules"):
        firewall(host).confirm(NEW, ticket=replace(CONFIRMED, token="two"))
    assert host.names(PENDING)


def test_the_next_run_finishes_after_a_dead_one(host: PaperHost) -> None:
    apply(host, NEW)
    commit(host, NEW)
    assert (host.table, host.files[RULES], host.armed) == ("the new rules", "the new rules", False)


def test_the_next_run_finishes_a_confirmation_that_died(host: PaperHost) -> None:
    apply(host, NEW)
    host.move(PENDING, PROVEN)
    commit(host, NEW)
    assert (host.files[RULES], host.names(FOLDER)) == ("the new rules", [])
