# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verification for Prometheus: the text format, version 0.0.4."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .report import Report, printable

_PREFIX = "homestead_matrix_"
Sample = tuple[Mapping[str, str], float]


@dataclass(frozen=True)
class Metric:
    """A gauge, what it means, and its samples."""

    name: str
    meaning: str
    samples: Iterable[Sample]


def as_metrics(report: Report, *, finished: float) -> str:
    """Return the metrics of a run that ended at this time, in seconds since 1970."""
    metrics = [
        Metric("findings", "Findings of each verdict.", _verdicts(report)),
        Metric("finding", "Findings that are not ok, by id and verdict.", _findings(report)),
        Metric(
            "certificate_days_left",
            "Days until the certificate expires, at each place that shows it.",
            _certificates(report),
        ),
        Metric("last_run_timestamp_seconds", "When the last run ended.", [({}, finished)]),
        Metric("run_duration_seconds", "How long the last run took.", [({}, report.seconds)]),
    ]
    return "".join(_written(metric, report.server_name) for metric in metrics)


def _verdicts(report: Report) -> list[Sample]:
    return [({"verdict": verdict}, number) for verdict, number in report.summary.items()]


def _findings(report: Report) -> list[Sample]:
    found = Counter((item.id, item.verdict) for item in report.findings if item.verdict != "ok")
    return [
        ({"id": identity, "verdict": verdict}, number)
        for (identity, verdict), number in found.items()
    ]


def _certificates(report: Report) -> list[Sample]:
    """Take what the evidence tells; one place shows one certificate."""
    days = {
        str(item.evidence.get("where")): item.evidence["days_left"]
        for item in report.findings
        if isinstance(item.evidence.get("days_left"), int)
    }
    return [({"where": where}, left) for where, left in days.items()]


def _written(metric: Metric, server_name: str) -> str:
    name = f"{_PREFIX}{metric.name}"
    lines = [f"# HELP {name} {metric.meaning}", f"# TYPE {name} gauge"]
    for labels, value in metric.samples:
        every = {"server_name": server_name, **labels}
        listed = ",".join(f'{key}="{_escaped(text)}"' for key, text in every.items())
        lines.append(f"{name}{{{listed}}} {value!r}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    plain = printable(text).replace("\\", "\\\\")
    return plain.replace('"', '\\"').replace("\n", "\\n")
