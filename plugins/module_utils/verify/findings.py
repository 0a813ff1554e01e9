# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the verifier says: checks, and the findings they make."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

Verdict = Literal["ok", "info", "warning", "error", "skipped", "unknown"]
VERDICTS: tuple[Verdict, ...] = ("error", "warning", "unknown", "skipped", "info", "ok")
"""Every verdict, gravest first."""
SPOKEN: tuple[Verdict, ...] = ("error", "warning", "unknown")
"""The verdicts that somebody should read."""
MESSAGE_LIMIT = 500
_NOTED_LIMIT = 400
_SEEN_AS = "seen_as"
EVIDENCE_LIMIT = 32 * 1024
"""How many characters the evidence of one finding has as JSON."""


@dataclass(frozen=True)
class Finding:
    """One thing seen from outside, and what it means."""

    id: str
    area: str
    verdict: Verdict
    message: str
    remedy: str = ""
    reference: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def counted_as(self, verdict: Verdict, note: str, **evidence: Any) -> Finding:
        """Return the finding with another verdict and a note why; the first one stays known."""
        message = f"{shortened(self.message, _NOTED_LIMIT)} {note}"
        kept = {**self.evidence, **evidence, _SEEN_AS: self.verdict}
        return replace(self, verdict=verdict, message=message, evidence=kept)

    @property
    def seen_as(self) -> str:
        """The verdict before the finding came to count as another."""
        return str(self.evidence.get(_SEEN_AS, self.verdict))

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as plain data, in the order people read it."""
        return asdict(self)


@dataclass(frozen=True)
class Check:
    """Something the verifier looks at; its findings share id, area, remedy and reference."""

    id: str
    area: str
    reference: str
    remedy: str

    def of(self, part: str) -> Check:
        """Return this check for one part: `{part}` in id and remedy is filled in."""
        return replace(
            self, id=self.id.format(part=part), remedy=self.remedy.replace("{part}", part)
        )

    def ok(self, message: str, **evidence: Any) -> Finding:
        return self._finding("ok", message, evidence)

    def info(self, message: str, **evidence: Any) -> Finding:
        return self._finding("info", message, evidence)

    def warning(self, message: str, **evidence: Any) -> Finding:
        return self._finding("warning", message, evidence)

    def error(self, message: str, **evidence: Any) -> Finding:
        return self._finding("error", message, evidence)

    def skipped(self, message: str, **evidence: Any) -> Finding:
        return self._finding("skipped", message, evidence)

    def unknown(self, message: str, **evidence: Any) -> Finding:
        return self._finding("unknown", message, evidence)

    def _finding(self, verdict: Verdict, message: str, evidence: Mapping[str, Any]) -> Finding:
        remedy = self.remedy if verdict in SPOKEN else ""
        text = shortened(message, MESSAGE_LIMIT)
        kept = bounded(evidence)
        return Finding(self.id, self.area, verdict, text, remedy, self.reference, kept)


def shortened(text: str, limit: int) -> str:
    """Return at most `limit` characters of a text, and show that some are missing."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def bounded(evidence: Mapping[str, Any]) -> Mapping[str, Any]:
    """Keep evidence within `EVIDENCE_LIMIT`: if there is too much, long items are cut short."""
    if len(json.dumps(evidence)) <= EVIDENCE_LIMIT:
        return evidence
    share = EVIDENCE_LIMIT // (4 * len(evidence))
    texts = {name: json.dumps(value) for name, value in evidence.items()}
    return {
        name: value if len(texts[name]) <= share else shortened(texts[name], share)
        for name, value in evidence.items()
    }


def summarize(findings: Iterable[Finding]) -> dict[str, int]:
    """Count the findings of each verdict, naming every verdict."""
    counted = Counter(finding.verdict for finding in findings)
    return {verdict: counted[verdict] for verdict in VERDICTS}


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the gravest verdict; a run without findings knows nothing."""
    return min((finding.verdict for finding in findings), key=VERDICTS.index, default="unknown")
