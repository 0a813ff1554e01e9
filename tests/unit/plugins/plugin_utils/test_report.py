# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One verification in all its forms, with what hostile servers might put in it."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import (
    VERDICTS,
    Verdict,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.page import as_html
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.report import (
    Report,
    Sighting,
    as_document,
    as_json,
    as_junit,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.table import (
    headline,
    table,
)

SCHEMA = json.loads((Path(__file__).parents[4] / "docs" / "report.schema.json").read_text())
HOSTILE = "<script>alert(1)</script>\x1b[31m\x00\ud800 ]]> {{ 7 * 7 }}"
VOID_TAGS = {"meta", "link"}


def finding(verdict: Verdict, *, area: str = "turn", **more: Any) -> Sighting:
    """Return a finding with a remedy where there is something to remedy."""
    grave = verdict in ("error", "warning", "unknown")
    plain = Sighting(f"{area}.{verdict}", area, verdict, "It is so.", "Mend it." if grave else "")
    return replace(plain, **more)


EVERY = tuple(finding(verdict) for verdict in VERDICTS)
NASTY = finding(
    "error",
    message=f"It says {HOSTILE}",
    remedy=HOSTILE,
    reference=HOSTILE,
    evidence={HOSTILE: [HOSTILE, {"deep": [1, None, True, {}, []]}, "line\nline", "x" * 9000]},
)
REPORT = Report("example.com", EVERY, "2026-01-02T03:04:05Z", ("vantage",), 1.25, {"step": "3.2"})


def with_findings(*findings: Sighting) -> Report:
    return replace(REPORT, findings=findings)


class Page(HTMLParser):
    """Notes tags, attributes and text, and fails on a tag that does not match."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID_TAGS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


SPLIT = replace(
    with_findings(finding("error", vantages=("there",)), finding("ok")), vantages=("here", "there")
)


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(REPORT, id="every verdict"),
        pytest.param(SPLIT, id="two vantages"),
        pytest.param(with_findings(), id="no findings"),
        pytest.param(with_findings(NASTY), id="hostile"),
    ],
)
def test_json_follows_its_schema(report: Report) -> None:
    jsonschema.validate(json.loads(as_json(report)), SCHEMA, cls=jsonschema.Draft202012Validator)


def test_the_schema_names_every_key() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert list(as_document(REPORT)) == SCHEMA["required"] == list(SCHEMA["properties"])
    assert list(EVERY[0].as_dict()) == SCHEMA["$defs"]["finding"]["required"]


def test_a_result_of_the_module_gives_the_same_report() -> None:
    result = {**as_document(REPORT), "changed": False, "vantage": "vantage"}
    read = Report.of(result, checked_at=REPORT.checked_at)
    assert as_document(read) == as_document(REPORT)


def test_junit_has_a_case_for_each_finding() -> None:
    root = ET.fromstring(as_junit(REPORT))
    cases = list(root.iter("testcase"))
    assert (root.get("tests"), root.get("failures")) == ("6", "1")
    assert [len(case) for case in cases] == [1, 1, 1, 1, 1, 0]
    assert [child.tag for case in cases for child in case] == [
        "failure",
        "system-out",
        "skipped",
        "skipped",
        "system-out",
    ]


def test_junit_survives_hostile_text() -> None:
    [case] = ET.fromstring(as_junit(with_findings(NASTY))).iter("testcase")
    assert "<script>alert(1)</script>" in (case.get("name") or "")


def test_the_page_is_well_formed_and_needs_nothing_else() -> None:
    source = as_html(REPORT)
    page = Page(source)
    assert source.startswith("<!DOCTYPE html>")
    assert {tag for tag, _unused in page.tags} & {"script", "img", "iframe", "object"} == set()
    links = [*page.named("a"), *page.named("link")]
    assert {(link["href"] or "")[:5] for link in links} <= {"#area", "#find", "data:"}
    assert not re.search(r"url\(|@import|https?://", source)


def test_the_page_is_accessible() -> None:
    page = Page(as_html(REPORT))
    assert page.named("html") == [{"lang": "en"}]
    assert len(page.named("h1")) == len(page.named("main")) == len(page.named("title")) == 1
    identities = [attributes["id"] for _unused, attributes in page.tags if "id" in attributes]
    assert len(identities) == len(set(identities))
    labels = [section["aria-labelledby"] for section in page.named("section")]
    anchors = [(link["href"] or "")[1:] for link in page.named("a")]
    assert {*labels, *anchors} <= set(identities)


def test_the_page_escapes_hostile_text() -> None:
    page = Page(as_html(with_findings(NASTY)))
    assert page.named("script") == []
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "x" * 2000 + " …" in page.text
    assert "x" * 2001 not in page.text


def test_the_page_shows_what_is_wrong_and_folds_what_is_well() -> None:
    text = Page(as_html(REPORT)).text
    assert text.index("To do") < text.index("What to do:") < text.index("checks without fault")


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        pytest.param(("ok", "ok"), "verified (2 ok; 1.2 s)", id="well"),
        pytest.param(("ok", "unknown"), "verified (1 unknown, 1 ok; 1.2 s)", id="unknown"),
        pytest.param(
            ("ok", "warning"), "works, with 1 warning (1 warning, 1 ok; 1.2 s)", id="warning"
        ),
        pytest.param(
            ("error", "error", "ok"), "2 errors to repair (2 errors, 1 ok; 1.2 s)", id="errors"
        ),
        pytest.param((), "nothing could be verified (no findings; 1.2 s)", id="nothing"),
    ],
)
def test_headline(verdicts: tuple[Verdict, ...], expected: str) -> None:
    report = with_findings(*map(finding, verdicts))
    assert headline(report) == f"example.com: {expected}"


def test_the_table_has_a_line_for_each_area_and_each_fault() -> None:
    report = with_findings(finding("ok", area="client"), finding("error"), finding("ok"))
    assert [line.text for line in table(report)] == [
        "",
        "example.com: 1 error to repair (1 error, 2 ok; 1.2 s)",
        "",
        "  ✓ client  1 ok",
        "  ✗ turn    1 error, 1 ok",
        "",
        "  error    turn.error",
        "           It is so.",
        "           → Mend it.",
        "",
    ]


def test_the_table_sends_no_control_characters_to_the_terminal() -> None:
    assert all(line.text.isprintable() for line in table(with_findings(NASTY)))


def test_every_form_names_the_vantage_that_saw_it() -> None:
    assert "  error    turn.error, seen from there" in [line.text for line in table(SPLIT)]
    page = Page(as_html(SPLIT)).text
    assert page.count("seen from there") == 1
    assert "Looked at from here and there on" in page
    names = [case.get("name") for case in ET.fromstring(as_junit(SPLIT)).iter("testcase")]
    assert names == ["turn.error: It is so. (seen from there)", "turn.ok: It is so."]
    assert [item.get("vantages") for item in as_document(SPLIT)["findings"]] == [["there"], None]
