# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose operator has reserved ports: theirs and those of the relay hold, live and later."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import ROOT, Lab

sys.path.append(str(ROOT / "tests/rendering"))

from nginx_rendering import Role, described

UNIT = Path("homestead-relay.service")
OWN = "net.ipv4.ip_local_reserved_ports = 8080,9148\n"
BOTH = "8080,9148,49152-49573"


@pytest.fixture(scope="module")
def host() -> Iterator[Lab]:
    """Start a host with a file that comes after all others."""
    lab = Lab("reserved")
    lab.up(topology=ROOT / "tests/firewall/topology.toml", only=("server",))
    lab.write("server", "/etc/sysctl.d/99-own.conf", OWN)
    lab.run("server", "sysctl", "--quiet", "--load=/etc/sysctl.d/99-own.conf")
    lab.shell("server", "mkdir -p /etc/homestead; echo 'table inet x' >/etc/homestead/relay.nft")
    role = Role("coturn", matrix_site=described(), matrix_host={"release": "13"})
    lab.write("server", f"/etc/systemd/system/{UNIT}", role.render(f"{UNIT}.j2"))
    lab.run("server", "systemctl", "enable", "--now", str(UNIT))
    yield lab
    lab.down()


def reserved(lab: Lab) -> str:
    return lab.read("server", "/proc/sys/net/ipv4/ip_local_reserved_ports").strip()


def test_both_are_reserved_now_and_after_a_boot(host: Lab) -> None:
    assert reserved(host) == BOTH
    host.reboot("server")
    assert reserved(host) == BOTH
