# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports about strangers' servers: nothing these say breaks a file or reaches the terminal."""

from __future__ import annotations

import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import yaml
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import (
    VERDICTS,
    Check,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.merge import merge
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.metrics import as_metrics
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.page import (
    as_html,
    excerpt,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.report import (
    Report,
    Sighting,
    as_document,
    as_json,
    as_junit,
    printable,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.table import table
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.tap import as_tap
from ansible_collections.homestead.matrix.tests.fuzz.properties import fuzzed
from ansible_collections.homestead.matrix.tests.fuzz.strategies import TEXTS
from hypothesis import example
from hypothesis import strategies as st

EVIL = (
    "</script><script>alert(1)</script>]]><!--\"'\x1b]0;x\x07\u202e\u2028\x85\ud800"
    " # SKIP\n  ...\nok 9"
)
ANY_TEXT = TEXTS | st.text(st.characters(exclude_categories=()), max_size=60) | st.just(EVIL)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=5,
)
CHECK = Check("client.versions", "client", "Client-Server API", "Do it <here> & now.")


def found(verdict: str, message: str, value: object) -> Sighting:
    facts = {"value": value, "where": message, "days_left": 7}
    finding = getattr(CHECK, verdict)(message or "It is so.", **facts)
    return Sighting(**finding.as_dict())


FINDINGS = st.builds(found, st.sampled_from(VERDICTS), ANY_TEXT, VALUES)
RESOLUTIONS = st.fixed_dictionaries({"step": ANY_TEXT, "connect": st.lists(ANY_TEXT, max_size=2)})
REPORTS = st.builds(
    Report,
    server_name=st.just("example.com"),
    findings=st.lists(FINDINGS, max_size=5).map(tuple),
    checked_at=st.just("2026-01-01T00:00:00Z"),
    vantages=st.sampled_from([("near",), ("far",)]),
    resolution=RESOLUTIONS,
)
EVERY_VERDICT = tuple(found(verdict, EVIL, {EVIL: [EVIL]}) for verdict in VERDICTS)
WORST = Report("example.com", EVERY_VERDICT, "2026-01-01T00:00:00Z", ("near",))
_LABEL = r'[a-z_]+="([^"\\]|\\[\\"n])*"'
SAMPLE = re.compile(rf"[a-z_]+\{{{_LABEL}(,{_LABEL})*\}} [0-9.]+")
TEMPLATE = Path(__file__).parents[2] / "roles/verify/templates/report.html.j2"
TAGS = frozenset(re.findall(r"<([a-z][a-z0-9]*)", TEMPLATE.read_text(encoding="utf-8")))


def written(text: str) -> str:
    """Return the text as it is read back from a file in UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def assert_harmless(text: str) -> None:
    """Expect nothing that moves the cursor, changes colours or turns the direction."""
    for character in text:
        assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp"), text
        assert unicodedata.bidirectional(character) not in (
            *("LRE", "RLE", "PDF", "LRO", "RLO"),
            *("LRI", "RLI", "FSI", "PDI"),
        ), text


@fuzzed(REPORTS)
@example(WORST)
def test_json_says_all(report: Report) -> None:
    assert json.loads(written(as_json(report))) == json.loads(json.dumps(as_document(report)))


@fuzzed(REPORTS)
@example(WORST)
def test_junit_is_xml(report: Report) -> None:
    root = ET.fromstring(written(as_junit(report)))
    assert len(list(root.iter("testcase"))) == len(report.findings)
    errors = [finding for finding in report.findings if finding.verdict == "error"]
    assert len(list(root.iter("failure"))) == len(errors)


class Page(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


@fuzzed(REPORTS, share=0.2)
@example(WORST)
def test_html_has_no_markup_but_its_own(report: Report) -> None:
    page = Page()
    page.feed(written(as_html(report)))
    assert page.tags <= TAGS
    assert not [name for name, _unused in page.attributes if name.startswith("on")]
    links = {value for name, value in page.attributes if name in ("href", "src")}
    assert all(link.startswith("#") or link == "data:," for link in links)
    for finding in report.findings:
        assert written(excerpt(finding.message)) in page.text


@fuzzed(REPORTS)
@example(WORST)
def test_the_terminal_gets_no_control_characters(report: Report) -> None:
    for line in table(report):
        assert_harmless(line.text)


@fuzzed(REPORTS)
@example(WORST)
def test_tap_has_one_point_for_each_finding(report: Report) -> None:
    text = written(as_tap(report))
    lines = text.split("\n")
    points = [line for line in lines if re.match(r"(not )?ok\b", line)]
    outer = [line for line in lines if line and not line.startswith("  ")]
    assert outer == ["TAP version 14", f"1..{len(report.findings)}", *points]
    assert len(points) == len(report.findings)
    for line in lines:
        assert_harmless(line)
    for block in re.findall(r"^  ---\n(.*?)^  \.\.\.$", text, re.MULTILINE | re.DOTALL):
        assert yaml.safe_load(block)["id"] == CHECK.id


@fuzzed(REPORTS)
@example(WORST)
def test_metrics_are_samples(report: Report) -> None:
    text = written(as_metrics(report, finished=1.5))
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        assert line.startswith("# ") or SAMPLE.fullmatch(line), line


@fuzzed(REPORTS, REPORTS)
@example(WORST, replace(WORST, vantages=("far",)))
def test_reports_of_several_vantages_are_merged(near: Report, far: Report) -> None:
    merged = merge([replace(near, vantages=("near",)), replace(far, vantages=("far",))])
    assert merged.vantages == ("near", "far")
    known = {finding.message for report in (near, far) for finding in report.findings}
    assert {finding.message for finding in merged.findings} <= known
    json.loads(as_json(merged))


@fuzzed(ANY_TEXT)
def test_printable_text_stays_so(text: str) -> None:
    assert printable(printable(text)) == printable(text)
    assert_harmless(printable(text).replace("\n", "").replace("\t", ""))
