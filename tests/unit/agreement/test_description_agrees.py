# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands twice must agree: documentation, defaults, tables, the example."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.homestead.matrix.plugins.module_utils.host import judging as host
from ansible_collections.homestead.matrix.plugins.module_utils.service.arguments import (
    ARGUMENTS as SERVICE,
)
from ansible_collections.homestead.matrix.plugins.modules import host as host_module
from ansible_collections.homestead.matrix.plugins.plugin_utils.description import components, jitsi
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.description import (
    DEFAULTS,
    read_description,
    variable,
)

ROOT = Path(__file__).parents[3]
# Said by the role only: what they are on another host or in another inventory is unknown here.
OF_THE_ROLE = {"hostname", "ssh_port", "report_dir"}


# The documentation cannot hold these as values: one is required, one comes from Ansible.
SAID_IN_WORDS = {"matrix_domain": "", "matrix_ssh_port": "{{ ansible_port | default(22) }}"}


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


REAL = load("roles/matrix/defaults/main.yml")
SPECS = load("roles/matrix/meta/argument_specs.yml")["argument_specs"]
OPTIONS = SPECS["main"]["options"]
MODULE_OPTIONS = yaml.safe_load(host_module.DOCUMENTATION)["options"]
CHOICES = {
    "matrix_registration": components.REGISTRATIONS,
    "matrix_reverse_proxy": tuple(components.REVERSE_PROXIES),
    "matrix_firewall": tuple(components.FIREWALLS),
    "matrix_certificate": components.CERTIFICATES,
    "matrix_private_access": components.PRIVATE_ACCESS,
    "matrix_retired_data": tuple(SERVICE["retired_data"]["choices"]),
    "jitsi_authentication": jitsi.AUTHENTICATIONS,
}


def test_every_variable_is_documented_and_has_a_default() -> None:
    assert list(OPTIONS) == list(REAL)


@pytest.mark.parametrize("name", OPTIONS)
def test_documented_defaults_are_the_real_ones(name: str) -> None:
    option = OPTIONS[name]
    assert REAL[name] == SAID_IN_WORDS.get(name, option.get("default"))


@pytest.mark.parametrize("name", OPTIONS)
def test_every_description_is_a_sentence(name: str) -> None:
    description = OPTIONS[name]["description"]
    sentences = [description] if isinstance(description, str) else description
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in sentences)


@pytest.mark.parametrize("name", OPTIONS)
def test_choices_are_those_of_the_table(name: str) -> None:
    assert tuple(OPTIONS[name].get("choices", ())) == CHOICES.get(name, ())


def test_the_components_that_can_be_set_up_are_those_with_a_role() -> None:
    said = re.findall(r"V\((\w+)\)", " ".join(OPTIONS["matrix_components"]["description"]))
    assert said == list(components.optional())


def test_the_plan_takes_the_same_variables() -> None:
    assert SPECS["plan"]["options"] == OPTIONS


def test_the_role_gives_every_variable_to_the_filter() -> None:
    expression = load("roles/matrix/vars/main.yml")["matrix_site"]
    assert all(f"{name}={variable(name)}" in expression for name in DEFAULTS)


@pytest.mark.parametrize("name", sorted({*DEFAULTS} - OF_THE_ROLE))
def test_defaults_of_the_filter_are_those_of_the_role(name: str) -> None:
    assert REAL[variable(name)] == DEFAULTS[name]


def test_the_host_module_documents_its_arguments() -> None:
    undocumented = [
        {key: value for key, value in option.items() if key != "description"}
        for option in MODULE_OPTIONS.values()
    ]
    assert dict(zip(MODULE_OPTIONS, undocumented)) == host_module.ARGUMENTS


@pytest.mark.parametrize("name", ["minimum_memory_mb", "minimum_disk_mb"])
def test_defaults_of_the_host_module_are_those_of_the_role(name: str) -> None:
    assert MODULE_OPTIONS[name]["default"] == REAL[f"matrix_{name}"]


def test_supported_releases_are_those_of_the_roles_platform() -> None:
    names = {"bookworm": "12", "trixie": "13"}
    (platform,) = load("roles/matrix/meta/main.yml")["galaxy_info"]["platforms"]
    assert [names[version] for version in platform["versions"]] == list(host.SUPPORTED)


def test_every_role_of_the_table_exists() -> None:
    roles = {row.role for row in components.COMPONENTS.values()}
    assert all((ROOT / "roles" / role).is_dir() for role in roles)


def test_the_example_inventory_is_valid() -> None:
    given = load("inventory.example/group_vars/matrix.yml")
    assert set(given) <= set(OPTIONS)
    names = {name: variable(name) for name in DEFAULTS}
    inputs = {name: given[key] for name, key in names.items() if key in given}
    assert read_description(given["matrix_domain"], inputs).support == given["matrix_support"]


def test_the_example_has_both_groups() -> None:
    assert set(load("inventory.example/hosts.yml")) == {"matrix", "base_domain"}


def test_the_readme_has_the_tables() -> None:
    spec = importlib.util.spec_from_file_location("tables", ROOT / "tests/readme_tables.py")
    assert spec is not None
    assert spec.loader is not None
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert tables.written(readme) == readme, "run tests/readme_tables.py"
