# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of the tests keep within what continuous integration gives them, and say so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import tomllib

ROOT = Path(__file__).parents[3]
STAGES = ROOT / "tests/stages.py"
ALL_SECONDS = 50 * 60
CORES = 2


def described() -> dict[str, dict[str, Any]]:
    parts = tomllib.loads((ROOT / "tests/stages.toml").read_text(encoding="utf-8"))
    return {**parts["images"], **parts["check"], **parts["test"]}


def run(folder: Path, description: str) -> subprocess.CompletedProcess[str]:
    """Run stages of our own making, as the Makefile does."""
    path = folder / "stages.toml"
    path.write_text(f"[seeded]\n{description}", encoding="utf-8")
    command = [sys.executable, str(STAGES), "seeded", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def stage(name: str, script: str, *, seconds: float = 10, more: str = "") -> str:
    command = ["sh", "-c", script]
    return f'"seeded {name}" = {{seconds = {seconds}, command = {command!r}{more}}}\n'


def test_the_budgets_leave_room_for_what_is_to_come() -> None:
    assert sum(line["seconds"] for line in described().values()) <= ALL_SECONDS


def test_every_stage_can_start() -> None:
    stages = described()
    for name, line in stages.items():
        assert set(line.get("after", [])) < set(stages) - {name}
        assert line.get("load", 1) <= CORES


def test_a_slow_stage_is_warned_of(tmp_path: Path) -> None:
    slow = stage("slow", "sleep 0.4", seconds=0.2)
    done = run(tmp_path, slow + stage("quick", "true"))
    warnings = [line for line in done.stdout.splitlines() if line.startswith("warning:")]
    assert len(warnings) == 1
    assert warnings[0].startswith("warning: seeded slow took 0.")
    assert warnings[0].endswith("more than half over its budget of 0.2 s")
    assert done.returncode == 0


def test_stages_that_fit_run_side_by_side(tmp_path: Path) -> None:
    meet = "touch {0}/{1}; timeout 20 sh -c 'until [ -e {0}/{2} ]; do sleep 0.05; done'"
    one = stage("one", meet.format(tmp_path, "one", "two"))
    two = stage("two", meet.format(tmp_path, "two", "one"))
    assert run(tmp_path, one + two).stdout.endswith("2 passed, 0 failed\n")


def test_a_stage_that_wants_both_processors_is_alone(tmp_path: Path) -> None:
    one = stage("one", f"touch {tmp_path}/here; sleep 0.3; rm {tmp_path}/here")
    alone = stage("alone", f"test ! -e {tmp_path}/here", more=", load = 2")
    assert run(tmp_path, one + alone).stdout.endswith("2 passed, 0 failed\n")


def test_a_stage_waits_for_those_before_it_even_if_they_fail(tmp_path: Path) -> None:
    later = stage("later", f"test -e {tmp_path}/done", more=', after = ["seeded first"]')
    first = stage("first", f"sleep 0.3; touch {tmp_path}/done; exit 1")
    done = run(tmp_path, later + first)
    assert done.stdout.endswith("1 passed, 1 failed\n")
    assert done.returncode == 1


def test_what_a_stage_says_is_shown(tmp_path: Path) -> None:
    assert (
        "\nfrom a seeded stage\n" in run(tmp_path, stage("said", "echo from a seeded stage")).stdout
    )
