# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets are born on the host and stay there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from canaries import HOMES, on_controller, on_host, read_by_others, seen
from conftest import Story
from members import GIVEN, MADE

COLLECT = """
import json, pathlib
folders = map(pathlib.Path, ("/etc/homestead/secrets", "/var/lib/homestead/passwords"))
found = {str(p): p.read_text().strip() for folder in folders for p in folder.iterdir()}
for key in pathlib.Path("/var/lib/matrix-synapse").glob("*signing.key"):
    found[str(key)] = key.read_text().split()[2]
for key in pathlib.Path("/etc/homestead/tls").glob("*/privkey.pem"):
    found[str(key)] = key.read_text().splitlines()[1]
print(json.dumps(found))
"""


@pytest.fixture(scope="session")
def secrets(story: Story, lab: Lab) -> dict[str, str]:
    assert story.first.status == 0
    found: dict[str, str] = json.loads(lab.ssh("matrix", "python3 -", COLLECT))
    assert {Path(name).name for name in found} >= {"turn", "privkey.pem", *MADE}
    assert any(name.endswith("signing.key") for name in found)
    return {**found, **{name: password.split()[0] for name, password in GIVEN.items()}}


def test_no_output_shows_a_secret(story: Story, secrets: dict[str, str]) -> None:
    shown = {run: seen(done.output, secrets) for run, done in story.runs.items()}
    assert not any(shown.values()), shown


def test_no_command_line_shows_a_secret(story: Story, secrets: dict[str, str]) -> None:
    assert "ansible-playbook" in story.command_lines
    assert "--require-hashes" in story.command_lines
    assert seen(story.command_lines, secrets) == set()


def test_no_secret_stays_on_the_controller(lab: Lab, secrets: dict[str, str]) -> None:
    assert on_controller(lab, secrets) == set()


def test_the_journal_shows_no_secret(lab: Lab, secrets: dict[str, str]) -> None:
    journal = lab.ssh("matrix", "journalctl --no-pager --output=cat")
    assert seen(journal, secrets) == set()


def test_on_the_host_secrets_are_only_where_they_belong(lab: Lab, secrets: dict[str, str]) -> None:
    """Neither in logs, processes and leftovers, nor where others may read."""
    found = on_host(lab, "matrix", secrets)
    assert found >= {name for name in secrets if name.startswith(("/etc/homestead/", "/var/"))}
    assert {file for file in found if not file.startswith(HOMES)} == set()
    assert read_by_others(lab, "matrix", found) == set()


def test_secrets_are_readable_by_root_only(lab: Lab, secrets: dict[str, str]) -> None:
    assert secrets
    places = "/etc/homestead/secrets /var/lib/homestead/passwords"
    modes = lab.ssh("matrix", f"find {places} -printf '%m %u %p\\n'")
    assert {line.split()[0] for line in modes.splitlines()} <= {"700", "600"}
    assert {line.split()[1] for line in modes.splitlines()} == {"root"}
