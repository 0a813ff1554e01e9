# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation names the findings that exist, and their ids have one form."""

from __future__ import annotations

import re

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.catalogue import checks
from ansible_collections.homestead.matrix.tests import verify_tables


def test_the_documentation_has_the_tables() -> None:
    page = verify_tables.PAGE.read_text(encoding="utf-8")
    assert verify_tables.written(page) == page, "run tests/verify_tables.py"


@pytest.mark.parametrize("identity", checks())
def test_an_id_is_an_area_and_words(identity: str) -> None:
    assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)*\.([a-z_]+|\{part\})(\.[a-z_]+)?", identity)
