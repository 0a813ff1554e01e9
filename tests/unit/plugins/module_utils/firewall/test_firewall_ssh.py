# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.openings import parse
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.ssh import (
    SshSession,
    configured_ports,
    lockout,
    session,
)


@pytest.mark.parametrize(
    ("text", "client", "port"),
    [
        pytest.param("192.0.2.1 40000 192.0.2.2 22", "192.0.2.1", 22, id="IPv4"),
        pytest.param("2001:db8::1 40000 2001:db8::2 2222", "2001:db8::1", 2222, id="IPv6"),
        pytest.param("fe80::1%eth0 40000 fe80::2%eth0 22", "fe80::1", 22, id="link-local"),
        pytest.param("::ffff:192.0.2.1 4 ::ffff:192.0.2.2 22", "192.0.2.1", 22, id="IPv4 in IPv6"),
    ],
)
def test_session(text: str, client: str, port: int) -> None:
    assert session(text) == SshSession(client=ip_address(client), port=port)


def test_no_session_without_ssh() -> None:
    assert session("") is None


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        pytest.param("port 22\nlistenaddress [::]:22\nlistenaddress 0.0.0.0:22\n", [22], id="sshd"),
        pytest.param(
            "port 22\nlistenaddress 10.0.0.1:2222\nlistenaddress 10.0.0.1:22\n",
            [22, 2222],
            id="two ports",
        ),
        pytest.param("ActiveState=active\nListen=[::]:2200 (Stream)\n", [2200], id="ssh.socket"),
        pytest.param("", [], id="no sshd"),
    ],
)
def test_configured_ports(text: str, ports: list[int]) -> None:
    assert configured_ports(text) == ports


def _rows(*ports: int, sources: tuple[str, ...] = (), protocol: str = "tcp") -> list[Any]:
    return [
        parse({"protocol": protocol, "first": p, "last": p, "purpose": "SSH", "sources": sources})
        for p in ports
    ]


HERE = SshSession(client=ip_address("192.0.2.1"), port=22)


@pytest.mark.parametrize(
    ("ports", "current", "configured", "reason"),
    [
        pytest.param(_rows(22), HERE, [22], "", id="open to all"),
        pytest.param(_rows(22), HERE, [22, 2222], "", id="one of sshd's two ports is enough"),
        pytest.param(_rows(22, sources=("192.0.2.0/24",)), HERE, [22], "", id="named"),
        pytest.param(_rows(22), None, [22], "", id="no ssh connection"),
        pytest.param(_rows(22), None, [], "", id="no sshd"),
        pytest.param(
            _rows(2222), HERE, [22], "this very connection: ssh listens on tcp 22", id="port"
        ),
        pytest.param(_rows(22, protocol="udp"), HERE, [22], "this very connection", id="udp"),
        pytest.param([], HERE, [22], "this very connection", id="nothing open"),
        pytest.param(
            _rows(22, sources=("198.51.100.0/24", "2001:db8::/32")),
            HERE,
            [22],
            "do not open tcp 22 to this controller, 192.0.2.1 (see firewall_sources; with ",
            id="sources without the controller",
        ),
        pytest.param(_rows(22), HERE, [2222], "as soon as sshd restarts", id="sshd will move"),
        pytest.param(_rows(22), None, [2222], "as soon as sshd restarts", id="sshd elsewhere"),
    ],
)
def test_lockout(ports: list[Any], current: SshSession, configured: list[int], reason: str) -> None:
    found = lockout(ports, current=current, configured=configured)
    assert reason in found
    assert bool(found) == bool(reason)
