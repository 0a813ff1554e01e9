# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the tables of docs/verify.md: the role's variables, the bounds, and every finding."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml
from ansible_collections.homestead.matrix.plugins.module_utils.verify import (
    certificates,
    findings,
    redirect_chain,
    strict_json,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.catalogue import checks
from ansible_collections.homestead.matrix.plugins.module_utils.verify.peers import resolution
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire import (
    hosts,
    http1,
    lookup,
    silence,
    smtp,
    stun,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    KIB,
    Request,
)
from ansible_collections.homestead.matrix.tests.generated_tables import fill

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/verify.md"
SPECS = ROOT / "roles/verify/meta/argument_specs.yml"
_MARKUP = re.compile(r"[A-Z]\((?P<text>[^()]*)\)")


def bounds() -> str:
    """Write a line for each bound."""
    body, document = Request("").limit // KIB, redirect_chain.DOCUMENT_LIMIT // KIB
    lines = [
        (
            "body of an answer, also after it is decompressed",
            f"{body} KiB; a document {document} KiB",
        ),
        (
            "header of an answer",
            f"{http1.HEADERS_LIMIT // KIB} KiB, {http1.LINES_LIMIT} lines, "
            f"{http1.INTERIM_LIMIT} interim answers (1xx) before it",
        ),
        ("redirects", f"{redirect_chain.HOPS_LIMIT}, none to the same address twice, https only"),
        ("JSON", f"{strict_json.DEPTH_LIMIT} levels, numbers that a double holds"),
        ("records of a DNS answer", str(lookup.RECORDS_LIMIT)),
        ("addresses of a name", str(hosts.ADDRESSES_LIMIT)),
        ("targets of an SRV record", f"{resolution.TARGETS_LIMIT}, best priority first"),
        ("addresses to which all names lead peers", str(resolution.ENDPOINTS_LIMIT)),
        ("names of a certificate in a report", str(certificates.NAMES_SHOWN)),
        ("STUN message, mail reply", f"{stun.MAX_MESSAGE_BYTES} and {smtp.REPLY_LIMIT} bytes"),
        (
            "wait for a port that stays silent",
            f"{silence.ATTEMPTS} attempts {silence.GAP} s apart, and {silence.TRIPS} round trips, "
            f"{silence.LEAST} s at least; {silence.LONGEST} s in all at most over TCP",
        ),
        (
            "finding",
            f"{findings.MESSAGE_LIMIT} characters, {findings.EVIDENCE_LIMIT // KIB} KiB evidence",
        ),
    ]
    rows = [f"| {what} | {bound} |" for what, bound in lines]
    return "\n".join(["| what | bound |", "|---|---|", *rows])


def every_finding() -> str:
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


TABLES = {"variables": variables, "bounds": bounds, "findings": every_finding}


def written(text: str) -> str:
    """Return the page with its generated tables."""
    return fill(text, TABLES)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
