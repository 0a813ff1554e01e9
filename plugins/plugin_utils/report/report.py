# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verification as one document, and that document for programs: JSON and JUnit XML."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ...module_utils.verify.findings import (
    VERDICTS,
    Finding,
    Verdict,
    summarize,
    worst,
)
from .compat import as_compat

FORMAT = 1
GRAVE: tuple[Verdict, ...] = ("error", "warning")
_CONTROL_CHARACTERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""With line separators, and what turns the direction of writing."""


@dataclass(frozen=True)
class Sighting(Finding):
    """A finding of a report, and the vantages that saw it if not all did."""

    vantages: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as plain data, in the order people read it."""
        known = super().as_dict()
        who = list(known.pop("vantages"))
        return {**known, "vantages": who} if who else known

    @property
    def seen_from(self) -> str:
        """Return in words who saw it; nothing if all did."""
        return f"seen from {', '.join(self.vantages)}" if self.vantages else ""


@dataclass(frozen=True)
class Report:
    """What a verification found, when, and from where."""

    server_name: str
    findings: tuple[Sighting, ...]
    checked_at: str
    vantages: tuple[str, ...]
    seconds: float = 0.0
    resolution: Mapping[str, Any] = field(default_factory=dict)
    peers: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, result: Mapping[str, Any], *, checked_at: str) -> Report:
        """Read what the verify module returned on one vantage."""
        return cls(
            server_name=result["server_name"],
            findings=tuple(Sighting(**finding) for finding in result["findings"]),
            checked_at=checked_at,
            vantages=(result["vantage"],),
            seconds=result["seconds"],
            resolution=result.get("resolution") or {},
            peers=result.get("peers") or {},
        )

    @property
    def verdict(self) -> Verdict:
        return worst(self.findings)

    @property
    def tone(self) -> Verdict:
        return tone(self.findings)

    @property
    def summary(self) -> dict[str, int]:
        return summarize(self.findings)

    @property
    def grave(self) -> list[Sighting]:
        """What somebody should repair, gravest first."""
        return [finding for finding in by_gravity(self.findings) if finding.verdict in GRAVE]

    def areas(self) -> list[tuple[str, list[Sighting]]]:
        """Return each area with its findings, in the order in which they were looked at."""
        areas: dict[str, list[Sighting]] = {}
        for finding in self.findings:
            areas.setdefault(finding.area, []).append(finding)
        return list(areas.items())


def timestamp() -> str:
    """Return the time that it is, as reports state it (RFC 3339, UTC)."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def by_gravity(findings: Iterable[Sighting]) -> list[Sighting]:
    """Sort findings, gravest first, otherwise as they were."""
    return sorted(findings, key=lambda finding: VERDICTS.index(finding.verdict))


def tone(findings: Sequence[Finding]) -> Verdict:
    """Return what people shall see first: what was not judged does not spoil what is well."""
    summary = summarize(findings)
    order: tuple[Verdict, ...] = (*GRAVE, "ok", "info", "unknown", "skipped")
    return next((verdict for verdict in order if summary[verdict]), "unknown")


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 error`, `2 errors`."""
    plural = noun in GRAVE and number != 1
    return f"{number} {noun}{'s' if plural else ''}"


def counts(findings: Sequence[Finding]) -> str:
    """Return what there is of each verdict, gravest first: `1 error, 12 ok`."""
    summary = summarize(findings)
    found = [count(summary[verdict], verdict) for verdict in VERDICTS if summary[verdict]]
    return ", ".join(found) or "no findings"


def as_document(report: Report) -> dict[str, Any]:
    """Return the report as docs/report.schema.json describes it."""
    return {
        "format": FORMAT,
        "server_name": report.server_name,
        "verdict": report.verdict,
        "summary": report.summary,
        "checked_at": report.checked_at,
        "vantages": list(report.vantages),
        "seconds": report.seconds,
        "resolution": dict(report.resolution),
        "findings": [finding.as_dict() for finding in report.findings],
        "compat": as_compat(report.server_name, report.findings, report.peers),
    }


def as_json(report: Report) -> str:
    return json.dumps(as_document(report), indent=2) + "\n"


def as_junit(report: Report) -> str:
    """Return one test suite per area and one test case per finding."""
    root = ET.Element("testsuites", {"name": f"Matrix server {report.server_name}"})
    for area, findings in report.areas():
        root.append(_suite(area, findings))
    root.set("tests", str(len(report.findings)))
    root.set("failures", str(report.summary["error"]))
    root.set("time", f"{report.seconds:.3f}")
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def printable(text: str) -> str:
    """Replace what neither a terminal nor XML should get from a stranger's server."""
    return _CONTROL_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", text)


def _suite(area: str, findings: Sequence[Sighting]) -> ET.Element:
    summary = summarize(findings)
    suite = ET.Element("testsuite", {"name": area, "tests": str(len(findings))})
    suite.set("failures", str(summary["error"]))
    suite.set("skipped", str(summary["skipped"] + summary["unknown"]))
    suite.extend(_case(finding) for finding in findings)
    return suite


def _case(finding: Sighting) -> ET.Element:
    who = f" ({finding.seen_from})" if finding.seen_from else ""
    name = printable(f"{finding.id}: {finding.message}{who}")
    case = ET.Element("testcase", {"classname": finding.area, "name": name})
    if finding.verdict == "error":
        failure = ET.SubElement(case, "failure", {"message": printable(finding.message)})
        failure.text = _explanation(finding)
    elif finding.verdict in ("skipped", "unknown"):
        ET.SubElement(
            case, "skipped", {"message": printable(f"{finding.verdict}: {finding.message}")}
        )
    elif finding.verdict in ("warning", "info"):
        ET.SubElement(case, "system-out").text = f"{finding.verdict}: {_explanation(finding)}"
    return case


def _explanation(finding: Finding) -> str:
    evidence = json.dumps(dict(finding.evidence), indent=2)
    parts = (finding.message, finding.remedy, finding.reference, evidence)
    return printable("\n".join(part for part in parts if part))
