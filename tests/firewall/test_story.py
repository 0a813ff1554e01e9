# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A firewall from a bare host on: exact from outside, silent when nothing changes, and removed."""

from __future__ import annotations

import pytest
from firewall_server import Run, Server, wait_until

OPEN = ["tcp 22", "tcp 80", "tcp 443", "tcp 8448", "tcp 3478", "udp 3478", "tcp 5349"]
OPTIONAL = [
    {"protocol": protocol, "first": port, "purpose": "A component of a later release"}
    for protocol, port in [("tcp", 4443), ("udp", 10000), ("tcp", 25), ("udp", 51820), ("udp", 53)]
]
LISTEN = """
import socket, time
taken = socket.socket(type=socket.SOCK_DGRAM)
taken.bind(("", 7000))
time.sleep(600)
"""


@pytest.fixture(scope="session")
def story(bare: Server) -> dict[str, Run]:
    """Return what an operator saw, from a bare host on."""
    assert bare.play(matrix_firewall="none").status == 0
    bare.lab.run("server", "systemd-run", "--quiet", "python3", "-c", LISTEN)
    plays = {"dry run": ["--check"], "first run": [], "second run": [], "last dry run": ["--check"]}
    return {name: bare.play(*options) for name, options in plays.items()}


@pytest.mark.parametrize("name", ["dry run", "first run"])
def test_the_diff_names_what_opens(story: dict[str, Run], name: str) -> None:
    shown = [line[2:] for line in story[name].output.splitlines() if line.startswith("+ ")]
    assert [line for line in [*OPEN, "udp 49152-49573"] if not any(map(line.__lt__, shown))] == []
    assert len(shown) == 9


@pytest.mark.parametrize("name", ["dry run", "first run"])
def test_the_first_diff_names_what_is_shut_off(story: dict[str, Run], name: str) -> None:
    lines = story[name].output.splitlines()
    assert [line for line in lines if line.startswith("- ")] == [
        "- udp 7000 python3, which listens there"
    ]


def test_the_dry_run_changes_nothing_but_says_so(story: dict[str, Run]) -> None:
    assert story["dry run"].status == 0
    assert story["dry run"].changed
    assert story["first run"].changed


@pytest.mark.parametrize("name", ["second run", "last dry run"])
def test_a_run_without_change(story: dict[str, Run], name: str) -> None:
    assert story[name].status == 0
    assert not story[name].changed


@pytest.fixture(scope="session")
def talkative(bare: Server, story: dict[str, Run]) -> Server:
    """Return the host as the story left it, which says "port unreachable" as often as asked."""
    assert story["last dry run"].status == 0
    for setting in ("ipv4/icmp_ratelimit", "ipv6/icmp/ratelimit"):
        bare.shell(f"echo 0 >/proc/sys/net/{setting}")
    return bare


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(
    ("protocol", "first", "last", "answering"),
    [
        pytest.param("tcp", 1, 1024, {22, 80, 443}, id="low ports"),
        pytest.param("tcp", 3470, 3480, {3478}, id="TURN"),
        pytest.param("tcp", 5340, 5350, {5349}, id="TURN over TLS"),
        pytest.param("tcp", 5432, 5432, set(), id="database"),
        pytest.param("tcp", 8000, 9100, {8448}, id="federation, and nothing internal"),
        pytest.param("udp", 3476, 3479, {3478}, id="TURN over UDP"),
        pytest.param("udp", 1, 1024, set(), id="low ports over UDP"),
        pytest.param("udp", 49150, 49153, {49152, 49153}, id="first relay"),
        pytest.param("udp", 49572, 49575, {49572, 49573}, id="last relay"),
    ],
)
def test_exactly_the_ports_answer(
    talkative: Server, protocol: str, first: int, last: int, answering: set[int], family: int
) -> None:
    assert talkative.answers(protocol, first, last, family=family) == answering


@pytest.mark.parametrize("family", [4, 6])
def test_ping_and_neighbours_come_through(talkative: Server, family: int) -> None:
    talkative.shell("ip neighbour flush all", host="stranger")
    ping = ["python3", "-", talkative.address(family)]
    assert talkative.run(*ping, host="stranger", text=PING) == "answered\n"


def test_a_stranger_outside_of_the_sources_finds_a_port_closed(server: Server) -> None:
    ours = [server.address(4), server.address(6)]
    rows = [
        {"protocol": "tcp", "first": 7001, "purpose": "For others", "sources": ["192.0.2.0/24"]},
        {"protocol": "tcp", "first": 7002, "purpose": "For us", "sources": neighbours(ours)},
    ]
    run = server.play(firewall_extra_ports=rows)
    assert run.status == 0, run.output
    assert {server.answers("tcp", 7001, 7002, family=family) == {7002} for family in (4, 6)} == {
        True
    }


def neighbours(addresses: list[str]) -> list[str]:
    """Return the lab's networks, in which these addresses are."""
    ipv4, ipv6 = addresses
    number = int(ipv4.rpartition(".")[2]) // 16 * 16
    return [f"{ipv4.rpartition('.')[0]}.{number}/28", f"{ipv6.rpartition('::')[0]}::/64"]


def test_ports_of_components_come_and_go(talkative: Server) -> None:
    opened = talkative.play(firewall_extra_ports=OPTIONAL)
    assert "+ udp 10000 A component of a later release" in opened.output
    assert talkative.answers("udp", 9999, 10001) == {10000}
    closed = talkative.play()
    assert "- udp 10000 A component of a later release" in closed.output
    assert talkative.answers("udp", 9999, 10001) == set()


def test_new_ssh_connections_are_limited_where_asked_for(server: Server) -> None:
    server.play(firewall_ssh_rate_limit=5)
    knock = f"timeout 1 bash -c '</dev/tcp/{server.address()}/22' && echo came"
    came = server.shell("; ".join([knock] * 8), host="stranger").count("came")
    assert came == 5
    assert server.is_reachable()
    assert not server.play(firewall_ssh_rate_limit=5).changed
    server.play()
    assert server.shell("; ".join([knock] * 8), host="stranger").count("came") == 8


def test_a_reboot_keeps_the_rules(server: Server) -> None:
    before = server.rules()
    server.reboot()
    assert server.rules() == before
    assert not server.play().changed


# ping is not installed on bare hosts.
PING = """
import socket, struct, sys
address = sys.argv[1]
six = ":" in address
family, protocol = (socket.AF_INET6, "ipv6-icmp") if six else (socket.AF_INET, "icmp")
with socket.socket(family, socket.SOCK_RAW, 58 if six else 1) as raw:
    raw.settimeout(2)
    kind = 128 if six else 8
    head = struct.pack("!BBHHH", kind, 0, 0 if six else 0xFFFF - kind * 256 - 8, 7, 1)
    raw.sendto(head, (address, 0))
    while True:
        got = raw.recv(2048)
        if (got if six else got[20:])[0] == (129 if six else 0):
            break
print("answered")
"""
OUR_TABLE = "nft -s list table inet homestead"


@pytest.mark.parametrize("other", ["nftables", "ufw", "firewalld"])
def test_another_firewall_takes_over_and_gives_back(server: Server, other: str) -> None:
    if server.firewall == other:
        pytest.skip("it is no other")
    before = server.rules()
    there = server.play(matrix_firewall=other)
    assert there.status == 0, there.output
    assert not server.play(matrix_firewall=other).changed
    assert server.answers("tcp", 1, 1024) == {22, 80, 443}
    assert server.play().status == 0
    assert server.rules() == before


def test_none_leaves_the_host_as_it_was_found(server: Server) -> None:
    run = server.play(matrix_firewall="none")
    assert "filter nothing any more" in run.output
    assert server.answers("tcp", 7000, 7001) == {7000, 7001}
    assert server.shell("find /etc /var/lib -iname '*homestead*' -type f") == ""
    assert server.shell("iptables-save | grep ufw; nft list table inet firewalld") == ""
    assert not server.play(matrix_firewall="none").changed


def test_our_table_comes_back_when_debian_flushes_all(bare: Server) -> None:
    if bare.firewall != "nftables":
        pytest.skip("only nftables has a unit that flushes all")
    assert bare.play().status == 0
    before = bare.shell(OUR_TABLE)
    bare.shell("systemctl start nftables.service")
    for action in ("restart", "reload"):
        bare.shell(f"systemctl {action} nftables.service")
        wait_until(lambda: bare.shell(OUR_TABLE) == before, seconds=5)
    assert not bare.play().changed
    bare.shell("systemctl stop nftables.service")


def test_what_ufw_was_told_before_comes_back(bare: Server) -> None:
    if bare.firewall == "nftables":
        pytest.skip("for firewalls that may hold rules of others")
    assert bare.play(matrix_firewall="none").status == 0
    told = {
        "ufw": "ufw allow 22/tcp; ufw allow 8081/tcp; ufw deny from 203.0.113.7; "
        "ufw --force enable",
        "firewalld": "systemctl enable --now firewalld; "
        "firewall-cmd --permanent --add-port=8081/tcp; firewall-cmd --reload",
    }
    bare.shell(told[bare.firewall])
    before = bare.rules()
    run = bare.play()
    assert "- tcp 8081" in run.output
    assert bare.answers("tcp", 8080, 8082) == set()
    assert bare.play(matrix_firewall="none").status == 0
    assert bare.rules() == before
    refused = bare.play(matrix_firewall="nftables")
    assert f"{bare.firewall} filters this host already" in refused.output
    bare.shell("ufw --force reset; systemctl disable --now firewalld")
