# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of a verification, read as Prometheus reads them."""

from __future__ import annotations

from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Verdict
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.metrics import as_metrics
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.report import (
    Report,
    Sighting,
)
from prometheus_client.parser import text_string_to_metric_families

HOSTILE = 'say "\\n" \\ or\nbreak\x00 {}'


def finding(verdict: Verdict, identity: str = "certificate.trust", **evidence: object) -> Sighting:
    return Sighting(identity, "certificate", verdict, "It is so.", evidence=evidence)


def samples(*findings: Sighting, server_name: str = "example.com") -> dict[str, dict[str, float]]:
    """Return the value of each series by its name and its labels but the server's."""
    report = Report(server_name, findings, "2026-01-02T03:04:05Z", ("vantage",), 1.25)
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(as_metrics(report, finished=1.7e9)):
        assert (family.type, bool(family.documentation)) == ("gauge", True)
        for sample in family.samples:
            labels = dict(sample.labels)
            assert labels.pop("server_name") == server_name
            series = found.setdefault(sample.name.removeprefix("homestead_matrix_"), {})
            assert " ".join(labels.values()) not in series
            series[" ".join(labels.values())] = sample.value
    return found


def test_verdicts_are_counted_also_those_that_nothing_has() -> None:
    assert samples(finding("ok"), finding("ok"), finding("error"))["findings"] == {
        "error": 1,
        "warning": 0,
        "unknown": 0,
        "skipped": 0,
        "info": 0,
        "ok": 2,
    }


def test_what_is_not_ok_is_named_once_for_each_verdict() -> None:
    seen = samples(finding("ok"), finding("error"), finding("error"), finding("warning"))
    assert seen["finding"] == {"certificate.trust error": 2, "certificate.trust warning": 1}


def test_days_of_certificates() -> None:
    told = (
        finding("ok", where="192.0.2.2:443", days_left=89),
        finding("error", where="[2001:db8::2]:443", days_left=-1),
        finding("ok"),
    )
    assert samples(*told)["certificate_days_left"] == {"192.0.2.2:443": 89, "[2001:db8::2]:443": -1}


def test_when_and_how_long() -> None:
    seen = samples()
    assert seen["last_run_timestamp_seconds"] == {"": 1.7e9}
    assert seen["run_duration_seconds"] == {"": 1.25}


def test_hostile_text_stays_in_its_label() -> None:
    seen = samples(finding("ok", where=HOSTILE, days_left=1), server_name=HOSTILE.replace("\0", ""))
    assert list(seen["certificate_days_left"]) == [HOSTILE.replace("\x00", "\ufffd")]
