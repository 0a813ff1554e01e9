# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.components import (
    ALWAYS,
    COMPONENTS,
    optional,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.description import (
    is_public,
    read_description,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.ports import (
    component_ports,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import (
    derive,
    site,
)
from ansible_collections.homestead.matrix.tests.lab.example_component import ROW
from hypothesis import given
from hypothesis import strategies as st

PAGE = {"support_page": "https://example.com/support"}


def derived(**inputs: object) -> Any:
    return site("example.com", inputs)


def with_components(*names: str) -> Any:
    """Derive as if every component had a role."""
    chosen = (*ALWAYS, *names)
    description = read_description("example.com", {})
    return derive(
        replace(description, components=chosen, ports=component_ports(chosen, ssh_port=22))
    )


def test_documents_lead_to_the_host() -> None:
    assert derived()["well_known"] == {
        "client": {"m.homeserver": {"base_url": "https://matrix.example.com"}},
        "server": {"m.server": "matrix.example.com:443"},
        "support": {},
    }


def test_redirects_lead_from_the_base_domain_to_the_host() -> None:
    assert derived(hostname="chat.provider.example")["redirects"] == [
        {
            "path": f"/.well-known/matrix/{name}",
            "to": f"https://chat.provider.example/.well-known/matrix/{name}",
            "status": 302,
        }
        for name in ("client", "server")
    ]


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param({"hostname": "example.com"}, id="one name for both"),
        pytest.param({"serve_base_domain": True}, id="the host serves the base domain"),
    ],
)
def test_no_redirect_where_no_other_web_server_is(inputs: dict[str, object]) -> None:
    assert derived(**inputs)["redirects"] == []


def paths(host: Any) -> list[str]:
    return [route["path"] for route in host["routes"]]


def test_support_is_published_only_if_somebody_is_named() -> None:
    without, named = derived(), derived(support=PAGE)
    assert "/.well-known/matrix/support" not in paths(without["vhosts"][0])
    assert "/.well-known/matrix/support" in paths(named["vhosts"][0])
    assert len(named["redirects"]) == len(without["redirects"]) + 1
    assert named["well_known"]["support"] == PAGE


def test_the_host_has_one_virtual_host() -> None:
    (host,) = derived()["vhosts"]
    assert (host["name"], host["ports"], host["max_body_mb"]) == (
        "matrix.example.com",
        [443, 8448],
        50,
    )
    assert paths(host) == [
        "/.well-known/matrix/client",
        "/.well-known/matrix/server",
        "/_matrix/",
        "/_synapse/client/",
        "/",
    ]


def test_the_base_domain_served_here_has_documents_only() -> None:
    result = derived(serve_base_domain=True)
    base = result["vhosts"][1]
    assert (base["name"], base["ports"]) == ("example.com", [443])
    assert {route["kind"] for route in base["routes"]} == {"document", "status"}
    assert result["certificate"]["names"] == ["matrix.example.com", "example.com"]


def test_every_proxied_route_has_its_upstream() -> None:
    result = derived()
    for host in result["vhosts"]:
        for route in host["routes"]:
            assert route["kind"] != "proxy" or route["upstream"] in result["upstreams"]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the site of a server with the component that exists for tests only."""
    monkeypatch.setitem(COMPONENTS, ROW.name, ROW)
    return derived(
        components=["example"],
        addresses=["192.0.2.1"],
        serve_base_domain=True,
        admin_networks=["192.0.2.0/24"],
    )


def test_a_component_with_a_name_of_its_own_is_served_there(example: Any) -> None:
    server, base, own = example["vhosts"]
    assert [server["name"], base["name"]] == ["matrix.example.com", "example.com"]
    assert own == {
        "name": "example.example.com",
        "ports": [443],
        "max_body_mb": 1,
        "routes": [
            {"path": "/ws", "kind": "websocket", "upstream": "example"},
            {"path": "/page/", "kind": "static", "directory": "/opt/example-page/current"},
            {
                "path": "/private/",
                "kind": "static",
                "directory": "/opt/example-page/current",
                "networks": ["127.0.0.0/8", "::1/128", "192.0.2.0/24"],
            },
            {"path": "/", "kind": "proxy", "upstream": "example"},
        ],
    }
    assert example["certificate"]["names"][2:] == ["example.example.com"]


def test_a_row_is_all_that_follows_from_a_component(example: Any) -> None:
    assert example["upstreams"]["example"] == {"host": "127.0.0.1", "port": 8900}
    assert example["roles"] == ["example"]
    assert example["well_known"]["client"]["org.example"] == {"url": "https://example.example.com"}
    assert "udp 7000" in example["listens"]
    assert example["application_services"] == [
        {
            "id": "example",
            "url": "http://127.0.0.1:8900",
            "sender": "examplebot",
            "users": "@example_.*:example\\.com",
        }
    ]
    assert example["dns_records"][-2:] == [
        {"name": "example.example.com", "type": "A", "value": "192.0.2.1", "purpose": "Example"},
        {
            "name": "example.com",
            "type": "TXT",
            "value": "v=example1 matrix.example.com",
            "purpose": "Example: proof",
        },
    ]


def test_a_component_that_is_left_out_is_retired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMPONENTS, ROW.name, ROW)
    assert "example" in derived()["retired"]
    assert "example" not in derived(components=["example"])["retired"]


def test_whoever_uses_the_certificate_reads_it_again() -> None:
    assert derived()["certificate"]["reload"] == ["nginx.service", "coturn.service"]


def test_what_the_description_does_without_is_retired() -> None:
    assert derived()["retired"] == list(optional())
    assert "acme" in derived(certificate="self_signed")["retired"]
    assert optional()[0] not in with_components(optional()[0])["retired"]


def test_turn_addresses_are_encrypted_first() -> None:
    assert derived()["turn"]["uris"] == [
        "turns:matrix.example.com:5349?transport=udp",
        "turns:matrix.example.com:5349?transport=tcp",
        "turn:matrix.example.com:3478?transport=udp",
        "turn:matrix.example.com:3478?transport=tcp",
    ]


@pytest.mark.parametrize(
    ("inputs", "records"),
    [
        pytest.param(
            {},
            [("matrix.example.com", "A", None), ("matrix.example.com", "AAAA", None)],
            id="addresses unknown",
        ),
        pytest.param(
            {"addresses": ["192.0.2.1"]}, [("matrix.example.com", "A", "192.0.2.1")], id="IPv4 only"
        ),
        pytest.param(
            {"addresses": ["192.0.2.1", "2001:DB8::1"], "serve_base_domain": True},
            [
                ("matrix.example.com", "A", "192.0.2.1"),
                ("matrix.example.com", "AAAA", "2001:db8::1"),
                ("example.com", "A", "192.0.2.1"),
                ("example.com", "AAAA", "2001:db8::1"),
            ],
            id="both names",
        ),
        pytest.param(
            {"addresses": ["192.0.2.1"], "hostname": "example.com"},
            [("example.com", "A", "192.0.2.1")],
            id="one name for both",
        ),
    ],
)
def test_dns_records(inputs: dict[str, object], records: list[object]) -> None:
    found = derived(**inputs)["dns_records"]
    assert [(record["name"], record["type"], record["value"]) for record in found] == records


def test_a_stranger_must_see_what_is_served() -> None:
    result = derived(registration="closed", support=PAGE)
    expected = result["expectations"]
    assert expected["well_known"] == result["well_known"]
    shown = [
        {**port, **open_} == open_
        for port, open_ in zip(result["ports"], expected["ports"]["open"])
    ]
    assert shown == [True] * len(result["ports"])
    assert [port["probe"] for port in expected["ports"]["open"]][:3] == ["ssh", "http", "https"]
    assert expected["turn"] == result["turn"]
    assert (expected["server_name"], expected["registration"]) == ("example.com", "closed")
    assert 8008 in [entry["port"] for entry in expected["ports"]["closed"]]


def test_nobody_is_expected_to_see_a_protocol_without_ports() -> None:
    result = derived(extra_ports=[{"protocol": "gre"}])
    assert result["ports"][-1]["protocol"] == "gre"
    assert "gre" not in [port["protocol"] for port in result["expectations"]["ports"]["open"]]


CHOSEN = st.lists(st.sampled_from(optional()), unique=True)


@given(CHOSEN)
def test_every_port_once_and_closed_ports_disjoint(names: list[str]) -> None:
    result = with_components(*names)
    taken = [range(port["first"], port["last"] + 1) for port in result["ports"]]
    kinds = [port["protocol"] for port in result["ports"]]
    for (one, kind), (other, other_kind) in combinations(zip(taken, kinds), 2):
        assert kind != other_kind or not set(one) & set(other)
    closed = {entry["port"] for entry in result["expectations"]["ports"]["closed"]}
    tcp = {number for one, kind in zip(taken, kinds) if kind == "tcp" for number in one}
    assert not closed & tcp


BRIDGE = {"components": ["heisenbridge"], "bridge_admins": ["@alice:example.com"]}


def ports_of_the_bridge(**inputs: object) -> list[Any]:
    result = derived(**BRIDGE, **inputs)
    opened = [port for port in result["ports"] if port["component"] == "heisenbridge"]
    proven = [port["first"] for port in result["expectations"]["ports"]["open"]]
    assert (113 in proven) == ("tcp 113" in result["listens"]) == bool(opened)
    return opened


@pytest.mark.parametrize("off", [False, "false"])
def test_a_port_follows_its_switch(off: object) -> None:
    """Firewall, plan, verifier, and who may hold the port already: all of them."""
    assert [port["name"] for port in ports_of_the_bridge()] == ["ident"]
    assert ports_of_the_bridge(heisenbridge_identd=off) == []


MAIL = {
    "components": ["postmoogle"],
    "bridge_admins": ["@alice:example.com"],
    "postmoogle_domains": ["example.com", "post.example.org"],
    "postmoogle_sha256": "a" * 64,
}


def test_each_domain_for_e_mail_has_its_records() -> None:
    records = [(row["type"], row["name"], row["value"]) for row in derived(**MAIL)["dns_records"]]
    for domain in MAIL["postmoogle_domains"]:
        assert ("MX", domain, "10 matrix.example.com") in records
        assert ("TXT", domain, "v=spf1 mx -all") in records
        assert ("TXT", f"_dmarc.{domain}", "v=DMARC1; p=quarantine") in records
        key = f"postmoogle._domainkey.{domain}"
        assert ("TXT", key, "v=DKIM1; k=rsa; p={key}") in records
    assert len(records) == 2 + 2 * 4


def test_a_server_without_the_bridge_has_no_records_for_e_mail() -> None:
    result = derived(**{**MAIL, "components": []})
    assert {row["type"] for row in result["dns_records"]} == {"A", "AAAA"}
    assert result["postmoogle"]["domains"] == []


def test_the_bridge_reads_a_new_certificate() -> None:
    assert "postmoogle.service" in derived(**MAIL)["certificate"]["reload"]


def test_bridges_are_bots_to_talk_to() -> None:
    (bot,) = derived(**BRIDGE)["bots"]
    assert bot["matrix_id"] == "@heisenbridge:example.com"
    assert "encryption off" in bot["start"]
    assert derived()["bots"] == []


@given(CHOSEN)
def test_everything_is_plain_data(names: list[str]) -> None:
    result = with_components(*names)
    assert json.loads(json.dumps(result)) == result


INPUTS = st.fixed_dictionaries(
    {},
    optional={
        "hostname": st.sampled_from([None, "example.com", "chat.provider.example"]),
        "registration": st.sampled_from(["invite", "closed"]),
        "serve_base_domain": st.booleans(),
        "support": st.sampled_from([{}, PAGE]),
        "ssh_port": st.integers(1024, 3000),
        "max_upload_mb": st.integers(1, 10240),
        "sources": st.sampled_from([{}, {"ssh": ["192.0.2.0/24"]}]),
        "addresses": st.lists(st.ip_addresses().filter(is_public).map(str), max_size=3),
    },
)


@given(INPUTS)
def test_every_consistent_description_gives_a_consistent_site(inputs: dict[str, object]) -> None:
    result = derived(**inputs)
    names = [host["name"] for host in result["vhosts"]]
    assert result["certificate"]["names"] == names
    assert names[0] == result["hostname"]
    assert {port["component"] for port in result["ports"]} <= set(result["components"])
    assert all(record["name"] in names for record in result["dns_records"])
    assert bool(result["redirects"]) == (result["domain"] not in names)
