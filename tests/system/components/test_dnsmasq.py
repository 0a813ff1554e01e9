# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name server of the private network: it answers who is in there, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

from ansible_collections.homestead.matrix.tests.lab.components.dnsmasq import BLOCKED
from ansible_collections.homestead.matrix.tests.lab.components.together import Everything
from ansible_collections.homestead.matrix.tests.lab.components.wireguard import (
    CLIENT,
    MADE,
    connected,
)
from ansible_collections.homestead.matrix.tests.lab.labs import HOSTNAME, PEER, Lab

PROTOCOLS = ("+notcp", "+tcp")


@contextmanager
def led_past_the_tunnel(lab: Lab, addresses: list[str]) -> Iterator[None]:
    """Let a stranger send to addresses in the tunnel by way of the host's own."""
    ways = [
        f"ip route {{}} {address} via {lab.address(HOSTNAME, family)}"
        for address, family in zip(addresses, (4, 6))
    ]
    lab.shell(CLIENT, " && ".join(way.format("add") for way in ways))
    try:
        yield
    finally:
        lab.shell(CLIENT, "; ".join(way.format("del") for way in ways))


def answers(lab: Lab, server: str, *question: str) -> list[str]:
    """Return what a name server says to the client, nothing if it says nothing."""
    words = ("dig", "+short", "+time=1", "+tries=1", f"@{server}", *question)
    lines = lab.attempt(CLIENT, *words).stdout.decode().splitlines()
    return [line for line in lines if not line.startswith(";")]


def strangers_get_nothing(lab: Lab, inside: list[str]) -> None:
    own = [lab.address(HOSTNAME, family) for family in (4, 6)]
    with led_past_the_tunnel(lab, inside):
        for server, protocol, name in product([*own, *inside], PROTOCOLS, (HOSTNAME, PEER)):
            assert answers(lab, server, name, protocol) == [], (server, protocol, name)


def clients_get_answers(lab: Lab, inside: list[str]) -> None:
    four, six = inside
    for server, protocol in product(inside, PROTOCOLS):
        assert answers(lab, server, HOSTNAME, "A", protocol) == [four]
        assert answers(lab, server, HOSTNAME, "AAAA", protocol) == [six]
        assert answers(lab, server, PEER, "A", protocol) == [lab.address(PEER)]
        assert answers(lab, server, BLOCKED, "A", protocol) == []
    assert lab.address(BLOCKED)  # which others know
    status = lab.run(CLIENT, "dig", f"@{four}", f"www.{BLOCKED}")
    assert "status: NXDOMAIN" in status


def test_names_in_the_private_network(everything: Everything) -> None:
    """They lead to the host inside, elsewhere as ever, and not to what is blocked."""
    lab = everything.lab
    shown = lab.shell("matrix", "ip -brief address show wg-matrix").split()[2:4]
    inside = [address.split("/")[0] for address in shown]
    made = lab.read("matrix", f"/etc/homestead/wireguard/peers/{MADE}.conf")
    assert f"DNS = {', '.join(inside)}\n" in made
    strangers_get_nothing(lab, inside)
    with connected(lab, made):
        clients_get_answers(lab, inside)
    assert lab.exposure("matrix", "homestead-dnsmasq.service") <= 2.5
