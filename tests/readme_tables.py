# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the tables of README.md that follow from the component table and the argument specs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.components import (
    COMPONENTS,
    Component,
    Port,
)
from ansible_collections.homestead.matrix.tests.generated_tables import fill

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
SPECS = ROOT / "roles/matrix/meta/argument_specs.yml"
DEFAULTS = ROOT / "roles/matrix/defaults/main.yml"
_MARKUP = re.compile(r"[A-Z]\((?P<text>[^()]*)\)")


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table in Markdown."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def ports() -> str:
    """Write every port of the component table."""
    rows = [
        (_number(port), port.protocol, port.purpose, _needed(component, port))
        for component in COMPONENTS.values()
        for port in component.ports
    ]
    return table(("port", "protocol", "what for", "needed"), rows)


def _number(port: Port) -> str:
    return str(port.first) if port.first == port.last else f"{port.first}–{port.last}"  # noqa: RUF001 en dash of a range


def _needed(component: Component, port: Port) -> str:
    if not component.optional:
        return "always"
    unless = f", unless `{port.switch}` is false" if port.switch else ""
    return f"with `{component.name}`{unless}"


def variables() -> str:
    """Write every variable of the description."""
    options = yaml.safe_load(SPECS.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))
    rows = [
        (f"`{name}`", _default(option, defaults[name]), _about(option))
        for name, option in options.items()
    ]
    return table(("variable", "default", "meaning"), rows)


def _default(option: dict[str, Any], default: object) -> str:
    if option.get("required"):
        return "required"
    return _cell(f"`{default if isinstance(default, str) else json.dumps(default)}`")


def _about(option: dict[str, Any]) -> str:
    description = option["description"]
    sentences = [description] if isinstance(description, str) else description
    return _cell(_MARKUP.sub(r"`\g<text>`", " ".join(sentences)))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


TABLES = {"ports": ports, "variables": variables}


def written(text: str) -> str:
    """Return the text with its generated tables."""
    return fill(text, TABLES)


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
