# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `plan` for many servers at once, good and bad ones, without any of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
ADMIN = {"role": "m.role.admin", "matrix_id": "@admin:example.com"}
GOOD: dict[str, dict[str, object]] = {
    "one.example": {},
    "two.example": {
        "matrix_hostname": "two.example",
        "matrix_well_known_client": {"io.element.e2ee": {"default": True}},
        "ansible_port": 2222,
    },
    "three.example": {"matrix_support": {"contacts": [ADMIN]}, "matrix_hostname": "m.host.example"},
}
BAD: dict[str, tuple[dict[str, object], str]] = {
    "no domain": ({"matrix_domain": ""}, "matrix_domain is not set"),
    "scheme": ({"matrix_domain": "https://a.example"}, "has the scheme https://"),
    "port": ({"matrix_domain": "a.example:8448"}, "has a port; write only the name, a.example"),
    "path": ({"matrix_domain": "a.example/"}, "has a path"),
    "upper case": ({"matrix_domain": "A.example"}, "has upper-case letters"),
    "non-ASCII": ({"matrix_domain": "ä.example"}, "has letters that are not ASCII"),
    "host with scheme": ({"matrix_hostname": "https://m.a.example"}, "matrix_hostname 'https://"),
    "host with port": ({"matrix_hostname": "m.a.example:443"}, "write only the name, m.a.example"),
    "component": (
        {"matrix_components": ["jitsy"]},
        "the unknown component 'jitsy'; choose from jitsi,",
    ),
    "component twice": ({"matrix_components": ["jitsi", "jitsi"]}, "'jitsi' 2 times; list it once"),
    "proxy": ({"matrix_reverse_proxy": "lighttpd"}, "matrix_reverse_proxy must be one of: nginx"),
    "firewall": (
        {"matrix_firewall": "iptables"},
        "matrix_firewall must be one of: nftables, ufw, firewalld, none",
    ),
    "mode": ({"matrix_registration": "token"}, "matrix_registration must be one of: invite"),
    "no role": ({"matrix_support": {"contacts": [{"matrix_id": "@a:b.example"}]}}, "has no role"),
    "no way": (
        {"matrix_support": {"contacts": [{"role": "m.role.admin"}]}},
        "neither a matrix_id nor an email_address",
    ),
    "Matrix ID": (
        {"matrix_support": {"contacts": [{**ADMIN, "matrix_id": "admin"}]}},
        "'admin' is not a Matrix ID like @user:example.com",
    ),
    "e-mail": (
        {"matrix_support": {"contacts": [{**ADMIN, "email_address": "a b"}]}},
        "'a b' is not an e-mail address like admin@example.com",
    ),
    "page": (
        {"matrix_support": {"contacts": [ADMIN], "support_page": "javascript:x"}},
        "matrix_support: The document: the support page 'javascript:x' is not served by https",
    ),
    "collision": ({"matrix_ssh_port": 443}, "matrix_ssh_port 443/tcp (SSH) collides with 443/tcp"),
}


def run_plan(inventory: Path, reports: Path) -> str:
    """Run the playbook; nobody answers under these names, and that must not matter."""
    command = ["ansible-playbook", "--inventory", inventory, "homestead.matrix.plan"]
    extra = ["--extra-vars", json.dumps({"matrix_report_dir": str(reports)})]
    environment = {**os.environ, "ANSIBLE_FORKS": "2", "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(
        [*command, *extra], env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def output(reports: Path) -> str:
    """Return what one run says about all servers."""
    hosts: dict[str, Any] = {
        name: {"matrix_domain": name, **variables} for name, variables in GOOD.items()
    }
    for name, (variables, _sentence) in BAD.items():
        hosts[name.replace(" ", "_")] = {"matrix_domain": "bad.example", **variables}
    hosts["undefined"] = {"matrix_domain": "bad.example", "matrix_addresses": "{{ nowhere }}"}
    inventory = reports / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"matrix": {"hosts": hosts}}), encoding="utf-8")
    return run_plan(inventory, reports)


@pytest.mark.parametrize("name", GOOD)
def test_a_plan_is_written_in_its_documented_form(output: str, reports: Path, name: str) -> None:
    planned = json.loads((reports / name / "plan.json").read_text(encoding="utf-8"))
    jsonschema.validate(planned, json.loads((ROOT / "docs/plan.schema.json").read_text()))
    assert f"Plan for {name} on {planned['hostname']}" in output


@pytest.mark.parametrize("name", GOOD)
def test_a_host_that_is_not_there_is_quietly_left_out(
    output: str, reports: Path, name: str
) -> None:
    planned = json.loads((reports / name / "plan.json").read_text(encoding="utf-8"))
    assert planned["published"] is None
    assert f"fatal: [{name}]" not in output
    assert "[WARNING]" not in output


def test_ssh_is_where_the_inventory_says(output: str, reports: Path) -> None:
    planned = json.loads((reports / "two.example/plan.json").read_text(encoding="utf-8"))
    assert (planned["ports"][0]["first"], planned["redirects"]) == (2222, [])
    assert "2222/tcp" in output


def test_the_client_document_has_the_operators_own_keys(output: str, reports: Path) -> None:
    planned = json.loads((reports / "two.example/plan.json").read_text(encoding="utf-8"))
    homeserver = {"m.homeserver": {"base_url": "https://two.example"}}
    document = {**homeserver, "io.element.e2ee": {"default": True}}
    assert planned["well_known"]["client"] == planned["expectations"]["well_known"]["client"]
    assert planned["well_known"]["client"] == document
    assert "two.example" in output


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_description_is_refused_in_plain_words(output: str, name: str) -> None:
    host = name.replace(" ", "_")
    (line,) = re.findall(rf"^fatal: \[{host}(?: -> localhost)?\].*$", output, re.MULTILINE)
    said = json.loads(line[line.index("{") :])["msg"]
    assert BAD[name][1] in said
    alone = said.removeprefix("Validation of arguments failed:\n")
    assert alone.startswith(("matrix_", "value of matrix_"))


def test_any_other_fault_is_left_to_ansible(output: str) -> None:
    (line,) = re.findall(r"^fatal: \[undefined\].*$", output, re.MULTILINE)
    assert "'nowhere' is undefined" in line


def test_nothing_is_written_for_a_wrong_description(output: str, reports: Path) -> None:
    assert output
    assert not (reports / "bad.example").exists()


def test_the_example_inventory_can_be_planned(tmp_path: Path) -> None:
    said = run_plan(ROOT / "inventory.example", tmp_path)
    assert "failed=0" in said
    assert (tmp_path / "example.com/plan.json").is_file()
