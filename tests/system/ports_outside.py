# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports answer somebody who knocks from the vantage, and which shall."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ansible_collections.homestead.matrix.tests.lab.labs import HOSTNAME, Lab

SCAN = (Path(__file__).parent / "scan.py").read_text()
EVERY = (1, 65535)
RELAY = 49152
SPEAKING = ("turn", "turns")
"""Names of ports on which a stranger's STUN message is answered over UDP."""
KINDS = ("tcp", "udp")
_TALKATIVE = "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0"

Planned = Mapping[str, Any]  # a port of `matrix_site`


def be_talkative(lab: Lab) -> None:
    """Let the host say "port unreachable" as often as it is asked, not once a second."""
    lab.ssh("matrix", _TALKATIVE)


def scan(
    lab: Lab, address: str, protocol: str, ports: tuple[int, int], together: int, pause: float = 0
) -> set[int]:
    """Return the ports that answer."""
    command = f"python3 - {address} {protocol} {ports[0]} {ports[1]} {together} {pause}"
    return set(map(int, json.loads(lab.ssh("vantage", command, SCAN))))


def numbers(ports: Sequence[Planned], protocol: str) -> set[int]:
    """Return the numbers of these ports."""
    ranges = (range(p["first"], p["last"] + 1) for p in ports if p["protocol"] == protocol)
    return {number for each in ranges for number in each}


def assert_exactly_these_answer(lab: Lab, ports: Sequence[Planned]) -> None:
    """See that all of them answer over TCP, those that may over UDP, and no other, on both IPs."""
    with ThreadPoolExecutor() as pool:  # a vantage has ports for one such scan of each protocol
        list(pool.map(lambda kind: _assert_exactly(lab, ports, kind), KINDS))


def _assert_exactly(lab: Lab, ports: Sequence[Planned], protocol: str) -> None:
    for family in (4, 6):
        _assert_exactly_on(lab, ports, family, protocol)


def _assert_exactly_on(lab: Lab, ports: Sequence[Planned], family: int, protocol: str) -> None:
    address = lab.address(HOSTNAME, family)
    admitted = [port for port in ports if _may(port, lab.address("vantage.test", family))]
    heard = scan(lab, address, protocol, EVERY, 16000)
    assert heard <= numbers(admitted, protocol), (family, protocol)
    if protocol == "udp":  # what listens may be silent, and a kernel says no only so often
        speaking = [port for port in admitted if port["name"] in SPEAKING]
        assert numbers(speaking, protocol) <= heard, family
    else:
        assert heard == numbers(admitted, protocol), family


def _may(port: Planned, stranger: str) -> bool:
    """Tell whether a stranger may connect to this port."""
    networks = map(ipaddress.ip_network, port["sources"])
    return not port["sources"] or any(ipaddress.ip_address(stranger) in n for n in networks)
