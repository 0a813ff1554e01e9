# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the stages of stages.toml, those that fit side by side, and sum them up.

usage: stages.py LEVEL [FILE]

All stages run even if one fails. What a stage prints is shown whole when it ends; until then it
grows in .cache/reports. The end is a table of seconds, a warning for each stage that is far over
its budget, and one line that counts everything.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import tomllib

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / ".cache/reports"
DESCRIPTION = ROOT / "tests/stages.toml"
NOT_PASSED = {"failed": "failures", "skipped": "skipped", "error": "errors"}
LEVELS = {"test": ["images", "test", "check"]}
"""The parts of a level in the order in which they start: what takes longest, then what is short."""
CORES = 2.0
"""What the loads of the stages that run at the same time may add up to."""
TOLERANCE = 1.5
"""A stage that takes so many times its budget is worth a warning."""


@dataclass(frozen=True)
class Stage:
    """A line of stages.toml."""

    name: str
    command: list[str]
    seconds: float
    """What it may take on two cores, beside the others."""
    load: float = 1.0
    """How many processors it keeps busy; one that waits most of its time needs less than one."""
    after: list[str] = field(default_factory=list)
    """The stages that must have ended before it, however they did."""

    @property
    def report(self) -> Path:
        return REPORTS / f"{re.sub(r'[^a-z0-9]+', '-', self.name.lower())}.xml"

    @property
    def log(self) -> Path:
        return self.report.with_suffix(".log")


@dataclass(frozen=True)
class Outcome:
    """How a stage ended, in counts of pytest's kind."""

    stage: Stage
    counts: Counter[str]
    seconds: float

    @property
    def failed(self) -> bool:
        return bool(self.counts["failed"] or self.counts["error"])

    @property
    def is_slow(self) -> bool:
        return self.seconds > TOLERANCE * self.stage.seconds


@dataclass(frozen=True)
class Running:
    """A stage at work."""

    stage: Stage
    process: subprocess.Popen[bytes]
    started: float

    @classmethod
    def start(cls, stage: Stage) -> Running:
        """Start a stage and let it write into its log."""
        say(f"==> {stage.name}: {' '.join(stage.command)}")
        stage.report.unlink(missing_ok=True)
        command = stage.command
        if "pytest" in command:
            command = [*command, f"--junit-xml={stage.report}"]
        with stage.log.open("wb") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        return cls(stage, process, time.monotonic())

    def end(self) -> Outcome:
        """Show what the finished stage printed."""
        seconds, status = time.monotonic() - self.started, self.process.wait()
        word = "failed" if status else "passed"
        said = self.stage.log.read_text(encoding="utf-8", errors="replace")
        say(f"{said}<== {self.stage.name}: {word} after {seconds:.1f} s\n")
        return Outcome(self.stage, count(self.stage.report, status), seconds)


def stages(level: str, description: Path = DESCRIPTION) -> list[Stage]:
    """Return the stages of a level, in order."""
    described = tomllib.loads(description.read_text(encoding="utf-8"))
    return [
        Stage(name, **line)
        for part in LEVELS.get(level, [level])
        for name, line in described[part].items()
    ]


def startable(waiting: list[Stage], running: list[Running]) -> Stage | None:
    """Return the first stage that fits beside those at work and waits for none of the others."""
    unfinished = {stage.name for stage in [*waiting, *(each.stage for each in running)]}
    free = CORES - sum(each.stage.load for each in running)
    fitting = (
        stage for stage in waiting if stage.load <= free and unfinished.isdisjoint(stage.after)
    )
    return next(fitting, None)


def run(all_stages: list[Stage]) -> Iterator[Outcome]:
    """Run all stages, as many at the same time as the machine bears."""
    waiting, running = list(all_stages), list[Running]()
    while waiting or running:
        while stage := startable(waiting, running):
            waiting.remove(stage)
            running.append(Running.start(stage))
        if not running:
            raise SystemExit(f"these stages can never start: {[stage.name for stage in waiting]}")
        for each in [each for each in running if each.process.poll() is not None]:
            running.remove(each)
            yield each.end()
        time.sleep(0.05)


def count(report: Path, status: int) -> Counter[str]:
    """Count the tests of a stage of pytest's; any other stage is one test."""
    if not report.exists():
        return Counter({"failed" if status else "passed": 1})
    counts: Counter[str] = Counter()
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        tests = int(suite.get("tests", "0"))
        ended = {kind: int(suite.get(key, "0")) for kind, key in NOT_PASSED.items()}
        counts.update({**ended, "passed": tests - sum(ended.values())})
    if status and not (counts["failed"] or counts["error"]):
        counts["error"] += 1
    return counts


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def summarize(outcomes: list[Outcome], elapsed: float) -> None:
    """Print how long each stage took and might take, then one line that counts everything."""
    say("  seconds   budget  stage")
    for outcome in outcomes:
        stage, mark = outcome.stage, "  FAILED" if outcome.failed else ""
        say(f"{outcome.seconds:9.1f}{stage.seconds:9.0f}  {stage.name}{mark}")
    budget = sum(outcome.stage.seconds for outcome in outcomes)
    say(f"{sum(outcome.seconds for outcome in outcomes):9.1f}{budget:9.0f}  all stages")
    say(f"{elapsed:9.1f}           from the first to the last, some of them side by side")
    for outcome in filter(lambda each: each.is_slow, outcomes):
        stage = outcome.stage
        say(
            f"warning: {stage.name} took {outcome.seconds:.1f} s, "
            f"more than half over its budget of {stage.seconds:g} s"
        )
    total: Counter[str] = sum((outcome.counts for outcome in outcomes), Counter())
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    say(f"{total['passed']} passed, {total['failed'] + total['error']} failed{skipped}")


def main(level: str, description: str = str(DESCRIPTION)) -> int:
    """Run the level that the command line names."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    if not sys.stdout.isatty():
        os.environ["NO_COLOR"] = "1"
    started = time.monotonic()
    outcomes = list(run(stages(level, Path(description))))
    summarize(outcomes, time.monotonic() - started)
    return int(any(outcome.failed for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
