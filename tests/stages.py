# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the stages of stages.toml, the later ones even if one fails, and sum them up in one line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import tomllib

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / ".cache/reports"
NOT_PASSED = {"failed": "failures", "skipped": "skipped", "error": "errors"}
LEVELS = {"test": ["check", "test"]}


@dataclass(frozen=True)
class Outcome:
    """How a stage ended, in counts of pytest's kind."""

    name: str
    counts: Counter[str]
    seconds: float

    @property
    def failed(self) -> bool:
        return bool(self.counts["failed"] or self.counts["error"])


def stages(level: str) -> dict[str, list[str]]:
    """Return the commands of a level by their names, in order."""
    described = tomllib.loads((ROOT / "tests/stages.toml").read_text())
    return {
        name: command
        for part in LEVELS.get(level, [level])
        for name, command in described[part].items()
    }


def run(name: str, command: list[str]) -> Outcome:
    """Run one stage before the reader's eyes."""
    say(f"==> {name}: {' '.join(command)}")
    report = REPORTS / f"{name.replace(' ', '-')}.xml"
    report.unlink(missing_ok=True)
    if command[0] == "pytest":
        command = [*command, f"--junit-xml={report}"]
    started = time.monotonic()
    status = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode
    seconds = time.monotonic() - started
    say(f"<== {name}: {'failed' if status else 'passed'} after {seconds:.1f} s\n")
    return Outcome(name, count(report, status), seconds)


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


def summarize(outcomes: list[Outcome]) -> None:
    """Print how long each stage took, then one line that counts everything."""
    for outcome in outcomes:
        say(f"{outcome.seconds:8.1f} s  {outcome.name}{'  FAILED' if outcome.failed else ''}")
    say(f"{sum(outcome.seconds for outcome in outcomes):8.1f} s  everything")
    total: Counter[str] = sum((outcome.counts for outcome in outcomes), Counter())
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    say(f"{total['passed']} passed, {total['failed'] + total['error']} failed{skipped}")


def main() -> int:
    """Run the level that the command line names."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    if not sys.stdout.isatty():
        os.environ["NO_COLOR"] = "1"
    outcomes = [run(name, command) for name, command in stages(sys.argv[1]).items()]
    summarize(outcomes)
    return int(any(outcome.failed for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
