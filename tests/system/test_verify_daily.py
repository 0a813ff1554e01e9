# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vantage verifies the server by itself every day, until it shall no longer."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, Lab
from ansible_collections.homestead.matrix.tests.lab.runs import Run
from conftest import Story
from prometheus_client.parser import text_string_to_metric_families

UNIT = f"homestead-verify-{DOMAIN}"
METRICS = f"/var/lib/prometheus/node-exporter/homestead_matrix_{DOMAIN}.prom"
LEFT = "find /etc /usr/local /var/lib -name '*homestead*' -not -path /var/lib/homestead"
ON = ("--extra-vars", '{"verify_daily": true}', "--diff")


@dataclass(frozen=True)
class Daily:
    """What an operator did, in order."""

    foretold: Run
    first: Run
    second: Run
    before: str


@pytest.fixture(scope="module")
def daily(story: Story, lab: Lab) -> Daily:
    assert story.second.status == 0
    before = lab.ssh("vantage", LEFT)
    foretold, first, second = (lab.play("verify", *ON, *more) for more in (["--check"], [], []))
    return Daily(foretold, first, second, before)


def test_each_run_tells_what_it_changes(daily: Daily) -> None:
    runs = (daily.foretold, daily.first, daily.second)
    assert [run.status for run in runs] == [0, 0, 0], daily.first.output[-8000:]
    assert [run.recap("matrix")["changed"] for run in runs] == [1, 1, 0]


def test_the_timer_waits_for_tomorrow(daily: Daily, lab: Lab) -> None:
    assert daily.first.status == 0
    assert lab.ssh("vantage", f"systemctl is-enabled {UNIT}.timer").strip() == "enabled"
    assert lab.ssh("vantage", f"systemctl is-active {UNIT}.timer").strip() == "active"


def test_a_run_writes_what_was_found(daily: Daily, lab: Lab) -> None:
    assert daily.first.status == 0
    lab.ssh("vantage", f"systemctl start {UNIT}.service")
    report = json.loads(lab.ssh("vantage", f"cat /var/lib/{UNIT}/report.json"))
    assert report["vantages"] == ["vantage"]
    assert (report["summary"]["error"], report["summary"]["warning"]) == (0, 0)
    text = lab.ssh("vantage", f"runuser -u nobody -- cat {METRICS}")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    counted = {
        sample.labels["verdict"]: sample.value
        for sample in families["homestead_matrix_findings"].samples
    }
    assert counted == report["summary"]
    assert families["homestead_matrix_certificate_days_left"].samples


def test_its_files_hold_no_secret(daily: Daily, lab: Lab) -> None:
    assert daily.first.status == 0
    secret = lab.ssh("matrix", "cat /etc/homestead/secrets/turn").strip()
    assert len(secret) >= 32
    places = f"/etc/homestead /usr/local/lib/homestead-verify /var/lib/{UNIT}"
    assert secret not in lab.ssh("vantage", f"grep -r . {places}")


def test_nothing_stays_when_it_is_off(daily: Daily, lab: Lab) -> None:
    assert daily.second.status == 0
    off, again = lab.play("verify"), lab.play("verify")
    assert (off.status, again.status) == (0, 0), off.output[-8000:]
    assert off.recap("matrix")["changed"] == 2
    assert again.recap("matrix")["changed"] == 0
    assert lab.ssh("vantage", LEFT) == daily.before
    assert UNIT not in lab.ssh("vantage", "systemctl list-units --all --no-legend")
