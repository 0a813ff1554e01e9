# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that Docker publishes past a closed firewall are seen, planned for and warned of."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from nat_host import PUBLISH, NatHost

LISTED = [
    {"protocol": "tcp", "first": 8088, "last": 8088, "to": "172.17.0.2:80"},
    {"protocol": "udp", "first": 7000, "last": 7001, "to": "172.17.0.2:7000-7001"},
]
# The host is bare: it has no server and no credentials, and only its ports are looked at.
BARE = {"verify_vantage": "localhost", "verify_ca_file": "", "verify_fail_on": "never"}


@pytest.fixture(scope="module", params=["12", "13"])
def host(request: pytest.FixtureRequest) -> Iterator[NatHost]:
    host = NatHost.made(request.param)
    yield host
    host.down()


def connects(host: NatHost, port: int) -> bool:
    """Whether a stranger gets a connection."""
    with socket.socket() as stranger:
        stranger.settimeout(3)
        return stranger.connect_ex((host.host_address("matrix"), port)) == 0


ONE_RELEASE = pytest.mark.parametrize("host", ["13"], indirect=True)
"""For what playbooks make of the answer, which is the same on each release."""


@pytest.mark.parametrize("way", PUBLISH)
def test_a_published_port_passes_the_firewall(host: NatHost, way: str) -> None:
    host.publish(way)
    assert connects(host, 8088)
    assert not connects(host, 8089)


@pytest.mark.parametrize("way", PUBLISH)
def test_the_host_tells_what_is_published(host: NatHost, way: str) -> None:
    host.publish(way)
    assert host.look()["published"] == LISTED


@ONE_RELEASE
def test_the_plan_says_so(host: NatHost) -> None:
    host.publish("iptables")
    said = host.said("plan")
    assert "Ports that Docker publishes past the firewall\n  8088/tcp to 172.17.0.2:80." in said
    assert host.report("plan")["published"] == LISTED


@ONE_RELEASE
def test_the_plan_is_quiet_where_nobody_may_look(host: NatHost) -> None:
    said = host.said("plan", ansible_user="nobody")
    assert "failed=0" in said
    assert host.report("plan")["published"] is None


@ONE_RELEASE
def test_the_verifier_says_so(host: NatHost) -> None:
    host.publish("iptables")
    host.said("verify", **BARE)
    findings = [item for item in host.report("report")["findings"] if "published" in item["id"]]
    assert [(item["id"], item["verdict"]) for item in findings] == [
        ("ports.published.tcp-8088", "warning"),
        ("ports.published.udp-7000", "info"),
    ]


@ONE_RELEASE
def test_a_port_that_the_description_opens_is_no_fault(host: NatHost) -> None:
    host.publish("iptables")
    wanted = [{"protocol": "tcp", "first": 8088}, {"protocol": "udp", "first": 7000, "last": 7001}]
    said = host.said("plan", firewall_extra_ports=wanted)
    assert "Ports that Docker publishes past the firewall\n" not in said
    assert host.report("plan")["published"] == []
