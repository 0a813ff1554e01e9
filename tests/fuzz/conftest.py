# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sizes of fuzzing, and how many inputs were tried.

`check` tries the same few inputs every time. `long` (--hypothesis-profile=long) tries new ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ansible_collections.homestead.matrix.tests.fuzz.properties import TALLY
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
_BOTH = settings(deadline=None, suppress_health_check=_SLOW)  # properties has its own deadline
settings.register_profile("check", _BOTH, max_examples=25, derandomize=True, database=None)
settings.register_profile("long", _BOTH, max_examples=1500, print_blob=True)
settings.load_profile("check")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Note with each test how many inputs it tried."""
    before = TALLY["inputs"]
    try:
        return (yield)
    finally:
        item.user_properties.append(("inputs", TALLY["inputs"] - before))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for found in terminalreporter.stats.values() for report in found]
    inputs = sum(
        value
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, value in report.user_properties
        if name == "inputs"
    )
    terminalreporter.write_line(f"{inputs} inputs")
