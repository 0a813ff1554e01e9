# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts generated tables between their marks in a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def fill(text: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """Return the text with each table written anew."""
    for name, write in tables.items():
        begin, end = f"<!-- begin: {name} (generated) -->\n", f"<!-- end: {name} -->"
        before, rest = text.split(begin)
        _old, after = rest.split(end)
        text = f"{before}{begin}{write()}\n{end}{after}"
    return text
