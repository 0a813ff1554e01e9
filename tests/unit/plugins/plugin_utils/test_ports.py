# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.components import (
    ALWAYS,
    COMPONENTS,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.ports import (
    OpenPort,
    closed_ports,
    collisions,
    component_ports,
    narrowed,
    read_extra,
    read_networks,
    read_sources,
)
from hypothesis import given
from hypothesis import strategies as st

ENTRY = {"protocol": "tcp", "first": 9443}


def opened(protocol: str, first: int, last: int | None = None) -> OpenPort:
    entry = {"protocol": protocol, "first": first, "last": last}
    return read_extra("firewall_extra_ports", [entry])[0]


def test_ssh_is_where_it_really_is() -> None:
    (port,) = component_ports(["ssh"], ssh_port=2222)
    assert (port.label, port.purpose) == ("2222/tcp", "SSH")


def test_reading_order_is_the_order_of_the_table() -> None:
    labels = [port.label for port in component_ports(ALWAYS, ssh_port=22)]
    assert labels == [
        "22/tcp",
        "80/tcp",
        "443/tcp",
        "8448/tcp",
        "3478/tcp",
        "3478/udp",
        "5349/tcp",
        "5349/udp",
        "49152-49573/udp",
    ]


def test_an_extra_port_needs_little() -> None:
    (port,) = read_extra("firewall_extra_ports", [ENTRY])
    assert port == OpenPort(
        "extra_tcp_9443", "tcp", 9443, 9443, "Opened by the operator", "operator"
    )


def test_an_extra_port_may_say_everything() -> None:
    entry = {**ENTRY, "last": 9450, "purpose": "Games", "sources": ["192.0.2.0/24"]}
    (port,) = read_extra("firewall_extra_ports", [entry])
    assert (port.label, port.purpose, port.sources) == ("9443-9450/tcp", "Games", ("192.0.2.0/24",))


def test_a_protocol_without_ports_is_let_in_as_a_whole() -> None:
    (port,) = read_extra("firewall_extra_ports", [{"protocol": "gre"}])
    assert (port.label, port.name, port.first, port.last) == ("gre", "extra_gre", 0, 0)


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        pytest.param(
            {"first": 1},
            "The protocol of entry 1 of firewall_extra_ports cannot be None; "
            "choose tcp, udp, ah, esp, gre, ipv6 or vrrp.",
            id="no protocol",
        ),
        pytest.param(
            {"protocol": "tcp"},
            "The first port of entry 1 of firewall_extra_ports cannot be None; "
            "write a number from 1 to 65535.",
            id="no port",
        ),
        pytest.param(
            {"protocol": "gre", "first": 47},
            "In entry 1 of firewall_extra_ports gre has no ports; leave out first and last.",
            id="port of a protocol that has none",
        ),
        pytest.param(
            {"protocol": "tcp", "first": 70000},
            "The first port of entry 1 of firewall_extra_ports cannot be 70000; "
            "write a number from 1 to 65535.",
            id="port too high",
        ),
        pytest.param(
            {"protocol": "tcp", "first": 90, "last": 80},
            "The last port of entry 1 of firewall_extra_ports cannot be 80; "
            "write a number from 90 to 65535.",
            id="range backwards",
        ),
        pytest.param(
            {"protocol": "tcp", "port": 90},
            "In entry 1 of firewall_extra_ports the key 'port' is unknown; "
            "it may have protocol, first, last, purpose or sources.",
            id="unknown key",
        ),
        pytest.param(
            {**ENTRY, "sources": ["192.0.2.1/24"]},
            "entry 1 of firewall_extra_ports.sources has '192.0.2.1/24', "
            "which is inside of a network; write 192.0.2.0/24.",
            id="address inside of a network",
        ),
    ],
)
def test_a_wrong_extra_port_is_refused(entry: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        read_extra("firewall_extra_ports", [entry])


@pytest.mark.parametrize(
    ("networks", "read"),
    [
        pytest.param(["192.0.2.0/24"], ("192.0.2.0/24",), id="network"),
        pytest.param(["192.0.2.1"], ("192.0.2.1/32",), id="address"),
        pytest.param(["2001:db8::/32"], ("2001:db8::/32",), id="IPv6"),
        pytest.param(["192.0.2.0/24", "192.0.2.7"], ("192.0.2.0/24",), id="one holds the other"),
        pytest.param(["192.0.2.0/25", "192.0.2.128/25"], ("192.0.2.0/24",), id="neighbours"),
        pytest.param(["2001:db8::1", "192.0.2.1"], ("192.0.2.1/32", "2001:db8::1/128"), id="mixed"),
    ],
)
def test_networks(networks: list[str], read: tuple[str, ...]) -> None:
    assert read_networks("firewall_sources.ssh", networks) == read


@pytest.mark.parametrize(
    ("sources", "sentence"),
    [
        pytest.param(
            {"ssh": ["office"]},
            "firewall_sources.ssh cannot have 'office'; "
            "write a network like 192.0.2.0/24 or 2001:db8::/32.",
            id="no network",
        ),
        pytest.param(
            {"ssh": "192.0.2.0/24"},
            "firewall_sources.ssh must be a list, not a text.",
            id="no list",
        ),
        pytest.param(
            {"ssh": []},
            "firewall_sources.ssh is empty; list the networks that may connect or remove it.",
            id="empty",
        ),
    ],
)
def test_wrong_sources_are_refused(sources: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        read_sources("firewall_sources", sources)


def test_an_unknown_source_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r"^firewall_sources\.sssh names no .*; write ssh, .* dnsmasq or dns\.$"
    ):
        read_sources("firewall_sources", {"sssh": ["192.0.2.0/24"]})


def test_a_ports_own_name_counts_more_than_its_components() -> None:
    sources = {"coturn": ("192.0.2.0/24",), "relay": ("198.51.100.0/24",)}
    ports = narrowed(component_ports(["ssh", "coturn"], ssh_port=22), sources=sources)
    assert {port.name: port.sources for port in ports} == {
        "ssh": (),
        "turn": ("192.0.2.0/24",),
        "turns": ("192.0.2.0/24",),
        "relay": ("198.51.100.0/24",),
    }


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        pytest.param(
            opened("tcp", 443),
            "443/tcp (HTTPS: clients) collides with firewall_extra_ports 443/tcp "
            "(Opened by the operator); choose another port for one of them.",
            id="a port that is open anyway",
        ),
        pytest.param(
            opened("udp", 49000, 49152),
            "49152-49573/udp (TURN relays for calls) collides with firewall_extra_ports "
            "49000-49152/udp (Opened by the operator); choose another port for one of them.",
            id="the relays' first port",
        ),
        pytest.param(
            opened("tcp", 8000, 8010),
            "firewall_extra_ports 8000-8010/tcp (Opened by the operator) collides with "
            "8008/tcp (Synapse without TLS); choose another port for one of them.",
            id="a local port",
        ),
    ],
)
def test_collisions(extra: OpenPort, sentence: str) -> None:
    ports = [*component_ports(ALWAYS, ssh_port=22), extra]
    assert collisions(ports, components=ALWAYS) == [sentence]


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(opened("udp", 443), id="another protocol"),
        pytest.param(opened("udp", 49574, 50000), id="after the relays"),
        pytest.param(opened("udp", 49000, 49151), id="before the relays"),
        pytest.param(opened("udp", 8008), id="UDP beside a local port"),
    ],
)
def test_no_collision(extra: OpenPort) -> None:
    assert collisions([*component_ports(ALWAYS, ssh_port=22), extra], components=ALWAYS) == []


def test_ssh_on_another_components_port_collides() -> None:
    ports = component_ports(ALWAYS, ssh_port=443)
    assert collisions(ports, components=ALWAYS) == [
        "matrix_ssh_port 443/tcp (SSH) collides with 443/tcp (HTTPS: clients); "
        "choose another port for one of them."
    ]


PORTS = st.builds(opened, st.sampled_from(["tcp", "udp"]), st.integers(1, 65535), st.none())


@given(st.lists(PORTS), st.sets(st.sampled_from(sorted(COMPONENTS))))
def test_closed_ports_are_never_open(extra: list[OpenPort], components: set[str]) -> None:
    ports = [*component_ports(components, ssh_port=22), *extra]
    numbers = {port.first for port in ports if port.protocol == "tcp"}
    assert not numbers & {entry["port"] for entry in closed_ports(ports)}


@given(PORTS, PORTS)
def test_overlapping_is_symmetric(one: OpenPort, other: OpenPort) -> None:
    assert one.overlaps(other) == other.overlaps(one)
