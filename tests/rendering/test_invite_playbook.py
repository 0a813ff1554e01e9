# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `invite` refuses what is wrong, each in one sentence, and asks no host first."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest
import yaml

BAD: dict[str, tuple[dict[str, object], str]] = {
    "closed": ({"matrix_registration": "closed"}, "nobody registers, with a token or without"),
    "open": (
        {"matrix_registration": "open", "matrix_registration_open_accepted": True},
        "no token is asked for: everybody registers",
    ),
    "uses": ({"uses": -1}, "uses -1 must be at least 1"),
    "past": ({"expires": "2020-12-31"}, "2020-12-31T23:59:59Z is past"),
    "zone": ({"expires": "2099-12-31T12:00:00"}, "must name its time zone"),
    "nonsense": ({"expires": "seven days"}, "expiry 'seven days' must be a duration as 7d"),
    "person": ({"person": "Alice Smith"}, "person 'Alice Smith' must be small letters"),
    "qr": ({"qr": "/nowhere/alice.svg"}, "a directory that does not exist"),
    "cinny": ({"cinny": "cinny.example.com"}, "must be an address as https://"),
}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what one run says; nobody answers under these names, and that must not matter."""
    hosts = {name: variables for name, (variables, _sentence) in BAD.items()}
    everywhere = {"matrix_domain": "example.com", "ansible_host": "nowhere.invalid"}
    inventory = tmp_path_factory.mktemp("invitations") / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"matrix": {"hosts": hosts, "vars": everywhere}}))
    command = ["ansible-playbook", "--inventory", inventory, "homestead.matrix.invite"]
    environment = {**os.environ, "ANSIBLE_FORKS": "2", "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence(output: str, name: str) -> None:
    (line,) = re.findall(rf"^fatal: \[{name}\]: FAILED! => (.*)$", output, re.MULTILINE)
    said = json.loads(line)["msg"]
    assert BAD[name][1] in said
    assert "\n" not in said
