# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.components import (
    ALWAYS,
    COMPONENTS,
    optional,
)


@pytest.mark.parametrize(
    ("component", "ports"),
    [
        pytest.param("ssh", ["22/tcp"], id="ssh"),
        pytest.param("reverse_proxy", ["80/tcp", "443/tcp"], id="reverse proxy"),
        pytest.param("synapse", ["8448/tcp"], id="synapse"),
        pytest.param(
            "coturn",
            ["3478/tcp", "3478/udp", "5349/tcp", "5349/udp", "49152-49573/udp"],
            id="coturn",
        ),
        pytest.param("jitsi", ["4443/tcp", "10000/udp"], id="jitsi"),
        pytest.param("postmoogle", ["25/tcp", "587/tcp"], id="postmoogle"),
        pytest.param("heisenbridge", ["113/tcp"], id="heisenbridge"),
        pytest.param("wireguard", ["51820/udp"], id="wireguard"),
        pytest.param("dnsmasq", ["53/tcp", "53/udp"], id="dnsmasq"),
        pytest.param("admin_ui", [], id="administration page"),
    ],
)
def test_every_component_has_its_ports(component: str, ports: list[str]) -> None:
    rows = COMPONENTS[component].ports
    numbers = [(f"{row.first}-{row.last}", f"{row.first}")[row.first == row.last] for row in rows]
    assert [f"{number}/{row.protocol}" for number, row in zip(numbers, rows)] == ports


def test_no_component_is_missing_above() -> None:
    assert len(COMPONENTS) == 10


def test_ports_never_overlap() -> None:
    rows = [row for component in COMPONENTS.values() for row in component.ports]
    for one, other in combinations(rows, 2):
        same = one.protocol == other.protocol
        assert not (same and one.first <= other.last and other.first <= one.last), (one, other)


def test_names_of_ports_tell_them_apart() -> None:
    rows = [row for component in COMPONENTS.values() for row in component.ports]
    assert max(Counter((row.name, row.protocol) for row in rows).values()) == 1


def test_a_port_named_like_a_component_belongs_to_it() -> None:
    for component in COMPONENTS.values():
        for row in component.ports:
            assert row.name not in COMPONENTS or row.name == component.name


def test_what_every_server_has_comes_first() -> None:
    assert tuple(COMPONENTS) == ALWAYS + optional()


def test_every_server_can_be_set_up() -> None:
    assert all(COMPONENTS[name].role for name in ALWAYS)
