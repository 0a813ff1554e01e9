# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name server of the private network: it answers there, and nobody else."""

from __future__ import annotations

import re

import dns.exception
import dns.message
import dns.query
from ansible_collections.homestead.matrix.tests.lab.components import dnsmasq, wireguard
from ansible_collections.homestead.matrix.tests.lab.components.dnsmasq import BLOCKED
from ansible_collections.homestead.matrix.tests.lab.components.wireguard import (
    CLIENT,
    MADE,
    connected,
)
from ansible_collections.homestead.matrix.tests.lab.labs import HOSTNAME, Lab
from changing import assert_verified_and_settled, change

HOST = "10.71.0.1"
ASK = """
import sys, dns.message, dns.query
question = dns.message.make_query(sys.argv[2], "A")
answer = dns.query.udp(question, sys.argv[1], timeout=5)
print(answer.rcode(), *(line for each in answer.answer for line in each))
"""


def asked(lab: Lab, name: str) -> str:
    return lab.run(CLIENT, "/opt/vantage/bin/python", "-c", ASK, HOST, name).strip()


def stranger_is_answered(address: str) -> bool:
    """Tell whether a question from outside gets any answer, over UDP or TCP."""
    question = dns.message.make_query(HOSTNAME, "A")
    for ask in (dns.query.udp, dns.query.tcp):
        try:
            ask(question, address, timeout=1)
        except (dns.exception.Timeout, OSError):
            continue
        return True
    return False


def test_the_name_server_of_the_private_network(changing: Lab) -> None:
    """It leads to the host inside, elsewhere as ever, and not to what is blocked."""
    lab = changing
    with wireguard.surroundings(lab), dnsmasq.surroundings(lab):
        on = {
            "matrix_components": ["wireguard", "dnsmasq"],
            **wireguard.variables(lab),
            **dnsmasq.variables(lab),
        }
        assert_verified_and_settled(lab, **on)
        made = lab.read("matrix", f"/etc/homestead/wireguard/peers/{MADE}.conf")
        assert f"\nDNS = {HOST}, fd" in made
        with connected(lab, re.sub("DNS = .*", "", made)):
            assert asked(lab, HOSTNAME) == f"0 {HOST}"
            assert asked(lab, "peer.test") == f"0 {lab.host_address('peer')}"
            assert asked(lab, f"www.{BLOCKED}") == "3"
        for family in (4, 6):
            assert not stranger_is_answered(lab.address(HOSTNAME, family))
    assert change(lab, "--skip-tags", "verify").status == 0
    assert nothing_is_left(lab)


def nothing_is_left(lab: Lab) -> bool:
    files = "ls -d /etc/homestead/dnsmasq /etc/systemd/system/homestead-dns* 2>/dev/null"
    rules = "nft list table inet homestead | grep -w 53"
    return not lab.shell("matrix", f"{files}; {rules}; ss -Hlntu sport = :53")
