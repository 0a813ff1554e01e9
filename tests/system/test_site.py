# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook tells the truth before, makes the server, and then has nothing left to do."""

from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from conftest import Story

HOSTS = ("matrix", "base")


def test_dry_run_on_the_bare_host_succeeds_and_foretells_changes(story: Story) -> None:
    assert story.dry_run_before.status == 0, story.dry_run_before.output[-8000:]
    assert story.dry_run_before.recap("matrix")["changed"] >= 7


def test_dry_run_foretells_every_change_of_the_first_run(story: Story) -> None:
    for host in HOSTS:
        foretold = story.dry_run_before.recap(host)["changed"]
        assert foretold == story.first.recap(host)["changed"]


def test_first_run_makes_a_verified_server(story: Story) -> None:
    assert story.first.status == 0, story.first.output[-8000:]


def test_on_a_bare_host_nothing_of_anybody_else_is_in_the_way(story: Story) -> None:
    """What Debian's packages bring is theirs and ours to replace, so no warning names it."""
    assert not [run for run in story.runs.values() if "written by somebody else" in run.output]


@pytest.mark.parametrize("host", HOSTS)
def test_second_run_changes_nothing(story: Story, host: str) -> None:
    assert story.second.status == 0, story.second.output[-8000:]
    assert story.second.recap(host)["changed"] == 0


@pytest.mark.parametrize("host", HOSTS)
def test_dry_run_on_the_finished_host_foretells_nothing(story: Story, host: str) -> None:
    assert story.dry_run_after.status == 0, story.dry_run_after.output[-8000:]
    assert story.dry_run_after.recap(host)["changed"] == 0


def test_nobody_can_take_the_name_of_the_administrator(story: Story, lab: Lab) -> None:
    assert story.first.status == 0
    address = "http://127.0.0.1:8008/_matrix/client/v3/register/available?username=homestead-admin"
    code = f"import urllib.request; urllib.request.urlopen({address!r})"
    refused = lab.shell("matrix", f'python3 -c "{code}" 2>&1 || true')
    assert "400" in refused


def test_every_unit_runs(story: Story, lab: Lab) -> None:
    assert story.first.status == 0
    assert lab.ssh("matrix", "systemctl --failed --no-legend --plain").strip() == ""
