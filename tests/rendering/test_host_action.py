# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module `host` where there is a host, where there is none, and where it cannot be asked."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

HOSTS = {
    "here": {"ansible_connection": "local"},
    "without_python": {
        "ansible_connection": "local",
        "ansible_python_interpreter": "/nowhere/python",
    },
    "nowhere.invalid": {},
}
NOTHING = {"changed": False, "published": None}
LINE = re.compile(
    r"^(?P<host>\S+) \| (?P<state>[A-Z]+)!? => (?P<result>\{.*?^\})", re.DOTALL | re.MULTILINE
)

Answers = dict[str, tuple[str, dict[str, Any]]]


def ask(folder: Path, **arguments: Any) -> Answers:
    """Run the module on every host; return how it ended and what it returned."""
    inventory = folder / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": HOSTS}}), encoding="utf-8")
    given = json.dumps({"server_name": "a.example", **arguments})
    command = ["ansible", "all", "--inventory", str(inventory)]
    done = subprocess.run(
        [*command, "-m", "homestead.matrix.host", "-a", given],
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = LINE.finditer(done.stdout)
    return {match["host"]: (match["state"], json.loads(match["result"])) for match in found}


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    return ask(tmp_path_factory.mktemp("looked"), minimum_memory_mb=10**9, refuse=False)


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    return ask(tmp_path_factory.mktemp("refused"), minimum_memory_mb=10**9)


def test_an_unfit_host_can_be_looked_at(looked: Answers) -> None:
    state, result = looked["here"]
    assert state == "SUCCESS"
    assert any("MB of memory" in fault for fault in result["faults"])
    assert isinstance(result["published"], list)


@pytest.mark.parametrize("host", ["without_python", "nowhere.invalid"])
def test_where_nobody_can_look_nothing_is_seen(looked: Answers, host: str) -> None:
    assert looked[host] == ("SUCCESS", NOTHING)


@pytest.mark.parametrize(
    ("host", "state"),
    [
        pytest.param("here", "FAILED", id="unfit"),
        pytest.param("without_python", "FAILED", id="no Python there"),
        pytest.param("nowhere.invalid", "UNREACHABLE", id="no host"),
    ],
)
def test_otherwise_it_is_refused(refused: Answers, host: str, state: str) -> None:
    assert refused[host][0] == state


def test_whoever_needs_credentials_needs_a_host(tmp_path: Path) -> None:
    answers = ask(tmp_path, refuse=False, turn_credentials=True)
    states = {host: state for host, (state, _unused) in answers.items()}
    assert states == {
        "here": "SUCCESS",
        "without_python": "FAILED",
        "nowhere.invalid": "UNREACHABLE",
    }
    assert answers["here"][1]["credentials"] == {}


def test_a_wrong_argument_is_said_all_the_same(tmp_path: Path) -> None:
    state, result = ask(tmp_path, refuse="maybe")["nowhere.invalid"]
    assert (state, "unable to convert to bool" in result["msg"]) == ("FAILED", True)
