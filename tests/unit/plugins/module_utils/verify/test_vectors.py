# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify import vectors

FILES = Path(__file__).parents[3] / "vectors"
RESOLUTION = vectors.cases(FILES / "resolution.yml")
SUPPORT = vectors.cases(FILES / "support.yml")


@pytest.mark.parametrize("case", RESOLUTION, ids=lambda case: case["id"])
def test_resolution(case: vectors.Case) -> None:
    assert vectors.resolution_fault(case) == ""


@pytest.mark.parametrize("case", SUPPORT, ids=lambda case: case["id"])
def test_support(case: vectors.Case) -> None:
    assert vectors.support_fault(case) == ""


@pytest.mark.parametrize("case", SUPPORT, ids=lambda case: case["id"])
def test_support_reasons(case: vectors.Case) -> None:
    letters = {"error": "E", "warning": "W", "info": "I"}
    named = re.findall(r"\b([EWI]) (\w+)", case["reason"])
    found = {
        (letters[finding.verdict], finding.id.rpartition(".")[2])
        for finding in vectors.support_findings(case)
        if finding.verdict in letters
    }
    assert found == set(named)
