# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The handover for people: sections, written as an HTML page and as Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..plan.operators_plan import port_label, port_sources, record_value
from ..report.page import page_template
from .handover import Data

_MARKS = re.compile(r"[\\`*_\[\]<>|#]")


@dataclass(frozen=True)
class Item:
    """A sentence, and the command it speaks of."""

    text: str
    command: str = ""


@dataclass(frozen=True)
class Section:
    """A title with items, which stand `in_order` or not, or with a table."""

    title: str
    items: tuple[Item, ...] = ()
    in_order: bool = False
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def sections(handed: Data) -> list[Section]:
    """Return the page, without sections that say nothing."""
    registration = handed["registration"]
    found = [
        Section("What to do next", _items(handed["next"]), in_order=True),
        _table("Addresses", ("what", "address"), handed["addresses"], "purpose", "address"),
        Section("Registration", (Item(registration["how"], registration["command"]),)),
        _table("Components", ("component", "what to know"), handed["parts"], "title", "about"),
        _table("Bots", ("Matrix ID", "for", "how to begin"), handed["bots"], *_BOT),
        *(Section(hint["title"], (Item(hint["text"]),)) for hint in handed["hints"]),
        Section("Ports", columns=("port", "what for", "who"), rows=tuple(_ports(handed))),
        Section("DNS records", columns=_RECORD, rows=tuple(_records(handed))),
    ]
    return [section for section in found if section.items or section.rows]


_BOT = ("matrix_id", "purpose", "start")
_RECORD = ("name", "type", "value", "what for")


def _items(steps: Iterable[Data]) -> tuple[Item, ...]:
    return tuple(Item(step["text"], step["command"]) for step in steps)


def _table(title: str, columns: tuple[str, ...], rows: Iterable[Data], *keys: str) -> Section:
    cells = tuple(tuple(str(row[key]) for key in keys) for row in rows)
    return Section(title, columns=columns, rows=cells)


def _ports(handed: Data) -> Iterator[tuple[str, ...]]:
    for port in handed["ports"]:
        yield port_label(port), port["purpose"], port_sources(port) or "everybody"


def _records(handed: Data) -> Iterator[tuple[str, ...]]:
    for record in handed["dns_records"]:
        yield record["name"], record["type"], record_value(record), record["purpose"]


def as_json(handed: Data) -> str:
    return json.dumps(handed, indent=2, ensure_ascii=False) + "\n"


def as_html(handed: Data) -> str:
    """Return a page that needs nothing else."""
    template = page_template("handover.html.j2")
    return template.render(handed=handed, sections=sections(handed))


def as_markdown(handed: Data) -> str:
    """Return the same for a wiki or a message (CommonMark, with tables as GitHub has them)."""
    lines = [f"# {_plain(handed['domain'])}", ""]
    if found := handed["verification"]:
        headline = f"{found['headline'][:1].upper()}{found['headline'][1:]}"
        report = f"[the report]({found['report']}) of {found['checked_at']}"
        lines += [f"{_plain(headline)}: {report}.", ""]
    for section in sections(handed):
        lines += [f"## {_plain(section.title)}", "", *_lines(section), ""]
    return "\n".join(lines[:-1]) + "\n"


def _lines(section: Section) -> Iterator[str]:
    if section.rows:
        for row in (section.columns, ("---",) * len(section.columns), *section.rows):
            yield f"| {' | '.join(cell if cell == '---' else _plain(cell) for cell in row)} |"
    for number, item in enumerate(section.items, 1):
        mark = f"{number}. " if section.in_order else ""
        yield from [""] if number > 1 else []
        yield mark + _plain(item.text)
        if item.command:
            yield from ("", f"{' ' * len(mark)}    {item.command}")


def _plain(text: str) -> str:
    """Return text that Markdown leaves as it is."""
    return _MARKS.sub(r"\\\g<0>", " ".join(text.split()))
