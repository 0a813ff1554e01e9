# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service in place of a unit of others, and commands that must not meet either at work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import Outcome
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.service.paper import (
    Paper,
    PaperUnit,
)


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    """Return a host on which a unit of others runs."""
    paper = Paper(tmp_path)
    paper.programs.units["old.service"] = PaperUnit(active=True, enabled=True)
    return paper


def task(paper: Paper, **more: Any) -> dict[str, Any]:
    commands = [{"argv": ["install"]}, {"argv": ["move"], "at_rest": True}, {"argv": ["sweep"]}]
    return {
        "files": [paper.file("a", "one")],
        "commands": commands,
        "units": ["ours"],
        "instead_of": ["old"],
        **more,
    }


def test_the_unit_of_others_stops_when_a_command_needs_it_and_ours_runs(paper: Paper) -> None:
    result = paper.apply(**task(paper))
    assert result["units"] == {"ours.service": "started", "old.service": "stopped"}
    assert paper.programs.changes == [
        "install",
        "systemctl stop ours.service old.service",
        "move",
        "sweep",
        "systemctl stop old.service",
        "systemctl disable old.service",
        "systemctl enable ours.service",
        "systemctl restart ours.service",
    ]


def test_later_runs_do_without_it(paper: Paper) -> None:
    paper.apply(**task(paper))
    assert not paper.apply(**task(paper))["changed"]
    assert not paper.apply(**task(paper, commands=[], instead_of=[]))["changed"]


@pytest.mark.parametrize("failing", ["install", "move", "sweep", "check"])
def test_it_runs_again_if_ours_does_not_come_true(paper: Paper, failing: str) -> None:
    paper.programs.answers[failing] = lambda: Outcome(1, errors="no")
    result = paper.apply(**task(paper, validate=[{"argv": ["check"]}]))
    assert result["failed"]
    assert paper.programs.units["old.service"] == PaperUnit(active=True, enabled=True)
    assert not paper.programs.units["ours.service"].active
    assert ("Running as before: old.service." in result["msg"]) == (failing != "install")


def test_a_unit_of_the_same_name_runs_again_too(paper: Paper) -> None:
    paper.programs.answers["sweep"] = lambda: Outcome(1, errors="no")
    result = paper.apply(**task(paper, units=["old"]))
    assert result["failed"]
    assert paper.programs.units["old.service"] == PaperUnit(active=True, enabled=True)


def test_a_file_may_go_when_all_else_is_done(paper: Paper) -> None:
    mark = Path(paper.path("mark"))
    mark.touch()
    gone = {"path": str(mark), "state": "absent", "after_commands": True}
    seen = []
    paper.programs.answers["sweep"] = lambda: seen.append(mark.exists()) or Outcome(0)  # type: ignore[func-returns-value]  # None
    paper.apply(**task(paper, files=[gone]))
    assert seen == [True]
    assert not mark.exists()
