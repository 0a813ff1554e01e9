# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verification for the terminal: one line an area, and what is wrong with its remedy."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...module_utils.verify.findings import (
    SPOKEN,
    Verdict,
)
from .report import (
    Report,
    Sighting,
    by_gravity,
    count,
    counts,
    printable,
    tone,
)

_COLORS: dict[Verdict, str] = {
    "error": "red",
    "warning": "bright yellow",
    "unknown": "purple",
    "skipped": "cyan",
    "info": "normal",
    "ok": "green",
}
_SIGNS: dict[Verdict, str] = {
    "error": "✗",
    "warning": "!",
    "unknown": "?",
    "skipped": "-",
    "info": "i",
    "ok": "✓",
}
_WIDTH = 100
_INDENT = 11


@dataclass(frozen=True)
class Line:
    """A line and the name of the colour in which Ansible prints it."""

    text: str
    color: str | None = None


def table(report: Report) -> list[Line]:
    """Return the lines that tell an operator at a glance how the server does."""
    spoken = [finding for finding in by_gravity(report.findings) if _is_told(finding)]
    lines = [Line(""), Line(headline(report), _COLORS[report.tone]), Line("")]
    width = max((len(area) for area, _unused in report.areas()), default=0)
    lines += [_area(area, findings, width) for area, findings in report.areas()]
    lines += [line for finding in spoken for line in (Line(""), *_finding(finding))]
    return [*lines, Line("")]


def _is_told(finding: Sighting) -> bool:
    """Whether somebody should read it here: what merely follows from another is not repeated."""
    return finding.verdict in SPOKEN and "follows_from" not in finding.evidence


def headline(report: Report) -> str:
    """Return the verdict in one sentence."""
    return f"{report.server_name}: {verdict(report)} ({printable(_figures(report))})"


def verdict(report: Report) -> str:
    """Return what the verdict means for the people who use the server."""
    summary = report.summary
    if summary["error"]:
        return f"{count(summary['error'], 'error')} to repair"
    if summary["warning"]:
        return f"works, with {count(summary['warning'], 'warning')}"
    return "verified" if summary["ok"] else "nothing could be verified"


def _figures(report: Report) -> str:
    return f"{counts(report.findings)}; {report.seconds:.1f} s"


def _area(area: str, findings: Sequence[Sighting], width: int) -> Line:
    seen = tone(findings)
    text = f"  {_SIGNS[seen]} {area.ljust(width)}  {counts(findings)}"
    return Line(text, _COLORS[seen])


def _finding(finding: Sighting) -> Iterator[Line]:
    color = _COLORS[finding.verdict]
    who = f", {printable(finding.seen_from)}" if finding.seen_from else ""
    yield Line(f"  {finding.verdict.ljust(_INDENT - 2)}{finding.id}{who}", color)
    for text in filter(None, (finding.message, finding.remedy and f"→ {finding.remedy}")):
        for line in textwrap.wrap(printable(text), _WIDTH - _INDENT):
            yield Line(" " * _INDENT + line)
