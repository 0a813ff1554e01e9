# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the table of docs/faults.md: what was broken, and how the verifier names it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.homestead.matrix.tests.generated_tables import fill

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/faults.md"
NOTHING = "nothing"


def chapters() -> Iterator[tuple[str, list[Any]]]:
    """Return the faults of the sabotage suite under the titles of their files."""
    sys.path.insert(0, str(ROOT / "tests/sabotage"))
    from faults import CHAPTERS

    yield from CHAPTERS.items()


def faults() -> str:
    """Write a table for each chapter, with a line for each fault."""
    lines = []
    for title, found in chapters():
        lines += [f"### {title}", "", "| what was broken | what the verifier says |", "|---|---|"]
        lines += [f"| {fault.name} | {_named(fault)} |" for fault in found]
        lines.append("")
    return "\n".join(lines).rstrip("\n")


def _named(fault: Any) -> str:
    """Return the findings, the errors first."""
    found = sorted(named.split(" ", 1) for named in fault.named)
    return "<br>".join(f"{verdict} `{identity}`" for verdict, identity in found) or NOTHING


TABLES = {"faults": faults}


def written(text: str) -> str:
    """Return the page with its generated table."""
    return fill(text, TABLES)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
