# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what a user waits for, in the lab, and print medians.

usage: bench.py [--bare RUNS] [--again RUNS] [--fleet HOSTS] [--release 12|13]

"bare host to verified host" starts from hosts that have just been made; every other figure is of
the finished host, whole `ansible-playbook` processes, over ssh with ControlPersist and pipelining.
The fleet are copies of that host, all managed at once and not verified: they have one name.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, Lab
from ansible_collections.homestead.matrix.tests.lab.runs import Run

EMPTY = "[{hosts: matrix, gather_facts: false, become: true, tasks: [{ansible.builtin.ping: {}}]}]"
COPY = 'image = "finished"\nnumber = %d\ngroup = "matrix"\ndomain = "homestead.test"'


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
            f"{self.name:<52}{median:>8.2f}{low:>8.2f}{high:>8.2f}"
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


def processor_seconds(lab: Lab, *options: str) -> float:
    """Return the controller's processor time of a site run on Matrix hosts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    succeed(lab.play_alone("site", "--limit", "matrix", *options))
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


def fleet(finished: Lab, *, hosts: int, runs: int) -> list[Figure]:
    """Measure runs without change on so many copies of the finished host at once."""
    kept = "homestead-lab/finished"
    subprocess.run(
        ["docker", "commit", finished.container("matrix"), kept], check=True, capture_output=True
    )
    lab, topology = Lab("fleet"), finished.state / "fleet.toml"
    topology.write_text(
        "".join(f"[copy{number}]\n{COPY % number}\n" for number in range(2, hosts + 2))
    )
    options = ("--skip-tags", "verify,base_domain", "--forks", str(hosts))
    try:
        lab.down()
        lab.up(topology=topology)
        shutil.copy(
            finished.state / "inventory/group_vars/matrix.json", lab.state / "inventory/group_vars"
        )
        succeed(lab.play_alone("site", *options))  # each copy learns its own addresses
        seconds = [succeed(lab.play_alone("site", *options)).seconds for _run in range(runs)]
        processor = [processor_seconds(lab, *options) for _run in range(runs)]
        memory = [memory_in_flight(lab, *options) for _run in range(runs)]
    finally:
        lab.down()
        subprocess.run(["docker", "image", "rm", kept], check=True, capture_output=True)
    each = f"with {hosts} hosts at once, "
    return [
        Figure(f"{each}a run without change (s)", "", seconds),
        Figure(
            f"{each}controller CPU a host (s)", "1, then 0.5", [cpu / hosts for cpu in processor]
        ),
        Figure(f"{each}controller memory a host (MB)", "", [size / hosts for size in memory]),
    ]


def memory_in_flight(lab: Lab, *options: str) -> float:
    """Return the most memory, in MB, that the controller's processes had beside the first one."""
    process, most = lab.start("site", *options), 0.0
    while process.poll() is None:
        most = max(most, sum(map(proportional_mb, children(process.pid))))
        time.sleep(0.1)
    process.communicate()
    return most


def children(parent: int) -> list[str]:
    """Return the processes that a process has started, one for each host in flight."""
    command = ["pgrep", "--parent", str(parent)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.split()


def proportional_mb(process: str) -> float:
    """Return a process's share of memory (proc_pid_smaps_rollup(5)), none if it has just ended."""
    try:
        told = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0.0
    sizes = [int(line.split()[1]) for line in told.splitlines() if line.startswith("Pss:")]
    return sum(sizes) / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--bare", type=int, default=3)
    parser.add_argument("--again", type=int, default=5)
    parser.add_argument("--fleet", type=int, default=10)
    parser.add_argument("--release", default="12")
    options = parser.parse_args()
    bare = provision(options.release, runs=options.bare)
    lab = Lab("bench")
    figures = [
        Figure("bare host to verified host (s)", "90", bare),
        *again(lab, runs=options.again),
        *fleet(lab, hosts=options.fleet, runs=options.again),
    ]
    lab.down()
    header = f"{'figure':<52}{'median':>8}{'min':>8}{'max':>8}{'runs':>6}  goal"
    sys.stdout.write("\n".join([header, *map(str, figures)]) + "\n")


if __name__ == "__main__":
    main()
