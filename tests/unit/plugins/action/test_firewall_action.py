# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase
from ansible_collections.homestead.matrix.plugins.action.firewall import ActionModule

FIREWALL, APT = "homestead.matrix.firewall", "ansible.builtin.apt"
UNCHANGED = {"changed": False, "packages": [], "pending": False}
MISSING = {"changed": True, "packages": ["nftables"], "pending": False}
PENDING = {"changed": True, "packages": [], "pending": True}
REFUSED = {"failed": True, "changed": False, "packages": [], "pending": False, "msg": "No."}
RETURNED = {**REFUSED, "msg": "the host has put its former rules back"}


class Dropping:
    """A connection that counts how often it was dropped."""

    _shell = SimpleNamespace(tmpdir="/tmp/x")

    def __init__(self) -> None:
        self.drops = 0

    def reset(self) -> None:
        self.drops += 1


class Fixed:
    """A connection that cannot be dropped."""

    _shell = SimpleNamespace(tmpdir="/tmp/x")
    reset = ConnectionBase.reset


class Scripted(ActionModule):
    """The action before a host that answers by script; an exception is a lost connection."""

    calls: list[tuple[str, dict[str, Any]]]
    answers: list[Any]

    def _ask(
        self,
        module: str,
        specification: dict[str, Any],  # noqa: ARG002 - the host is asked by script
        arguments: dict[str, Any],
        variables: dict[str, Any],  # noqa: ARG002 - the same
    ) -> Any:
        return self._answer(f"homestead.matrix.{module}", arguments)

    def _execute_module(  # type: ignore[override] # only what is called here
        self, module_name: str, module_args: dict[str, Any], **_others: Any
    ) -> Any:
        return self._answer(module_name, module_args)

    def _answer(self, module_name: str, module_args: dict[str, Any]) -> Any:
        self.calls.append((module_name, module_args))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


def run(
    answers: Sequence[Any], *, connection: Any = None, check_mode: bool = False
) -> tuple[dict[str, Any], Scripted]:
    arguments = {"rules": {"nftables": {"firewall.nft": "the rules"}}}
    task = SimpleNamespace(args=arguments, check_mode=check_mode, async_val=0)
    action = Scripted(task, connection or Dropping(), None, None, None)  # type: ignore[arg-type] # fakes
    action.calls, action.answers = [], list(answers)
    return action.run(task_vars={}), action


def phases(action: Scripted) -> list[str]:
    return [arguments.get("phase", name) for name, arguments in action.calls]


def test_no_change_is_one_round_trip() -> None:
    result, action = run([UNCHANGED])
    assert (phases(action), result["changed"]) == (["apply"], False)


def test_a_change_is_proven_over_a_new_connection() -> None:
    connection = Dropping()
    result, action = run([PENDING, UNCHANGED], connection=connection)
    assert phases(action) == ["apply", "confirm"]
    assert connection.drops == 1
    assert (result["changed"], result["pending"]) == (True, False)


def test_both_halves_share_a_token() -> None:
    _result, action = run([PENDING, UNCHANGED])
    tokens = {arguments["token"] for _name, arguments in action.calls}
    assert len(tokens) == 1
    assert len(tokens.pop()) == 32


def test_both_halves_get_the_rules() -> None:
    _result, action = run([PENDING, UNCHANGED])
    rules = [arguments["rules"] for _name, arguments in action.calls]
    assert rules == [{"nftables": {"firewall.nft": "the rules"}}] * 2


def test_missing_packages_are_installed_first() -> None:
    result, action = run([MISSING, {"changed": True}, PENDING, UNCHANGED])
    assert phases(action) == ["apply", APT, "apply", "confirm"]
    assert action.calls[1][1]["name"] == ["nftables"]
    assert result["packages"] == ["nftables"]


def test_a_dry_run_installs_nothing() -> None:
    result, action = run([MISSING], check_mode=True)
    assert phases(action) == ["apply"]
    assert result["changed"]


def test_a_package_that_cannot_be_installed_is_the_error() -> None:
    """The lists may be old, so it is tried twice; the package lock is waited for as elsewhere."""
    refusal = {"failed": True, "changed": False, "msg": "no such package"}
    result, action = run([MISSING, refusal, refusal])
    assert (result["failed"], result["msg"]) == (True, f"{APT}: no such package")
    assert phases(action) == ["apply", APT, APT]
    assert {arguments["lock_timeout"] for name, arguments in action.calls if name == APT} == {10}


def test_a_refusal_needs_no_proof() -> None:
    result, action = run([REFUSED])
    assert phases(action) == ["apply"]
    assert result["msg"] == "No."


def test_a_lost_connection_is_tried_again() -> None:
    connection = Dropping()
    result, _action = run(
        [PENDING, AnsibleConnectionFailure("lost"), UNCHANGED], connection=connection
    )
    assert not result.get("failed")
    assert connection.drops == 2


def test_an_undone_change_is_told_with_its_cause() -> None:
    result, _action = run([PENDING, AnsibleConnectionFailure("timed out"), RETURNED])
    assert (result["failed"], result["changed"]) == (True, False)
    assert "timed out" in result["msg"]
    assert "put its former rules back" in result["msg"]


def test_a_connection_without_reset_is_not_dropped() -> None:
    _result, action = run([PENDING, UNCHANGED], connection=Fixed())
    assert [arguments["over_ssh"] for _name, arguments in action.calls] == [False, False]
