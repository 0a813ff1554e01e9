# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verification for test harnesses: the Test Anything Protocol, version 14."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from ...module_utils.verify.findings import Verdict
from .report import (
    Report,
    Sighting,
    printable,
)

_EVIDENCE_LIMIT = 4000
_DIRECTIVES: dict[Verdict, str] = {
    "warning": " # TODO warning",
    "skipped": " # SKIP not looked at",
    "unknown": " # SKIP the outside cannot know",
}
_NO_DIRECTIVE = str.maketrans({"#": "\N{FULLWIDTH NUMBER SIGN}", "\\": "/"})


class _Dumper(yaml.SafeDumper):
    """Writes every text on one line, so that none can look like the end of the block."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    broken = text.splitlines() not in ([], [text])
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if broken else None)


_Dumper.add_representer(str, _text)


def as_tap(report: Report) -> str:
    """Return one test point for each finding.

    An error fails. A warning is a test point that is known to fail (`TODO`): it stays visible, and
    no harness counts it. What was not judged is skipped.
    """
    lines = ["TAP version 14", f"1..{len(report.findings)}"]
    for number, finding in enumerate(report.findings, start=1):
        lines += _point(number, finding)
    return "\n".join(lines) + "\n"


def _point(number: int, finding: Sighting) -> Iterator[str]:
    fails = finding.verdict in ("error", "warning")
    description = _line(f"{finding.id}: {finding.message}")
    directive = _DIRECTIVES.get(finding.verdict, "")
    yield f"{'not ok' if fails else 'ok'} {number} - {description}{directive}"
    block = yaml.dump(
        _diagnostic(finding), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize
    )
    yield textwrap.indent(f"---\n{block}...", "  ", lambda _line: True)


def _line(text: str) -> str:
    """Return a description: a stranger's `#` must not begin a directive, in any version of TAP."""
    return " ".join(printable(text).translate(_NO_DIRECTIVE).split())


def _diagnostic(finding: Sighting) -> dict[str, Any]:
    """Return what a person wants to know, as plain data, with evidence of bearable length."""
    known = finding.as_dict()
    if len(json.dumps(known["evidence"])) > _EVIDENCE_LIMIT:
        known["evidence"] = "too long for this file; it is in report.json"
    plain = json.loads(json.dumps(known))
    return {name: _printable(value) for name, value in plain.items() if value}


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        return {printable(name): _printable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return printable(value) if isinstance(value, str) else value
