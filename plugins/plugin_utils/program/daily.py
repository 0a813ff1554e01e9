# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that a vantage runs every day; it needs neither Ansible nor a secret.

Its arguments are a plan, in JSON, and the directory that gets `report.json` and `metrics.prom`.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from ...module_utils.verify.look import look
from ..report.metrics import as_metrics
from ..report.report import (
    Report,
    as_json,
    timestamp,
)


def main(arguments: Sequence[str]) -> None:
    """Look as the plan says, and write what was found; a fault of the server is no failure."""
    plan, directory = map(Path, arguments)
    given = json.loads(plan.read_text(encoding="utf-8"))
    found = asyncio.run(look(given))
    report = Report.of({**found, "vantage": given["vantage"]}, checked_at=timestamp())
    replace(directory / "report.json", as_json(report))
    replace(directory / "metrics.prom", as_metrics(report, finished=time.time()))


def replace(path: Path, text: str) -> None:
    """Write a file whole: whoever reads it meanwhile gets the former one."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)
