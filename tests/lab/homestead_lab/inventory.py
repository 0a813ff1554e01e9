# Copyright: the homestead.matrix contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's inventory: ordinary variables, like any operator's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from homestead_lab.hosts import host_key
from homestead_lab.services import ACME_DIRECTORY, AUTHORITIES, AUTHORITY_FILES, OFTEN

if TYPE_CHECKING:
    from pathlib import Path

    from homestead_lab.lab import Lab
    from homestead_lab.topology import Host, Subnet

Variables = dict[str, object]


def write(lab: Lab, hosts: dict[str, Host], *, subnet: Subnet) -> Path:
    """Write the inventory of the hosts that run; return its folder."""
    folder = lab.state / "inventory"
    (folder / "group_vars").mkdir(parents=True, exist_ok=True)
    groups: dict[str, dict[str, Variables]] = {}
    for host in hosts.values():
        groups.setdefault(host.group or "others", {})[host.name] = host_variables(
            host, subnet=subnet
        )
    children = {group: {"hosts": members} for group, members in sorted(groups.items())}
    dump(folder / "hosts.json", {"all": {"children": {"lab": {"children": children}}}})
    dump(folder / "group_vars/lab.json", connection(lab))
    if "ns" in hosts:
        dump(folder / "group_vars/matrix.json", settings(hosts, subnet=subnet))
    write_known_hosts(lab, hosts, subnet=subnet)
    return folder


def dump(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")


def write_known_hosts(lab: Lab, hosts: dict[str, Host], *, subnet: Subnet) -> None:
    lines = [f"{subnet.addresses(host)[0]} {host_key(lab, host.name)}" for host in hosts.values()]
    (lab.state / "known_hosts").write_text("\n".join(lines) + "\n")


def host_variables(host: Host, *, subnet: Subnet) -> Variables:
    variables: Variables = {"ansible_host": subnet.addresses(host)[0]}
    if host.domain:
        variables["matrix_domain"] = host.domain
    if host.group == "matrix":
        variables["matrix_addresses"] = subnet.addresses(host)
    if host.image == "vantage":
        variables["ansible_python_interpreter"] = "/opt/vantage/bin/python"
    return variables


def connection(lab: Lab) -> Variables:
    return {
        "ansible_user": "debian",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_private_key_file": str(lab.key),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={lab.state / 'known_hosts'}",
        "ansible_control_path_dir": str(lab.sockets),
    }


def settings(hosts: dict[str, Host], *, subnet: Subnet) -> Variables:
    """Return what an operator sets on a private network with authorities of its own."""
    contact = {"role": "m.role.admin", "email_address": "admin@homestead.test"}
    return {
        "matrix_support": {"contacts": [contact]},
        "certificate_acme_directory": ACME_DIRECTORY,
        "certificate_acme_ca_file": AUTHORITIES,
        "coturn_allowed_peers": [f"{network[0]}-{network[-1]}" for network in subnet.networks],
        "synapse_settings": {
            "ip_range_blacklist": [],
            "federation_ip_range_blacklist": [],
            "federation_custom_ca_list": AUTHORITY_FILES,
            "trusted_key_servers": [],
            "rc_login": dict.fromkeys(("address", "account"), OFTEN),
        },
        "verify_vantage": "vantage",
        "verify_ca_file": AUTHORITIES,
        "verify_nameservers": [subnet.addresses(hosts["ns"])[0]],
        "verify_allow_private": subnet.ranges,
    }
