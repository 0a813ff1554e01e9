# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.commit import Firewall, Wish
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.dnsmasq import configuration
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.nftables import (
    NAME,
    Nftables,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.ports import Port, parse
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.resolver import (
    Place,
    fault,
    places,
    refusal,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.system import FirewallError
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall.dns_host import (
    LINKS,
    ROUTES,
    DnsHost,
    link,
)

SERVER = places(LINKS, ROUTES)
CLOUD = [
    Place("eth0", ip_address("10.0.0.5"), outward=True),
    Place("wg0", ip_address("10.8.0.1")),
]
PUBLIC_TUNNEL = [*SERVER, Place("wg0", ip_address("2001:db8:8::1"))]
PUBLIC_LOOPBACK = [*SERVER, Place("lo", ip_address("203.0.113.77"))]


DEBIAN = "-x /run/dnsmasq.pid -u dnsmasq -7 /etc/dnsmasq.d,.dpkg-dist,.dpkg-old,.dpkg-new"
BOTH = "203.0.113.5 (eth0), 2001:db8::5 (eth0)"
NO_UPSTREAM = "no-resolv\nserver=/example.org/\nlocal=/lan/"


def options(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in configuration(text):
        found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize(
    ("text", "here", "reason"),
    [
        pytest.param("local-service", SERVER, "", id="local-service"),
        pytest.param("local-service=host", SERVER, "", id="this host alone"),
        pytest.param("", SERVER, f"on {BOTH}, as local-service is not set", id="nothing"),
        pytest.param("", CLOUD, "on 10.0.0.5 (eth0)", id="behind a NAT"),
        pytest.param("", [Place("eth0", ip_address("10.0.0.5"))], "", id="no way out"),
        pytest.param("except-interface=lo", SERVER, "beside except-interface", id="all but lo"),
        pytest.param("except-interface=eth0", SERVER, "", id="all but outside"),
        pytest.param("except-interface=e*", SERVER, "", id="all but a pattern"),
        pytest.param("except-interface=eth0", PUBLIC_TUNNEL, "", id="all but where they come in"),
        pytest.param("interface=eth0", SERVER, f"on {BOTH}, as", id="outside"),
        pytest.param("local-service\ninterface=eth0", SERVER, "beside interface", id="overridden"),
        pytest.param("local-service\ninterface=wg0", SERVER, "", id="overridden by the tunnel"),
        pytest.param("interface=wg0", SERVER, "", id="tunnel"),
        pytest.param("interface=", SERVER, "", id="no interface"),
        pytest.param("interface=wg0,eth0", SERVER, f"on {BOTH}", id="list of interfaces"),
        pytest.param("interface=eth*", SERVER, f"on {BOTH}", id="pattern"),
        pytest.param("interface=wg0\nexcept-interface=lo", SERVER, "", id="tunnel, not lo"),
        pytest.param("interface=wg0", CLOUD, "", id="tunnel behind a NAT"),
        pytest.param("interface=wg0", PUBLIC_TUNNEL, "", id="tunnel with a public address"),
        pytest.param(
            "interface=wg0\nbind-interfaces",
            PUBLIC_TUNNEL,
            "on 2001:db8:8::1 (wg0)",
            id="tunnel with a public address that is bound",
        ),
        pytest.param(
            "interface=wg0\nbind-interfaces", PUBLIC_LOOPBACK, "(lo)", id="lo comes along"
        ),
        pytest.param("listen-address=127.0.0.1,10.8.0.1,::1,fd00::1", SERVER, "", id="private"),
        pytest.param(
            "listen-address=10.8.0.1\nlisten-address=2001:DB8:0::5",
            SERVER,
            "on 2001:db8::5 (eth0), as local-service does not count beside listen-address",
            id="public address",
        ),
        pytest.param("listen-address=10.0.0.5", CLOUD, "on 10.0.0.5", id="address behind a NAT"),
        pytest.param("listen-address=0.0.0.0", SERVER, "on 203.0.113.5 (eth0)", id="all addresses"),
        pytest.param(
            "interface=wg0\nlisten-address=203.0.113.5\nexcept-interface=eth0",
            SERVER,
            "on 203.0.113.5 (eth0), as local-service does not count beside "
            "interface and except-interface and listen-address",
            id="address of an excepted interface",
        ),
        pytest.param("auth-server=example.org", SERVER, "beside auth-server", id="authoritative"),
        pytest.param("auth-server=example.org,eth0", SERVER, "", id="authoritative outside"),
        pytest.param("auth-server=a.org,eth0/4", SERVER, "on 2001:db8::5", id="for IPv4 alone"),
        pytest.param("auth-server=a.org,203.0.113.5", SERVER, "on 2001:db8::5", id="one address"),
        pytest.param(
            "auth-server=a.org,eth0\ninterface=wg0",
            PUBLIC_TUNNEL,
            "on 2001:db8:8::1 (wg0)",
            id="authoritative outside, recursive over TCP",
        ),
        pytest.param(NO_UPSTREAM, SERVER, "", id="nobody to ask"),
        pytest.param(f"{NO_UPSTREAM}\nserver=192.0.2.1", SERVER, BOTH, id="a server"),
        pytest.param(
            f"{NO_UPSTREAM}\nserver=/lan/192.0.2.1", SERVER, BOTH, id="server of a domain"
        ),
        pytest.param(f"{NO_UPSTREAM}\nservers-file=/servers", SERVER, BOTH, id="servers-file"),
        pytest.param(f"{NO_UPSTREAM}\nrev-server=10.0.0.0/8,::1", SERVER, BOTH, id="rev-server"),
        pytest.param(f"{NO_UPSTREAM}\nenable-dbus", SERVER, BOTH, id="servers over D-Bus"),
        pytest.param("port=0", SERVER, "", id="no DNS"),
        pytest.param("port=5353", SERVER, "", id="another port"),
        pytest.param("port=53", SERVER, BOTH, id="the port"),
        pytest.param("local-service\nconf-script=/x", SERVER, "its conf-script", id="script"),
    ],
)
def test_fault(text: str, here: list[Place], reason: str) -> None:
    found = fault(options(text), here=here)
    assert reason in found
    assert bool(reason) is bool(found)


@pytest.mark.parametrize(
    ("links", "routes", "found"),
    [
        pytest.param(
            [link("eth0", "192.0.2.1")],
            [{"dst": "default", "dev": "eth0"}],
            [("eth0", "192.0.2.1", True)],
            id="default route",
        ),
        pytest.param(
            [link("eth0", "192.0.2.1"), link("eth1", "192.0.2.2")],
            [{"dst": "default", "nexthops": [{"dev": "eth1", "weight": 1}]}],
            [("eth0", "192.0.2.1", False), ("eth1", "192.0.2.2", True)],
            id="several ways",
        ),
        pytest.param(
            [link("lo", "192.0.2.1")],
            [{"type": "unreachable", "dst": "default", "dev": "lo"}],
            [("lo", "192.0.2.1", False)],
            id="no way",
        ),
        pytest.param(
            [link("eth0", "192.0.2.1", label="eth0:1")],
            [{"dst": "default", "dev": "eth0"}],
            [("eth0:1", "192.0.2.1", True)],
            id="label",
        ),
        pytest.param([{"ifname": "wg0", "addr_info": [{}]}, {}], [], [], id="no address"),
    ],
)
def test_places(
    links: list[dict[str, Any]],
    routes: list[dict[str, Any]],
    found: list[tuple[str, str, bool]],
) -> None:
    expected = [Place(name, ip_address(address), outward) for name, address, outward in found]
    assert places(links, routes) == expected


def port(first: int, *sources: str, protocol: str = "udp", last: int = 0) -> Port:
    row = {"protocol": protocol, "first": first, "last": last or first, "purpose": "DNS"}
    return parse({**row, "sources": sources})


@pytest.mark.parametrize(
    ("wanted", "opened"),
    [
        pytest.param([port(53)], "udp 53", id="udp"),
        pytest.param([port(53), port(53, protocol="tcp")], "udp 53 and tcp 53", id="both"),
        pytest.param([port(50, last=60)], "udp 50-60", id="range"),
        pytest.param([port(53, "10.8.0.0/24", "::/0")], "udp 53", id="all of IPv6"),
    ],
)
def test_an_open_resolver_is_refused(wanted: list[Port], opened: str) -> None:
    sentence = refusal(DnsHost(arguments="-k"), wanted)
    assert sentence.startswith(f"The new rules would open {opened} to everybody, but")
    assert "firewall_sources: {dnsmasq: [10.8.0.0/24]}" in sentence
    assert "(local-service without interface, except-interface, listen-address" in sentence


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param([port(22, protocol="tcp"), port(54), port(49152, last=49573)], id="no DNS"),
        pytest.param([port(53, "10.8.0.0/24", "fd00::/64")], id="narrowed"),
    ],
)
def test_nothing_is_asked_unless_the_port_opens_to_everybody(wanted: list[Port]) -> None:
    host = DnsHost(arguments="-k")
    assert not refusal(host, wanted)
    assert not host.commands


def test_a_host_without_dnsmasq_is_asked_once() -> None:
    host = DnsHost()
    assert not refusal(host, [port(53)])
    assert host.commands == ["pidof dnsmasq"]


@pytest.mark.parametrize(
    ("files", "refused"),
    [
        pytest.param({}, False, id="as installed"),
        pytest.param({"/etc/dnsmasq.d/a": "interface=eth0"}, True, id="outside"),
        pytest.param({"/etc/dnsmasq.d/a.dpkg-old": "interface=eth0"}, False, id="former file"),
        pytest.param({"/etc/dnsmasq.conf": "interface=eth0"}, True, id="main file"),
        pytest.param({"/etc/dnsmasq.conf": "interface=wg0"}, False, id="tunnel"),
    ],
)
def test_the_service_of_debian(files: dict[str, str], refused: bool) -> None:
    host = DnsHost(arguments=f"{DEBIAN} --local-service", files=files)
    assert bool(refusal(host, [port(53)])) is refused


@pytest.mark.parametrize("path", ["/etc/dnsmasq.conf", "/etc/dnsmasq.d", "/etc/dnsmasq.d/a.conf"])
def test_a_dnsmasq_older_than_its_configuration_is_refused(path: str) -> None:
    files = {"/etc/dnsmasq.d/a.conf": "cache-size=10"}
    host = DnsHost(arguments=f"{DEBIAN} --local-service", files=files, changed=path)
    assert "its configuration has changed since it started" in refusal(host, [port(53)])


def test_a_dnsmasq_that_ends_meanwhile_is_none() -> None:
    host = DnsHost(arguments="-k")
    del host.files["/proc/370/stat"], host.files["/proc/370/cmdline"]
    assert not refusal(host, [port(53)])


def test_refused_before_anything_changes() -> None:
    host = DnsHost(arguments="-k")
    before = dict(host.files)
    wish = Wish(ports=[port(22, protocol="tcp"), port(53)], rules={"nftables": {NAME: ""}})
    with pytest.raises(FirewallError, match=r"open resolver.* Nothing was changed\.$"):
        Firewall(host, backends={"nftables": Nftables(host)}).inspect(wish, over_ssh=True)
    assert host.files == before
