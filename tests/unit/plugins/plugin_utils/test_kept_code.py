# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The code that a host keeps: brought once, started by its name, and never needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader
from ansible.template import Templar
from ansible_collections.homestead.matrix.plugins.module_utils.arguments.host import ARGUMENTS
from ansible_collections.homestead.matrix.plugins.plugin_utils.program import kept_code
from ansible_collections.homestead.matrix.plugins.plugin_utils.program.kept_code import KeptAction

SENT = {"changed": False, "sent": "as Ansible does"}
ASKED = {"server_name": "example.org", "refuse": False}


class Asking(KeptAction):
    """An action that counts what it begins on its host, which is this machine."""

    begun: list[str]

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        return self._ask("host", ARGUMENTS, self._task.args, task_vars)

    def _low_level_execute_command(self, cmd: str, **options: Any) -> Any:
        self.begun.append(cmd)
        return super()._low_level_execute_command(cmd, **options)

    def _execute_module(self, *, module_args: Any, **_others: Any) -> dict[str, Any]:  # type: ignore[override]  # only what is called here
        module_args["_ansible_debug"] = False  # as Ansible's own does
        return dict(SENT)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return tmp_path


def kept(home: Path) -> list[str]:
    return sorted(path.name for path in (home / ".cache/homestead-matrix").glob("*"))


def ask(
    arguments: dict[str, Any] | None = None, *, pipelining: bool = True, **task: Any
) -> tuple[dict[str, Any], Asking]:
    loader = DataLoader()  # type: ignore[no-untyped-call]  # Ansible does not say its types
    mode = {"check_mode": False, "diff": False, "async_val": 0, "environment": None}
    given = SimpleNamespace(
        **{"args": ASKED if arguments is None else arguments, "delegate_to": None, **mode, **task}
    )
    context = PlayContext()  # type: ignore[no-untyped-call]  # the same
    connection = connection_loader.get("local", context)
    connection.set_options(var_options={"ansible_pipelining": pipelining})
    action = Asking(given, connection, context, loader, Templar(loader), None)  # type: ignore[arg-type]  # a fake task
    action.begun = []
    return action.run(task_vars={"ansible_python_interpreter": sys.executable}), action


def test_a_request_that_is_sent_can_be_sent_again() -> None:
    """A service asks again once what it needs has come."""
    arguments = dict(ASKED)
    assert ask(arguments, pipelining=False)[0] == SENT
    assert arguments == ASKED


def test_code_is_brought_once(home: Path) -> None:
    first, action = ask()
    assert "faults" in first
    assert len(action.begun) == 3
    assert kept(home) == [kept_code._NAME]
    again, action = ask()
    assert len(action.begun) == 1
    assert again["release"] == first["release"]


def test_nobody_else_can_read_or_place_it(home: Path) -> None:
    ask()
    above = home / ".cache/homestead-matrix"
    assert {path.stat().st_mode & 0o077 for path in (above, above / kept_code._NAME)} == {0}


def test_old_code_goes_but_for_that_of_two_other_controllers(home: Path) -> None:
    above = home / ".cache/homestead-matrix"
    for number in range(5):
        (above / f"old{number}").mkdir(parents=True)
        os.utime(above / f"old{number}", (number, number))
    ask()
    assert kept(home) == sorted([kept_code._NAME, "old3", "old4"])


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"pipelining": False}, id="no pipelining"),
        pytest.param({"environment": [{"http_proxy": "http://proxy"}]}, id="environment"),
        pytest.param({"check_mode": True}, id="dry run on a host without it"),
        pytest.param({"arguments": {**ASKED, "server_name": "~/x"}}, id="a path of the host's"),
    ],
)
def test_else_it_is_sent_as_ansible_does(home: Path, how: dict[str, Any]) -> None:
    result, _action = ask(**how)
    assert result == SENT
    assert kept(home) == []


def test_a_dry_run_uses_what_is_there() -> None:
    ask()
    assert "faults" in ask(check_mode=True)[0]


def test_a_home_that_cannot_be_written_is_no_obstacle(home: Path) -> None:
    (home / ".cache").write_text("in the way")
    assert ask()[0] == SENT


def test_wrong_arguments_never_reach_the_host() -> None:
    with pytest.raises(AnsibleActionFail, match=r"homestead\.matrix\.host.*nonsense"):
        ask({**ASKED, "nonsense": 1})
    with pytest.raises(AnsibleActionFail, match="server_name"):
        ask({})


def test_a_death_on_the_host_is_a_failure_and_not_tried_again(home: Path) -> None:
    ask()
    start = home / ".cache/homestead-matrix" / kept_code._NAME / "__main__.py"
    start.write_text("raise ValueError('no such thing')")
    result, action = ask()
    assert result["failed"]
    assert "ValueError: no such thing" in result["msg"]
    assert len(action.begun) == 1


@pytest.mark.parametrize("python", [sys.executable, "/nowhere/python"])
def test_whoever_sends_to_nobody_is_heard_to_the_end(home: Path, python: str) -> None:
    """A pipe that breaks is an unreachable host for Ansible."""
    if python != sys.executable:
        ask()
    _result, action = ask(check_mode=True)
    command = action.begun[0].replace(sys.executable, python)
    with subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.PIPE) as shell:
        assert shell.stdin
        shell.stdin.write(bytes(10**6))
    assert shell.returncode == 97
    assert kept(home) == ([] if python == sys.executable else [kept_code._NAME])


def test_the_archive_is_small() -> None:
    assert len(kept_code.packed()) < 300_000
