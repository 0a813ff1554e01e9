# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order vantages look, and that each one is really the one that it is called."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

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


def played(folder: Path, play: str, hosts: object, **variables: object) -> str:
    """Return what a playbook says of these hosts of the group `matrix`."""
    (folder / "play.yml").write_text(play)
    (folder / "hosts.json").write_text(json.dumps({"matrix": {"hosts": hosts}}))
    done = subprocess.run(
        [
            *("ansible-playbook", "--inventory", str(folder / "hosts.json")),
            *("--extra-vars", json.dumps(variables), str(folder / "play.yml")),
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
    return done.stdout


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
    said = played(tmp_path, PLAY, HOSTS, verify_vantage=given)
    shown = said.split("=> ", 1)[1].split("\n\n", 1)[0]
    assert json.loads(shown)["msg"] == order


@pytest.mark.parametrize(
    ("host", "given", "looked_at"),
    [
        pytest.param("matrix", {}, {"own": "matrix"}, id="a server of the inventory"),
        pytest.param("localhost", {}, {"own": "localhost"}, id="this machine is one"),
        pytest.param(
            "localhost", {"matrix_domain": "example.org"}, {"any": "localhost"}, id="another server"
        ),
    ],
)
def test_whose_server_is_looked_at(
    host: str, given: dict[str, str], looked_at: dict[str, str], tmp_path: Path
) -> None:
    plays = yaml.safe_load((ROOT / "playbooks/verify.yml").read_text())
    for name, play in zip(("own", "any"), plays):
        assert "roles" not in play, "their defaults would be defined where hosts are chosen"
        task = {
            "name": name,
            "ansible.builtin.debug": {"msg": f"{name} {{{{ inventory_hostname }}}}"},
        }
        play.update(become=False, tasks=[task])
    said = played(tmp_path, json.dumps(plays), {host: {"ansible_connection": "local"}}, **given)
    assert dict(re.findall(r'"(own|any) (\S+)"', said)) == looked_at
