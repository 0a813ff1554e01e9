# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what a user waits for, in the lab, and print medians.

usage: bench.py [--bare RUNS] [--again RUNS] [--release 12|13]

"bare host to verified host" starts from hosts that have just been made; every other figure is of
the finished host, whole `ansible-playbook` processes, over ssh with ControlPersist and pipelining.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
from dataclasses import dataclass

from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, Lab
from ansible_collections.homestead.matrix.tests.lab.runs import Run

EMPTY = "[{hosts: matrix, gather_facts: false, become: true, tasks: [{ansible.builtin.ping: {}}]}]"


@dataclass(frozen=True)
class Figure:
    """One measured quantity: what it is, its goal, the unit and the values."""

    name: str
    goal: str
    values: list[float]

    def __str__(self) -> str:
        low, high = min(self.values), max(self.values)
        median = statistics.median(self.values)
        return (
            f"{self.name:<46}{median:>8.2f}{low:>8.2f}{high:>8.2f}"
            f"{len(self.values):>6}  {self.goal}"
        )


def succeed(run: Run) -> Run:
    """Return the run, or stop with what it printed."""
    if run.status != 0:
        sys.exit(run.output[-8000:])
    return run


def provision(release: str, *, runs: int) -> list[float]:
    """Make the lab anew for each run and return how long its hosts took to be verified."""
    seconds = []
    for _run in range(runs):
        lab = Lab("bench")
        lab.down()
        lab.up(release=release)
        seconds.append(succeed(lab.play_alone("site")).seconds)
    return seconds


def processor_seconds(lab: Lab) -> float:
    """Return the controller's processor time of a site run on the one Matrix host."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    succeed(lab.play_alone("site", "--limit", "matrix"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def again(lab: Lab, *, runs: int) -> list[Figure]:
    """Measure a finished host."""
    empty = lab.state / "empty.yml"
    empty.write_text(EMPTY)
    unchanged = [succeed(lab.play_alone("site", "--limit", "matrix")) for _run in range(runs)]
    report = lab.state / "matrix-reports" / DOMAIN / "report.json"
    verify, looks = [], []
    for _run in range(runs):
        verify.append(succeed(lab.play_alone("verify")).seconds)
        looks.append(float(json.loads(report.read_text())["seconds"]))
    return [
        Figure(
            "run that changes nothing, verified (s)",
            "6, then 5",
            [run.seconds for run in unchanged],
        ),
        Figure(
            "tasks in such a run", "25", [float(run.recap("matrix")["ok"]) for run in unchanged]
        ),
        Figure(
            "controller CPU in such a run (s)",
            "1",
            [processor_seconds(lab) for _unused in range(runs)],
        ),
        Figure("verification alone, the look itself (s)", "2", looks),
        Figure("verification alone, the whole playbook (s)", "", verify),
        Figure(
            "play with nothing but one ping (s)",
            "",
            [lab.play_alone(empty).seconds for _unused in range(runs)],
        ),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--bare", type=int, default=3)
    parser.add_argument("--again", type=int, default=5)
    parser.add_argument("--release", default="12")
    options = parser.parse_args()
    bare = provision(options.release, runs=options.bare)
    lab = Lab("bench")
    figures = [
        Figure("bare host to verified host (s)", "90", bare),
        *again(lab, runs=options.again),
    ]
    lab.down()
    header = f"{'figure':<46}{'median':>8}{'min':>8}{'max':>8}{'runs':>6}  goal"
    sys.stdout.write("\n".join([header, *map(str, figures)]) + "\n")


if __name__ == "__main__":
    main()
