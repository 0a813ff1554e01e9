# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role writes for each firewall, and a network in which programs may judge it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.openings import PORTLESS
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.components import (
    COMPONENTS,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.ports import (
    component_ports,
    read_extra,
)

ROLE = Path(__file__).parents[2] / "roles/firewall"
BASE = [name for name, row in COMPONENTS.items() if not row.optional]
OPTIONAL = [name for name in COMPONENTS if name not in BASE]
SETS = {
    "none": [],
    **{name: [name] for name in OPTIONAL},
    "all": OPTIONAL,
    "protocols": list(PORTLESS),
}
OWN_NETWORK = ["unshare", "--map-root-user", "--net"]
SOURCES = ("192.0.2.7/32", "198.51.100.0/24", "2001:db8::/32")
Rows = list[dict[str, Any]]
Rules = dict[str, dict[str, str]]


def rows(components: list[str], *, sources: tuple[str, ...] = (), ssh_port: int = 22) -> Rows:
    """Return the ports of components, and protocols without ports, as the firewall role gets them.

    Protocol 41, IPv6 in IPv4, comes over IPv4 only.
    """
    named = [name for name in components if name not in PORTLESS]
    extra = [
        {"protocol": name, "purpose": f"All {name}"} for name in components if name in PORTLESS
    ]
    found = [
        *component_ports([*BASE, *named], ssh_port=ssh_port),
        *read_extra("firewall_extra_ports", extra),
    ]
    four = tuple(source for source in sources if ":" not in source)
    return [
        dict(replace(port, sources=four if port.protocol == "ipv6" else sources).as_dict())
        for port in found
    ]


ODD = [{**rows([])[0], "purpose": "Größe <&> -- 100% of 'it' #"}]


def rendered(firewall: str, table: Rows, *, rate: int = 0) -> Rules:
    """Return the texts that the role gives to the module, filled in as Ansible does."""
    loader = DataLoader()
    loader.set_basedir(str(ROLE))
    variables = {
        **loader.load_from_file(str(ROLE / "vars/main.yml"), trusted_as_template=True),
        "matrix_firewall": firewall,
        "matrix_site": {"ports": table, "ssh_rate_limit": rate},
        "ansible_search_path": [str(ROLE)],
    }
    templar = Templar(loader=loader, variables=variables)
    found: Rules = templar.template(trust_as_template("{{ _firewall_backend.rules }}"))
    return found


def in_own_network(script: str, *, rules: str) -> str:
    """Run a shell line in a network of its own; the rules are its input."""
    done = subprocess.run(
        [*OWN_NETWORK, "sh", "-ec", script],
        input=rules,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
