# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verification as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from ...module_utils.verify.findings import Verdict
from .report import (
    GRAVE,
    Report,
    Sighting,
    by_gravity,
    count,
    counts,
    printable,
    tone,
)
from .table import verdict

_TEMPLATES = Path(__file__).parents[3] / "roles" / "verify" / "templates"
_LONGEST_VALUE = 2000


_TITLES = {
    "resolution": "Server name",
    "federation": "Federation",
    "certificate": "Certificates",
    "well-known": "Well-known documents",
    "client": "Client API",
    "registration": "Registration",
    "exposure": "What must not be public",
    "turn": "Calls (TURN)",
    "ports": "Ports",
    "services": "Services",
    "web": "Web server",
}
_FINE: tuple[Verdict, ...] = ("ok", "info")


@dataclass(frozen=True)
class Card:
    """One finding, and the place of the page at which it stands."""

    anchor: str
    finding: Sighting


@dataclass(frozen=True)
class Area:
    """One section of the page: `noted` stands open, `fine` is folded away."""

    anchor: str
    title: str
    verdict: Verdict
    counts: str
    noted: list[Card]
    fine: list[Card]


def as_html(report: Report) -> str:
    """Return the page."""
    template = page_template("report.html.j2")
    areas = [_area(number, *area) for number, area in enumerate(report.areas())]
    noted = [card for area in areas for card in area.noted]
    return template.render(
        report=report,
        headline=verdict(report),
        areas=areas,
        grave=[card for kind in GRAVE for card in noted if card.finding.verdict == kind],
        resolution={name: value for name, value in report.resolution.items() if value},
    )


def page_template(name: str) -> Template:
    """Return the template of a page, in which all text stays text."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["excerpt"] = excerpt
    environment.filters["shape"] = shape
    environment.filters["count"] = count
    return environment.get_template(name)


def excerpt(value: object) -> str:
    """Return a single value of the evidence as text of bearable length."""
    text = printable(_plain(value))
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


def _area(number: int, name: str, findings: Sequence[Sighting]) -> Area:
    cards = [
        Card(f"finding-{number}-{index}", finding)
        for index, finding in enumerate(by_gravity(findings))
    ]
    return Area(
        anchor=f"area-{number}",
        title=_TITLES.get(name, name),
        verdict=tone(findings),
        counts=counts(findings),
        noted=[card for card in cards if card.finding.verdict not in _FINE],
        fine=[card for card in cards if card.finding.verdict in _FINE],
    )
