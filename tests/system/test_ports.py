# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the vantage exactly the ports of the plan answer, on IPv4 and IPv6, and no other."""

from __future__ import annotations

import json
from pathlib import Path

import jmespath
import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, HOSTNAME, Lab
from conftest import Story

SCAN = (Path(__file__).parent / "scan.py").read_text()
RELAY = 49152
EVERY = (1, 65535)
FAMILIES = [pytest.param(4, id="IPv4"), pytest.param(6, id="IPv6")]


@pytest.fixture(scope="session")
def plan(story: Story, lab: Lab) -> dict[str, set[int]]:
    """Return the ports of the published plan by protocol."""
    assert story.first.status == 0
    assert lab.play("plan").status == 0
    document = json.loads((lab.state / "matrix-reports" / DOMAIN / "plan.json").read_text())
    return {
        protocol: {
            port
            for first, last in jmespath.search(
                f"ports[?protocol=='{protocol}'].[first, last]", document
            )
            for port in range(first, last + 1)
        }
        for protocol in ("tcp", "udp")
    }


@pytest.fixture(scope="session", autouse=True)
def talkative(story: Story, lab: Lab) -> None:
    """Let the host say "port unreachable" as often as it is asked, not once a second."""
    assert story.first.status == 0
    lab.ssh("matrix", "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0")


def scan(
    lab: Lab, address: str, protocol: str, ports: tuple[int, int], together: int, pause: float = 0
) -> set[int]:
    """Return the ports that answer somebody who knocks from the vantage."""
    command = f"python3 - {address} {protocol} {ports[0]} {ports[1]} {together} {pause}"
    return set(map(int, json.loads(lab.ssh("vantage", command, SCAN))))


@pytest.mark.parametrize("family", FAMILIES)
def test_tcp(lab: Lab, plan: dict[str, set[int]], family: int) -> None:
    assert scan(lab, lab.address(HOSTNAME, family), "tcp", EVERY, 16000) == plan["tcp"]


@pytest.mark.parametrize("family", FAMILIES)
def test_no_other_udp_port_answers(lab: Lab, plan: dict[str, set[int]], family: int) -> None:
    assert scan(lab, lab.address(HOSTNAME, family), "udp", EVERY, 16000) <= plan["udp"]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_udp_port_of_the_plan_answers(
    lab: Lab, plan: dict[str, set[int]], family: int
) -> None:
    last = max(plan["udp"])
    asked = [(port, port) for port in sorted(plan["udp"]) if port < RELAY] + [(RELAY, last)]
    address = lab.address(HOSTNAME, family)
    # a kernel says "port unreachable" at most a thousand times a second
    heard = set().union(*(scan(lab, address, "udp", ports, 10, 0.05) for ports in asked))
    assert heard == plan["udp"]
