# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real dnsmasq behind the firewall: what the firewall says of it is what a stranger gets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from firewall_server import Lab, Server

STRANGER = "203.0.113.9"  # an address outside of every subnet of the server
TUNNEL, PUBLIC = "10.8.0.1", "203.0.113.65"  # the addresses of the server's wg0
NAME, ANSWER = "probe.upstream.test", "192.0.2.53"
UPSTREAM = "no-resolv\nserver=127.0.0.1#5300\n"
AUTHORITATIVE = "auth-server=ns.example.org,eth0\nauth-zone=example.org\n"

INSTALL = "apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq install"
NETWORK = f"""
ip route add {STRANGER} via $1
ip link add wg0 type bridge
ip address add {TUNNEL}/24 dev wg0
ip address add {PUBLIC}/32 dev wg0
ip link set wg0 up
dnsmasq --port=5300 --conf-file=/dev/null --no-resolv --listen-address=127.0.0.1 \
    --bind-interfaces --pid-file=/run/upstream.pid --address=/{NAME}/{ANSWER}
"""
START = "cat > /etc/dnsmasq.d/case; systemctl reset-failed; systemctl restart dnsmasq"
ASK = f"""
for server in "$@"; do for way in +notcp +tcp; do
    dig $way +tries=1 +time=2 +short -b {STRANGER} @$server {NAME} A &
done; done; wait
"""
OPEN: dict[str, Any] = {
    "firewall_extra_ports": [{"protocol": "udp", "first": 53, "purpose": "DNS"}],
    "firewall_rollback_seconds": 12,
}
NARROW = {"firewall_extra_ports": [{**OPEN["firewall_extra_ports"][0], "sources": ["10.8.0.0/24"]}]}


class Resolver(Server):
    """A server with a dnsmasq, and a stranger who asks it."""

    def install(self) -> None:
        self.run("sh", "-c", f"{INSTALL} dnsmasq")
        self.run("sh", "-c", f"{INSTALL} bind9-dnsutils", host="stranger")
        shown = self.run("ip", "-4", "-brief", "address", "show", "eth0", host="stranger")
        self.run("sh", "-c", NETWORK, "sh", shown.split()[2].partition("/")[0])
        way = f"ip address add {STRANGER} dev lo; ip route add {PUBLIC} via {self.address()}"
        self.run("sh", "-c", way, host="stranger")

    def serve(self, text: str) -> None:
        """Start dnsmasq with the options of Debian's service and these."""
        self.run("sh", "-c", START, text=text.format(address=self.address()))

    def answers_a_stranger(self) -> bool:
        command = ["sh", "-c", ASK, "sh", self.address(), PUBLIC]
        return ANSWER in self.run(*command, host="stranger")

    def refuses(self) -> bool:
        """Tell whether a dry run refuses to open port 53 to everybody."""
        run = self.play("--check", **OPEN)
        refused = "from being an open resolver: " in run.output
        assert refused is (run.status != 0), run.output
        return refused


@pytest.fixture(scope="module")
def bare() -> Iterator[Resolver]:
    server = Resolver(Lab("resolver"))
    server.lab.down()
    server.up(release="13")
    server.install()
    yield server
    server.lab.down()


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        pytest.param("", False, id="as Debian starts it"),
        pytest.param("# interface=eth0\n", False, id="comment"),
        pytest.param("local-service=host\n", False, id="this host alone"),
        pytest.param("except-interface=lo\n", True, id="all but lo"),
        pytest.param("except-interface=eth0\n", False, id="all but outside"),
        pytest.param('interface = "eth0"  # outside\n', True, id="outside"),
        pytest.param("interface=e*\n", True, id="pattern"),
        pytest.param("interface=wg0\n", False, id="tunnel with a public address"),
        pytest.param("interface=wg0\nbind-interfaces\n", True, id="the same, bound"),
        pytest.param("interface=wg0\nbind-dynamic\n", False, id="the same, bound dynamically"),
        pytest.param(f"listen-address={TUNNEL}\n", False, id="private address"),
        pytest.param("listen-address={address}\n", True, id="public address"),
        pytest.param("listen-address=0.0.0.0\nbind-interfaces\n", True, id="every address"),
        pytest.param("auth-server=ns.example.org\n", True, id="authoritative as well"),
        pytest.param(f"{AUTHORITATIVE}except-interface=wg0\n", False, id="authoritative outside"),
        pytest.param(f"{AUTHORITATIVE}interface=wg0\n", True, id="recursive over TCP"),
    ],
)
def test_what_a_stranger_gets_is_what_is_refused(bare: Resolver, text: str, answers: bool) -> None:
    bare.serve(UPSTREAM + text)
    assert bare.answers_a_stranger() is answers
    assert bare.refuses() is answers


@pytest.mark.parametrize("text", ["no-resolv\nserver=/lan/\ninterface=eth0\n"])
def test_whoever_has_nobody_to_ask_resolves_nothing(bare: Resolver, text: str) -> None:
    bare.serve(text)
    assert not bare.answers_a_stranger()
    assert not bare.refuses()


def test_a_changed_configuration_counts_after_a_restart(bare: Resolver) -> None:
    bare.serve(f"{UPSTREAM}interface=eth0\n")
    time.sleep(3)
    bare.run("sh", "-c", "cat > /etc/dnsmasq.d/case", text=UPSTREAM)
    assert bare.answers_a_stranger()
    assert bare.refuses()
    bare.serve(UPSTREAM)
    assert not bare.answers_a_stranger()
    assert not bare.refuses()


@pytest.fixture(scope="module")
def filtered(bare: Resolver) -> Resolver:
    """Return the server with rules in force that keep port 53 shut."""
    run = bare.play()
    assert run.status == 0, run.output
    return bare


def test_the_port_opens_once_strangers_are_refused(filtered: Resolver) -> None:
    filtered.serve(f"{UPSTREAM}interface=eth0\n")
    before = filtered.rules()
    run = filtered.play(**OPEN)
    assert run.status != 0
    assert "The new rules would open udp 53 to everybody" in run.output
    assert "local-service does not count beside interface" in run.output
    assert "Nothing was changed." in run.output
    assert filtered.rules() == before
    filtered.serve(UPSTREAM)
    run = filtered.play(**OPEN)
    assert run.status == 0, run.output
    assert "+ udp 53 DNS" in run.output


def test_a_narrowed_port_opens_whatever_dnsmasq_does(filtered: Resolver) -> None:
    filtered.serve(f"{UPSTREAM}interface=eth0\n")
    run = filtered.play(**NARROW)
    assert run.status == 0, run.output
    assert "+ udp 53 DNS from 10.8.0.0/24" in run.output
    assert not filtered.answers_a_stranger()
