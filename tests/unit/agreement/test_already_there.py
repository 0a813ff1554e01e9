# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation says what a run does with all that it knows to find on a host."""

from __future__ import annotations

from collections import Counter

from ansible_collections.homestead.matrix.tests import already_there_table


def test_the_documentation_has_the_table() -> None:
    page = already_there_table.PAGE.read_text(encoding="utf-8")
    assert already_there_table.written(page) == page, "run tests/already_there_table.py"


def test_each_kind_of_thing_has_one_row() -> None:
    found = Counter(row.what for row in already_there_table.rows())
    assert [what for what, times in found.items() if times > 1] == []
    assert len(found) >= 10
