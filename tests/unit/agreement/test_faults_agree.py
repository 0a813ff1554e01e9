# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation lists the faults of the sabotage suite, whose findings exist."""

from __future__ import annotations

import re

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.catalogue import checks
from ansible_collections.homestead.matrix.plugins.plugin_utils.description import components
from ansible_collections.homestead.matrix.tests import faults_table

FAULTS = [fault for _title, faults in faults_table.chapters() for fault in faults]
FORMS = [re.escape(identity).replace(r"\{part\}", "[a-z0-9-]+") for identity in checks()]


def test_the_documentation_has_the_table() -> None:
    page = faults_table.PAGE.read_text(encoding="utf-8")
    assert faults_table.written(page) == page, "run tests/faults_table.py"


def test_each_fault_has_a_name_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert len([fault for fault in FAULTS if fault.named]) >= 60


def test_each_component_is_broken_in_four_ways() -> None:
    chapters = dict(faults_table.chapters())
    rows = (components.COMPONENTS[name] for name in components.optional())
    assert all(len(chapters[row.title]) >= 4 for row in rows if row.title in chapters)


@pytest.mark.parametrize("named", sorted({named for fault in FAULTS for named in fault.named}))
def test_a_named_finding_exists(named: str) -> None:
    _verdict, identity = named.split(" ")
    assert any(re.fullmatch(form, identity) for form in FORMS)
