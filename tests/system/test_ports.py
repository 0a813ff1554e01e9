# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the vantage exactly the ports of the plan answer, on IPv4 and IPv6, and no other."""

from __future__ import annotations

import json

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, HOSTNAME, Lab
from conftest import Story
from ports_outside import EVERY, RELAY, be_talkative, numbers, scan

FAMILIES = [pytest.param(4, id="IPv4"), pytest.param(6, id="IPv6")]


@pytest.fixture(scope="session")
def plan(story: Story, lab: Lab) -> dict[str, set[int]]:
    """Return the ports of the published plan by protocol."""
    assert story.first.status == 0
    assert lab.play("plan").status == 0
    document = json.loads((lab.state / "matrix-reports" / DOMAIN / "plan.json").read_text())
    return {protocol: numbers(document["ports"], protocol) for protocol in ("tcp", "udp")}


@pytest.fixture(scope="session", autouse=True)
def talkative(story: Story, lab: Lab) -> None:
    """Let the host say "port unreachable" as often as it is asked, not once a second."""
    assert story.first.status == 0
    be_talkative(lab)


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
