# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that takes over what formerly was another one, and files written after commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import Outcome
from ansible_collections.homestead.matrix.plugins.module_utils.service.run import make_true
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.service.paper import (
    Paper,
    PaperUnit,
    service_of,
)

RECORD = "state/services/former.json"
MAKE = {"argv": ["make"], "inputs": ["/dev/null"]}


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    """Return a host on which the service `former` is true."""
    paper = Paper(tmp_path)
    files = [paper.file("kept", "1", on_change="none"), paper.file("d/gone", "1")]
    former = service_of(name="former", files=files, commands=[MAKE], units=["old"])
    make_true(former, paper.host, check=False, show_diff=False)
    return paper


def task(paper: Paper) -> dict[str, Any]:
    kept = paper.file("kept", "1", on_change="none")
    return {"replaces": ["former"], "files": [kept], "commands": [MAKE], "units": ["new"]}


def test_what_is_listed_stays_and_the_rest_is_retired(paper: Paper) -> None:
    result = paper.apply(**task(paper))
    gone = [paper.path("d/gone"), paper.path(RECORD), paper.path("d")]
    assert sorted(result["removed"]) == sorted(gone)
    assert (result["files"], result["commands"]) == ([], [])
    assert result["units"] == {"new.service": "started", "old.service": "stopped"}
    assert paper.read("kept") == "1"


def test_afterwards_nothing_of_the_former_name_is_left(paper: Paper) -> None:
    paper.apply(**task(paper))
    assert not (paper.root / RECORD).exists()
    assert not paper.apply(**task(paper))["changed"]
    assert list(json.loads(paper.read("state/services/demo.json"))["files"]) == [paper.path("kept")]


def test_check_mode_foretells_it(paper: Paper) -> None:
    foretold = paper.apply(check=True, **task(paper))
    assert (paper.root / RECORD).exists()
    assert foretold == paper.apply(**task(paper))


def test_a_failure_gives_the_former_service_its_record_back(paper: Paper) -> None:
    before = paper.read(RECORD)
    paper.programs.answers["check"] = lambda: Outcome(1, errors="no")
    assert paper.apply(**task(paper), validate=[{"argv": ["check"]}])["failed"]
    assert paper.read(RECORD) == before
    assert (paper.read("d/gone"), paper.programs.units["old.service"].active) == ("1", True)


def test_a_transaction_that_a_killed_run_left_is_forgotten(paper: Paper) -> None:
    journal = paper.root / "state/transactions/former"
    journal.mkdir(parents=True)
    (journal / "journal.json").write_text("{}")
    paper.apply(**task(paper))
    assert not journal.exists()


def test_a_late_file_comes_after_the_commands(tmp_path: Path) -> None:
    paper = Paper(tmp_path)
    paper.programs.units["a.service"] = PaperUnit()
    seen = []

    def install() -> Outcome:
        seen.extend(name for name in ("early", "late") if (tmp_path / name).exists())
        return Outcome(0)

    paper.programs.answers["install"] = install
    late = {"path": paper.path("late"), "link": "early", "after_commands": True}
    files = [late, paper.file("early", "1")]
    result = paper.apply(files=files, commands=[{"argv": ["install"]}], units=["a"])
    assert seen == ["early"]
    assert sorted(result["files"]) == [paper.path("early"), paper.path("late")]
    assert (tmp_path / "late").read_text() == "1"
