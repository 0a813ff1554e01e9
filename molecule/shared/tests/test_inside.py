# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only somebody on the server can see."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from testinfra.host import Host

UNITS = ["coturn", "matrix-synapse", "nginx"]
# Each firewall's unit, and the table that holds its rules.
FIREWALLS = {
    "nftables": ("homestead-firewall", "table inet homestead"),
    "ufw": ("ufw", "table ip filter"),
    "firewalld": ("firewalld", "table inet firewalld"),
}
FROM_OUTSIDE = ["0.0.0.0:80", "0.0.0.0:443", "0.0.0.0:8448", ":::80", ":::443", ":::8448"]
FROM_INSIDE = ["127.0.0.1:8008"]


def given(host: Host) -> dict[str, Any]:
    """Return what the scenario says about this host alone."""
    scenario = Path(__file__).parents[2] / os.environ["MOLECULE_SCENARIO_NAME"] / "molecule.yml"
    inventory = yaml.safe_load(scenario.read_text(encoding="utf-8"))["provisioner"]["inventory"]
    variables: dict[str, Any] = inventory.get("host_vars", {}).get(host.backend.get_hostname(), {})
    return variables


def server_name(host: Host) -> str:
    return str(host.ansible.get_variables()["matrix_domain"])


@pytest.mark.parametrize("name", UNITS)
def test_unit_runs_now_and_after_a_restart(host: Host, name: str) -> None:
    unit = host.service(name)
    assert unit.is_running
    assert unit.is_enabled


def test_database_runs_now_and_after_a_restart(host: Host) -> None:
    clusters = "list-units --state=running --no-legend --plain postgresql@*-main.service"
    assert host.check_output(f"systemctl {clusters}") != ""
    assert host.service("postgresql").is_enabled


def test_no_unit_failed(host: Host) -> None:
    assert host.check_output("systemctl --failed --no-legend --plain") == ""


@pytest.mark.parametrize("address", FROM_OUTSIDE + FROM_INSIDE)
def test_port_listens(host: Host, address: str) -> None:
    assert host.socket(f"tcp://{address}").is_listening


def test_synapse_listens_inside_only(host: Host) -> None:
    assert not host.socket("tcp://0.0.0.0:8008").is_listening
    assert not host.socket("tcp://:::8008").is_listening


def test_database_has_no_port(host: Host) -> None:
    listening = host.check_output("ss --no-header --listening --tcp --numeric")
    exposed = [line for line in listening.splitlines() if ":5432" in line]
    assert all("127.0.0.1" in line or "[::1]" in line for line in exposed)


def test_secrets_are_for_root(host: Host) -> None:
    folder = host.file("/etc/homestead/secrets")
    assert (folder.user, folder.mode) == ("root", 0o700)
    names = folder.listdir()
    assert names
    for name in names:
        secret = host.file(f"/etc/homestead/secrets/{name}")
        assert (secret.user, secret.mode) == ("root", 0o600)


def test_key_of_the_certificate_is_for_its_readers(host: Host) -> None:
    key = host.file(f"/etc/homestead/tls/matrix.{server_name(host)}/privkey.pem")
    assert (key.user, key.group, key.mode) == ("root", "homestead-tls", 0o640)


def test_certificate_will_be_renewed(host: Host) -> None:
    assert host.service("homestead-certificate.timer").is_enabled
    assert host.service("homestead-certificate.timer").is_running


def test_configuration_of_synapse_is_not_for_everybody(host: Host) -> None:
    assert host.file("/etc/matrix-synapse/homeserver.yaml").mode & 0o007 == 0


def test_server_name_is_remembered(host: Host) -> None:
    recorded = host.file("/var/lib/homestead/server_name").content_string
    assert server_name(host) in recorded


def test_document_for_clients_names_this_server(host: Host) -> None:
    document = json.loads(host.file("/var/lib/homestead/well-known/client").content_string)
    base_url = f"https://matrix.{server_name(host)}"
    assert document["m.homeserver"] == {"base_url": base_url}


def test_relay_ports_are_not_given_to_others(host: Host) -> None:
    assert host.sysctl("net.ipv4.ip_local_reserved_ports") == "49152-49573"


def test_the_chosen_firewall_filters_and_no_other(host: Host) -> None:
    chosen = given(host).get("matrix_firewall", "nftables")
    tables = host.check_output("nft list tables")
    for name, (unit, table) in FIREWALLS.items():
        filters = table in tables and host.run(f"systemctl is-active {unit}").rc == 0
        assert filters == (name == chosen)
