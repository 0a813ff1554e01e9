# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the table of docs/already_there.md: what the plugins say of what they find on a host."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from ansible_collections.homestead.matrix.plugins.module_utils.already_there import Found
from ansible_collections.homestead.matrix.tests.generated_tables import fill
from ansible_collections.homestead.matrix.tests.readme_tables import table

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/already_there.md"
_COLLECTION = "ansible_collections.homestead.matrix"


def rows() -> Iterator[Found]:
    """Return what every file says that has something to say, in the order of their paths."""
    for path in sorted((ROOT / "plugins").glob("*_utils/**/*.py")):
        if "\nALREADY_THERE" in path.read_text(encoding="utf-8"):
            inner = path.relative_to(ROOT).with_suffix("")
            yield from import_module(".".join((_COLLECTION, *inner.parts))).ALREADY_THERE


def already_there() -> str:
    """Write a line for each kind of thing."""
    return table(
        ("on the host", "a run", "more"), [(row.what, row.deed, row.how) for row in rows()]
    )


TABLES = {"already there": already_there}


def written(text: str) -> str:
    """Return the page with its generated table."""
    return fill(text, TABLES)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
