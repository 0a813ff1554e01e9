# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for test harnesses, read by one."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import (
    VERDICTS,
    Verdict,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.report import (
    Report,
    Sighting,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.tap import as_tap
from tap.parser import Parser

HOSTILE = "It says # SKIP \\# TODO\n  ...\nok 2 - well\x1b[31m\x00\ud800\u2028---\nBail out!"


def lines(*findings: Sighting) -> list[Any]:
    report = Report("example.com", findings, "2026-01-02T03:04:05Z", ("vantage",))
    return list(Parser().parse_text(as_tap(report)))


def points(*findings: Sighting) -> list[Any]:
    return [line for line in lines(*findings) if line.category == "test"]


def finding(verdict: Verdict, **more: Any) -> Sighting:
    message = more.pop("message", "It is so.")
    return Sighting(f"turn.{verdict}", "turn", verdict, message, **more)


@pytest.mark.parametrize(
    ("verdict", "ok", "skip", "todo"),
    [
        pytest.param("ok", True, False, False, id="ok"),
        pytest.param("info", True, False, False, id="information"),
        pytest.param("warning", False, False, True, id="a warning is a fault that does not fail"),
        pytest.param("error", False, False, False, id="an error fails"),
        pytest.param("skipped", True, True, False, id="skipped"),
        pytest.param("unknown", True, True, False, id="unknown"),
    ],
)
def test_a_verdict_as_a_test_point(verdict: Verdict, ok: bool, skip: bool, todo: bool) -> None:
    [point] = points(finding(verdict))
    assert (point.ok, point.skip, bool(point.todo)) == (ok, skip, todo)
    assert point.description == f"- turn.{verdict}: It is so."


def test_the_plan_counts_the_findings() -> None:
    version, plan, *rest = lines(*map(finding, VERDICTS))
    assert (version.version, plan.expected_tests) == (14, len(VERDICTS))
    assert [line.number for line in rest] == [1, 2, 3, 4, 5, 6]


def test_no_findings() -> None:
    assert [line.category for line in lines()] == ["version", "plan"]


def test_the_diagnostic_tells_what_to_do() -> None:
    given = {"status": 404, "hops": [{"url": "https://example.com", "error": None}], "none": {}}
    told = finding("error", remedy="Mend it.", reference="RFC 1", evidence=given)
    assert points(told)[0].yaml_block == told.as_dict()


def test_hostile_text_stays_text() -> None:
    given = {HOSTILE: [HOSTILE, {"deep": HOSTILE}]}
    nasty = finding("error", message=HOSTILE, remedy=HOSTILE, reference=HOSTILE, evidence=given)
    everything = lines(nasty, finding("ok"))
    assert [line.category for line in everything] == ["version", "plan", "test", "test"]
    assert [(line.ok, line.skip, line.todo) for line in everything[2:]] == [
        (False, False, False),
        (True, False, False),
    ]
    block = everything[2].yaml_block
    assert block["message"].startswith("It says # SKIP \\# TODO\n  ...\nok 2")
    assert len(block["evidence"]) == 1


def test_long_evidence_is_left_to_the_other_file() -> None:
    block = points(finding("error", evidence={"body": "x" * 9000}))[0].yaml_block
    assert block["evidence"] == "too long for this file; it is in report.json"
