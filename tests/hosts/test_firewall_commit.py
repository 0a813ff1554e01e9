# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall on real hosts: exact, and nobody gets locked out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from firewall_server import Run, Server, kill, wait_until

PENDING = "/run/homestead-firewall/pending"
DROP_ALL = """
table inet homestead
delete table inet homestead
table inet homestead {
    chain input {
        type filter hook input priority filter; policy drop;
    }
}
"""
DROP_NEW = DROP_ALL.replace("policy drop;", "policy drop; ct state established accept")
SECONDS = 12
RULES = {"_firewall_backend": {"packages": [], "rules": DROP_ALL}}
EXTRA: dict[str, Any] = {
    "firewall_extra_ports": [{"protocol": "tcp", "first": 7777, "purpose": "A test"}],
    "firewall_rollback_seconds": SECONDS,
}


@pytest.fixture(scope="module", params=["12", "13"])
def bare(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(lab=f"firewall-{request.param}")
    server.down()
    server.up(release=request.param)
    yield server
    server.down()


@pytest.fixture(scope="module")
def story(bare: Server) -> dict[str, Run]:
    """Return what an operator saw, from a bare host on."""
    plays = {"dry run": ["--check"], "first run": [], "second run": [], "last dry run": ["--check"]}
    return {name: bare.play(*options) for name, options in plays.items()}


@pytest.fixture(scope="module")
def settled(bare: Server, story: dict[str, Run]) -> Server:
    """Return a host whose rules are in force, for tests that leave them so."""
    assert story["last dry run"].status == 0, story["last dry run"].output
    return bare


@pytest.fixture
def server(settled: Server) -> Server:
    """Return a host whose rules are in force, whatever a test before has done."""
    run = settled.play()
    assert run.status == 0, run.output
    return settled


OPEN = ["tcp 22", "tcp 80", "tcp 443", "tcp 8448", "tcp 3478", "udp 3478", "tcp 5349"]


@pytest.mark.parametrize("name", ["dry run", "first run"])
@pytest.mark.parametrize("port", [*OPEN, "udp 49152-49573"])
def test_the_diff_names_what_opens(story: dict[str, Run], name: str, port: str) -> None:
    assert f"+ {port} " in story[name].output


def test_the_dry_run_changes_nothing_but_says_so(story: dict[str, Run]) -> None:
    assert story["dry run"].status == 0
    assert story["dry run"].changed


@pytest.mark.parametrize("name", ["second run", "last dry run"])
def test_a_run_without_change(story: dict[str, Run], name: str) -> None:
    assert story[name].status == 0
    assert not story[name].changed


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(
    ("protocol", "first", "last", "answering"),
    [
        pytest.param("tcp", 1, 1024, {22, 80, 443}, id="low ports"),
        pytest.param("tcp", 3470, 3480, {3478}, id="TURN"),
        pytest.param("tcp", 5340, 5350, {5349}, id="TURN over TLS"),
        pytest.param("tcp", 5432, 5432, set(), id="database"),
        pytest.param("tcp", 8000, 9100, {8448}, id="federation, and nothing internal"),
        pytest.param("udp", 3476, 3479, {3478}, id="TURN over UDP"),
        pytest.param("udp", 49150, 49153, {49152, 49153}, id="first relay"),
        pytest.param("udp", 49572, 49575, {49572, 49573}, id="last relay"),
    ],
)
def test_exactly_the_ports_answer(
    settled: Server, protocol: str, first: int, last: int, answering: set[int], family: int
) -> None:
    for setting in ("ipv4/icmp_ratelimit", "ipv6/icmp/ratelimit"):
        settled.run("sh", "-c", f"echo 0 > /proc/sys/net/{setting}")
    assert settled.answers(protocol, first, last, family=family) == answering


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        pytest.param({"matrix_ssh_port": 2222}, "ssh listens on tcp 22", id="wrong ssh port"),
        pytest.param(
            {"firewall_sources": {"ssh": ["192.0.2.0/24", "2001:db8:ffff::/48"]}},
            "do not open tcp 22 to this controller",
            id="sources without the controller",
        ),
        pytest.param(
            {"_firewall_backend": {"packages": [], "rules": "table inet homestead { nonsense }"}},
            "nft refuses the new rules",
            id="broken rules",
        ),
        pytest.param(
            {"firewall_rollback_seconds": 300}, "must lie between 10 and 45", id="too patient"
        ),
    ],
)
@pytest.mark.parametrize("options", [[], ["--check"]], ids=["run", "dry run"])
def test_refused_before_anything_changes(
    settled: Server, options: list[str], variables: dict[str, Any], reason: str
) -> None:
    before = settled.table()
    run = settled.play(*options, **variables)
    assert run.status != 0
    assert reason in run.output
    assert settled.table() == before


def test_sshd_that_will_move_is_noticed(server: Server) -> None:
    server.run("sh", "-c", "echo Port 2222 > /etc/ssh/sshd_config.d/move.conf")
    run = server.play(**EXTRA)
    server.run("rm", "/etc/ssh/sshd_config.d/move.conf")
    assert "as soon as sshd restarts" in run.output


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(DROP_ALL, id="everything"),
        pytest.param(
            DROP_ALL.replace(";\n    }", ";\n        ct state established accept\n    }"), id="new"
        ),
    ],
)
def test_rules_that_cut_the_controller_off_go_away(server: Server, rules: str) -> None:
    before = server.table()
    backend = {"packages": [], "rules": rules}
    run = server.play(_firewall_backend=backend, firewall_rollback_seconds=SECONDS)
    assert run.status != 0
    assert "no new connection confirmed the new rules in time" in run.output
    assert server.table() == before
    assert run.seconds < 60


def test_a_controller_that_dies_takes_its_change_with_it(server: Server) -> None:
    before = server.table()
    process = server.start(**{**EXTRA, **RULES})
    wait_until(lambda: "ticket" in server.run("ls", PENDING), seconds=30)
    kill(process)
    wait_until(lambda: server.table() == before, seconds=60)
    run = server.play(**EXTRA)
    assert run.status == 0
    assert "+ tcp 7777 A test" in run.output


def test_a_reboot_forgets_what_is_not_confirmed(server: Server) -> None:
    before = server.table()
    process = server.start(**{**EXTRA, **RULES})
    wait_until(lambda: server.table() not in {"", before}, seconds=30)
    kill(process)
    server.reboot()
    assert server.table() == before
    assert not server.play().changed


def test_rules_changed_by_hand_are_put_right(server: Server) -> None:
    hole = "nft add rule inet homestead ports tcp dport 9999 accept comment hole"
    server.run(*hole.split())
    run = server.play()
    assert "- tcp 9999 hole" in run.output
    assert "9999" not in server.table()


def test_other_tables_stay_as_they_are(server: Server) -> None:
    server.run("nft", "add table ip foreign { chain c { tcp dport 9 accept ; } ; }")
    before = server.run("nft", "list", "table", "ip", "foreign")
    server.play(**EXTRA)
    server.play()
    assert server.run("nft", "list", "table", "ip", "foreign") == before
    assert "tcp dport 9 accept" in before


@pytest.mark.parametrize("action", ["restart", "reload"])
def test_our_table_comes_back_when_debian_flushes_all(server: Server, action: str) -> None:
    before = server.table()
    server.run("systemctl", "start", "nftables.service")
    server.run("systemctl", action, "nftables.service")
    wait_until(lambda: server.table() == before, seconds=5)
    assert not server.play().changed


def test_none_leaves_the_host_as_it_was_found(server: Server) -> None:
    run = server.play(matrix_firewall="none")
    assert "filter nothing any more" in run.output
    assert server.table() == ""
    left = server.run("find", "/etc", "/run", "/var/lib", "-name", "*homestead-firewall*")
    assert left.split() in ([], ["/run/homestead-firewall"])
    assert server.run("find", "/etc/homestead", "/var/lib/homestead", "-name", "*.nft") == ""
    assert not server.play(matrix_firewall="none").changed
