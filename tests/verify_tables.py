# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the tables of docs/verify.md: the variables of the role, and every finding there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml
from ansible_collections.homestead.matrix.plugins.module_utils.verify.catalogue import checks
from ansible_collections.homestead.matrix.tests.generated_tables import fill

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/verify.md"
SPECS = ROOT / "roles/verify/meta/argument_specs.yml"
_MARKUP = re.compile(r"[A-Z]\((?P<text>[^()]*)\)")


def findings() -> str:
    """Write a line for each check."""
    lines = ["| finding | what to do | by |", "|---|---|---|"]
    for check in checks().values():
        identity = check.id.replace("{part}", "…")
        remedy = check.remedy.replace("{part}", "it").replace("|", "\\|")
        lines.append(f"| `{identity}` | {remedy} | {check.reference} |")
    return "\n".join(lines)


def variables() -> str:
    """Write a line for each variable of the role."""
    options = yaml.safe_load(SPECS.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, option in options.items():
        default = option["default"]
        text = default if isinstance(default, str) and default else json.dumps(default)
        meaning = _MARKUP.sub(r"`\g<text>`", option["description"])
        lines.append(f"| `{name}` | `{text}` | {meaning} |")
    return "\n".join(lines)


TABLES = {"variables": variables, "findings": findings}


def written(text: str) -> str:
    """Return the page with its generated tables."""
    return fill(text, TABLES)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
