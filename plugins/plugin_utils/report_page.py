# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verification as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import (
    Finding,
    Verdict,
    worst,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.report import (
    Report,
    by_gravity,
    counts,
    printable,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.report_table import verdict
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_TEMPLATES = Path(__file__).parents[2] / "roles" / "verify" / "templates"
_LONGEST_VALUE = 2000


@dataclass(frozen=True)
class Area:
    """One section of the page: `noted` stands open, `fine` is folded away."""

    name: str
    verdict: Verdict
    counts: str
    noted: list[Finding]
    fine: list[Finding]


def as_html(report: Report) -> str:
    """Return the page."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["excerpt"] = excerpt
    environment.filters["shape"] = shape
    template = environment.get_template("report.html.j2")
    areas = [_area(name, findings) for name, findings in report.areas()]
    return template.render(report=report, headline=verdict(report), areas=areas)


def excerpt(value: object) -> str:
    """Return a single value of the evidence as text of bearable length."""
    text = printable(value if isinstance(value, str) else _plain(value))
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + " …"


def shape(value: object) -> str:
    """Tell how a value of the evidence is to be laid out."""
    if isinstance(value, Mapping):
        return "mapping" if value else "single"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "list" if value else "single"
    return "text" if isinstance(value, str) and ("\n" in value or len(value) > 100) else "single"


def _plain(value: object) -> str:
    words = {None: "none", True: "yes", False: "no"}
    return words[value] if value is None or isinstance(value, bool) else str(value) or "none"


def _area(name: str, findings: Sequence[Finding]) -> Area:
    ordered = by_gravity(findings)
    return Area(
        name=name,
        verdict=worst(findings),
        counts=counts(findings),
        noted=[finding for finding in ordered if finding.verdict not in ("ok", "info")],
        fine=[finding for finding in ordered if finding.verdict in ("ok", "info")],
    )
