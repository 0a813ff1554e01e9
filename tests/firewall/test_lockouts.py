# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody gets locked out: every attempt ends with a reachable host and whole rules, old or new."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from attempts import ATTEMPTS, ENDS, EXTRA, FOLDER, KEPT, NOBODY_NEW, SECONDS, Attempt
from conftest import HARDEST, a_bare_server
from firewall_server import Lab, Run, Server, kill, wait_until

pytestmark = pytest.mark.parametrize("bare", HARDEST, indirect=True)
PATIENCE = {"firewall_rollback_seconds": SECONDS}


@pytest.fixture(scope="module")
def bare(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Start a host of these tests' own: others leave rules that a reboot takes away."""
    with a_bare_server(request.param, "lockouts") as server:
        yield server


# Servers that the last test left with KEPT rules.
SETTLED: set[Lab] = set()


def settle(server: Server, *, starts: str = "ours") -> str:
    """Bring the host to where an attempt starts, and return its rules."""
    firewall = server.firewall if starts == "ours" else "none"
    if starts == "bare" or server.lab not in SETTLED:
        run = server.play(matrix_firewall=firewall, firewall_extra_ports=KEPT)
        assert run.status == 0, run.output
    SETTLED.discard(server.lab)
    return server.rules()


def attempt_it(server: Server, attempt: Attempt) -> Run:
    """Run the play with the saboteur beside it."""
    saboteur = server.behind(attempt.beside[server.firewall])
    given = {**attempt.variables, **attempt.rules[server.firewall], **PATIENCE}
    if attempt.tunnel:
        given["ansible_host"] = ENDS["server"]
        options = server.through(ENDS["server"]).items()
        given["ansible_ssh_common_args"] = " ".join(
            f"-o '{name}={value}'" for name, value in options
        )
    run = server.play(**given)
    saboteur.wait(timeout=60)
    server.shell(attempt.after[server.firewall])
    return run


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_attempt(bare: Server, attempt: Attempt) -> None:
    if bare.firewall not in attempt.only:
        pytest.skip(f"{bare.firewall} cannot do this")
    old = settle(bare, starts=attempt.starts)
    bare.shell(attempt.before[bare.firewall])
    if attempt.tunnel:
        bare.dig(attempt.tunnel, ENDS)
    run = attempt_it(bare, attempt)
    assert attempt.says in run.output, run.output
    if attempt.ends == "old":
        assert run.status != 0, run.output
        wait_until(lambda: bare.rules() == old, seconds=60)
    assert bare.is_reachable()
    if attempt.tunnel:
        assert_a_new_tunnel_leads_there(bare, attempt.tunnel)
    assert_the_next_run_ends_well(bare)


def assert_a_new_tunnel_leads_there(server: Server, way: str) -> None:
    """Nothing depends on what connection tracking still knows of the old one."""
    server.fill()
    server.dig(way, ENDS)
    server.fill()


def left(server: Server) -> str:
    """Return what a change has left that is not over."""
    return server.shell(f"ls {FOLDER}")


def assert_the_next_run_ends_well(server: Server) -> None:
    """Whatever happened, the next run puts the new rules in force, whole."""
    run = server.play(firewall_extra_ports=KEPT)
    assert run.status == 0, run.output
    assert left(server) == ""
    SETTLED.add(server.lab)


@pytest.fixture
def server(bare: Server) -> Server:
    """Return a host whose rules are in force, whatever a test before has done."""
    settle(bare)
    return bare


def hang(server: Server, **variables: Any) -> Any:
    """Start a run whose rules let nobody confirm them, and return it once they are in force."""
    process = server.start(**NOBODY_NEW[server.firewall], **PATIENCE, **variables)
    wait_until(lambda: "loaded" in server.run("ls", f"{FOLDER}/pending"), seconds=30)
    return process


def test_the_controller_is_killed_before_it_confirms(server: Server) -> None:
    old = server.rules()
    kill(hang(server))
    wait_until(lambda: server.rules() == old, seconds=60)
    assert server.is_reachable()


def test_the_controller_is_killed_as_soon_as_the_change_begins(server: Server) -> None:
    old = server.rules()
    process = server.start(firewall_extra_ports=EXTRA, **PATIENCE)
    wait_until(lambda: "ticket" in server.run("ls", f"{FOLDER}/pending"), seconds=30)
    kill(process)
    wait_until(lambda: left(server) == "", seconds=60)
    assert server.rules() == old or "7777" in server.rules()
    assert server.is_reachable()


def test_the_host_reboots_before_the_change_is_confirmed(server: Server) -> None:
    old = server.rules()
    process = hang(server)
    kill(process)
    server.reboot()
    assert server.rules() == old
    assert server.is_reachable()
    assert not server.play(firewall_extra_ports=KEPT).changed


def test_a_bare_host_reboots_before_its_first_rules_are_confirmed(bare: Server) -> None:
    old = settle(bare, starts="bare")
    kill(hang(bare))
    bare.reboot()
    assert bare.rules() == old
    assert bare.is_reachable()


def test_the_undoing_waits_by_a_clock_that_cannot_jump(server: Server) -> None:
    process = hang(server)
    shown = server.shell(
        "systemctl show -p TimersMonotonic,TimersCalendar homestead-firewall-rollback.timer"
    )
    process.communicate(timeout=90)
    assert "TimersMonotonic={ OnActiveUSec=" in shown
    assert "TimersCalendar={" not in shown


def test_two_controllers_at_once(server: Server) -> None:
    ports = [{"protocol": "tcp", "first": number, "purpose": "A test"} for number in (7001, 7002)]
    runs = [server.start(firewall_extra_ports=[port], **PATIENCE) for port in ports]
    ended = [run.communicate(timeout=120)[0] for run in runs]
    assert server.is_reachable()
    assert any("failed=0" in output for output in ended)
    assert not all(server.play("--check", firewall_extra_ports=[port]).changed for port in ports)


def test_a_listed_port_that_only_looks_like_ssh_does_not_help(server: Server) -> None:
    """UDP 22 is not ssh."""
    udp = [{"protocol": "udp", "first": 22, "purpose": "Not ssh"}]
    run = server.play(matrix_ssh_port=2222, firewall_extra_ports=udp)
    assert "ssh listens on tcp 22" in run.output
    assert server.is_reachable()
