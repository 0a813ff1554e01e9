# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order vantages look, and that each one is really the one that it is called."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAY = f"""
- hosts: matrix
  gather_facts: false
  vars_files: [{ROOT}/roles/verify/vars/main.yml]
  tasks:
    - ansible.builtin.debug: {{msg: "{{{{ _verify_vantages }}}}"}}
"""
HOSTS = {
    "matrix": None,
    "far": None,
    "near": None,
    "here": {"ansible_connection": "local"},
}


@pytest.mark.parametrize(
    ("given", "order"),
    [
        pytest.param("localhost", ["localhost"], id="one"),
        pytest.param(["far", "near"], ["far", "near"], id="as given"),
        pytest.param(["far", "far"], ["far"], id="each once"),
        pytest.param(
            ["localhost", "far"], ["far", "localhost"], id="who has a connection of his own, last"
        ),
        pytest.param(["here", "far"], ["far", "here"], id="also by the inventory"),
        pytest.param(["localhost", "stranger"], ["stranger", "localhost"], id="no such host"),
    ],
)
def test_order(given: object, order: list[str], tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(PLAY)
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": HOSTS}}))
    done = subprocess.run(
        [
            *("ansible-playbook", "--inventory", str(tmp_path / "hosts.json")),
            *("--extra-vars", json.dumps({"verify_vantage": given}), str(tmp_path / "play.yml")),
        ],
        env={
            **os.environ,
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "0",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shown = done.stdout.split("=> ", 1)[1].split("\n\n", 1)[0]
    assert json.loads(shown)["msg"] == order
