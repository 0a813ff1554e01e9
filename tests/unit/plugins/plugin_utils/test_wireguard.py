# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The private network: who is where in it, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.description import (
    DEFAULTS,
    read_description,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import (
    admitted_networks,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import (
    site as derived,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.wireguard import (
    Tunnel,
    reached_from,
    read_tunnel,
)
from hypothesis import given
from hypothesis import strategies as st

KEY = "9jalV3EEBnVXahro0pRMQ+cHlmjE33Slo9tddzCVtCw="
LAPTOP = {"name": "laptop"}


def tunnel(*peers: Any, domain: str = "example.com", **more: Any) -> Tunnel:
    shared = {name: value for name, value in DEFAULTS.items() if name.startswith("wireguard_")}
    return read_tunnel({**shared, "wireguard_peers": peers, **more}, domain)


def test_the_host_is_the_first_of_both_networks() -> None:
    ours = tunnel()
    assert ours.networks[0] == "10.71.0.0/16"
    assert ours.addresses[0] == "10.71.0.1"
    assert ours.networks[1].startswith("fd")
    assert tunnel(domain="example.org").networks[1] != ours.networks[1]


def test_a_peer_has_the_same_place_in_both() -> None:
    (peer,) = tunnel({**LAPTOP, "address": "10.71.1.2"}).peers
    assert peer.addresses[0] == "10.71.1.2"
    assert peer.addresses[1].endswith("::102")


@given(st.sets(st.from_regex(r"[a-z]{8}", fullmatch=True), min_size=2, max_size=4))
def test_peers_that_come_and_go_move_nobody(names: set[str]) -> None:
    alone = {name: tunnel({"name": name}).peers[0].addresses for name in names}
    if len(set(alone.values())) == len(names):
        together = tunnel(*({"name": name} for name in names)).peers
        assert {peer.name: peer.addresses for peer in together} == alone


def test_ssh_is_for_the_tunnel_and_named_networks_only() -> None:
    ours, sources = tunnel(), {"ssh": ("192.0.2.0/24",), "https": ("198.51.100.0/24",)}
    assert reached_from("sources", ours, sources) == sources
    narrowed = reached_from("tunnel", ours, sources)
    assert narrowed == {**sources, "ssh": (*ours.networks, "192.0.2.0/24")}


def test_its_port_moves_and_its_interface_has_an_address_of_each_network() -> None:
    site = derived("example.com", {"components": ["wireguard"], "wireguard_port": 4500})
    assert "udp 4500" in site["listens"]
    assert site["wireguard"]["interfaces"][0] == "10.71.0.1/16"
    assert derived("example.com", {})["wireguard"] == {}


def test_what_is_private_is_answered_in_the_tunnel() -> None:
    given = {"components": ["wireguard"], "admin_networks": ["192.0.2.0/24"]}
    both = read_description("example.com", given)
    only = read_description("example.com", {**given, "private_access": "tunnel"})
    host = ["127.0.0.0/8", "::1/128"]
    assert both.tunnel is not None
    assert admitted_networks(both) == [*host, *both.tunnel.networks, "192.0.2.0/24"]
    assert admitted_networks(only) == [*host, *both.tunnel.networks]
    assert [port.sources for port in only.ports if port.name == "ssh"] == [both.tunnel.networks]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        pytest.param(
            {"wireguard_network": "10.71.0.5/16"},
            "wireguard_network cannot be '10.71.0.5/16'; write a network like 10.71.0.0/16.",
            id="an address in a network",
        ),
        pytest.param(
            {"wireguard_network": "8.8.0.0/16"},
            "wireguard_network 8.8.0.0/16 belongs to others; write a network for private use like "
            "10.71.0.0/16.",
            id="a public network",
        ),
        pytest.param(
            {"wireguard_network": "10.71.0.0/30"},
            "wireguard_network 10.71.0.0/30 is too small; write one of /28 or larger.",
            id="a network that is too small",
        ),
        pytest.param(
            {"wireguard_network_ipv6": "2001:db8::/64"},
            "wireguard_network_ipv6 2001:db8::/64 belongs to others; write a network for private "
            "use like fd12:3456:789a::/64.",
            id="a public network of IPv6",
        ),
        pytest.param(
            {"wireguard_port": 0},
            "wireguard_port cannot be 0; write a number from 1 to 65535.",
            id="no port",
        ),
        pytest.param(
            {"wireguard_forward": "perhaps"},
            "wireguard_forward cannot be 'perhaps'; write true or false.",
            id="neither forwarding nor not",
        ),
        pytest.param(
            {"wireguard_peers": [{"name": "../laptop"}]},
            "entry 1 of wireguard_peers cannot have the name '../laptop', which also names files; "
            "write up to 40 of a-z, 0-9, _ and -, like alice-laptop.",
            id="a name that is no file's",
        ),
        pytest.param(
            {"wireguard_peers": [LAPTOP, LAPTOP]},
            "wireguard_peers has 'laptop' 2 times; list it once.",
            id="a name twice",
        ),
        pytest.param(
            {"wireguard_peers": [{**LAPTOP, "private_key": KEY}]},
            "entry 1 of wireguard_peers has a private key, which nobody but the peer may know; "
            "write its public_key, or leave the key out, and the host makes a pair.",
            id="a private key",
        ),
        pytest.param(
            {"wireguard_peers": [{**LAPTOP, "public_key": KEY[:-5]}]},
            f"entry 1 of wireguard_peers cannot have the public_key '{KEY[:-5]}'; write the 44 "
            "characters that `wg pubkey` prints.",
            id="half a key",
        ),
        pytest.param(
            {"wireguard_peers": [{"name": each, "public_key": KEY} for each in ("a", "b")]},
            f"wireguard_peers has the public_key {KEY} 2 times; each peer needs one of its own.",
            id="a key twice",
        ),
        pytest.param(
            {"wireguard_peers": [{**LAPTOP, "address": "10.72.0.5"}]},
            "entry 1 of wireguard_peers cannot have the address '10.72.0.5'; write one from "
            "10.71.0.2 to 10.71.255.254, or none.",
            id="an address outside",
        ),
        pytest.param(
            {"wireguard_peers": [{"name": each, "address": "10.71.0.5"} for each in ("a", "b")]},
            "wireguard_peers has 'a' and 'b' at 10.71.0.5; give one of them another address.",
            id="an address twice",
        ),
        pytest.param(
            {"wireguard_peers": [{**LAPTOP, "forward": True}]},
            "In entry 1 of wireguard_peers the key 'forward' is unknown; it may have name, "
            "public_key or address.",
            id="an unknown key",
        ),
        pytest.param(
            {"components": ["dnsmasq"]},
            "matrix_components lists 'dnsmasq', which needs 'wireguard'; list that too.",
            id="a name server of no network",
        ),
        pytest.param(
            {
                "components": ["wireguard", "dnsmasq"],
                "extra_ports": [{"protocol": "udp", "first": 53}],
            },
            "53/udp (DNS) collides with firewall_extra_ports 53/udp (Opened by the operator); "
            "choose another port for one of them.",
            id="the port of the name server for something else",
        ),
        pytest.param(
            {"private_access": "tunnel"},
            "matrix_private_access 'tunnel' needs the tunnel; list 'wireguard' in "
            "matrix_components, run, connect, and then set it.",
            id="access by a tunnel that is not there",
        ),
        pytest.param(
            {"private_access": "vpn"},
            "matrix_private_access cannot be 'vpn'; choose sources or tunnel.",
            id="unknown access",
        ),
    ],
)
def test_what_is_refused(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        read_description("example.com", given)
    assert str(refused.value) == sentence
