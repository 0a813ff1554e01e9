# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.host.clusters import (
    Cluster,
    Databases,
)
from ansible_collections.homestead.matrix.plugins.module_utils.host.disks import Disk
from ansible_collections.homestead.matrix.plugins.module_utils.host.homeservers import (
    HOMESERVERS,
    Homeserver,
)
from ansible_collections.homestead.matrix.plugins.module_utils.host.judging import (
    Observation,
    Requirements,
    addresses,
    facts,
    faults,
    listeners,
    memory_mb,
    release_fields,
    told,
)

PORTS = frozenset({"tcp 25", "tcp 80", "tcp 443", "tcp 8448", "udp 3478"})
NEEDED = Requirements(server_name="example.com", memory_mb=900, disk_mb=3072, ports=PORTS)
TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when   uid timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1
   1: 0100007F:1F48 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 102 1
   2: 0A00020F:0050 0A000202:C350 01 00000000:00000000 00:00000000 00000000     0        0 103 1
"""
UDP = """   0: 00000000:0D96 00000000:0000 07 00000000:00000000 00:0 0 0        0 201 2
   1: 0A00020F:0D97 0A000202:0035 01 00000000:00000000 00:0 0 0        0 202 2
"""
LINE = "   9: {address}:{port:04X} 00000000:0000 0A 00000000:00000000 00:0 0 0 0 {inode} 1\n"
RELEASE = """PRETTY_NAME="Debian GNU/Linux 13 (trixie)"
NAME="Debian GNU/Linux"
VERSION_ID="13"
VERSION_CODENAME=trixie
ID=debian
"""
STARTED = "/opt/chat/bin/python -m synapse.app.homeserver -c /srv/chat"
FIB_TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.0
        /8 host LOCAL
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 192.0.2.0
        /24 link UNICAST
     |-- 192.0.2.10
        /32 host LOCAL
     |-- 192.0.2.255
        /32 link BROADCAST
Local:
     |-- 192.0.2.10
        /32 host LOCAL
"""
IF_INET6 = """20010db8000000000000000000000010 02 40 00 80     eth0
fe80000000000000000000fffe000001 02 40 20 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
"""
FRESH = Observation(
    os_release=RELEASE,
    meminfo="MemTotal:        2014208 kB\nMemFree:          100000 kB\n",
    tcp=TCP,
    udp="",
    owners={},
    fib_trie=FIB_TRIE,
    if_inet6=IF_INET6,
    disks=(Disk("/", 20 * 1024**3),) * 4,
    machine="x86_64",
    server_name="",
    services=frozenset(),
    secrets=frozenset(),
    iptables="",
    ip6tables="",
    nftables="",
)

OURS = Databases((Cluster(17, "main", used=True),), units=("postgresql@17-main.service",))

FULL = (Disk("/", 0),) * 4

# Without its comments, of coturn 4.6.1-1 and 4.6.1-2 alike.
DEBIANS = """\
# realm=mycompany.org

syslog
no-rfc5780
no-stun-backward-compatibility
response-origin-only-with-rfc5780
"""


def listening(*ports: int, address: str = "00000000") -> str:
    lines = (
        LINE.format(address=address, port=port, inode=900 + number)
        for number, port in enumerate(ports)
    )
    return TCP + "".join(lines)


def test_a_fresh_host_is_taken() -> None:
    assert faults(FRESH, NEEDED) == []


def test_facts() -> None:
    assert facts(FRESH, NEEDED) == {
        "release": "13",
        "codename": "trixie",
        "architecture": "x86_64",
        "memory_mb": 1967,
        "disk_free_mb": 20480,
        "python": "3.13",
        "postgresql": {
            "version": 17,
            "cluster": "main",
            "port": 5432,
            "shared": False,
            "data": "",
            "next": {
                "version": 17,
                "cluster": "main",
                "port": 5432,
                "shared": False,
                "fault": "The host has no database of a Matrix server that could be moved.",
            },
        },
        "addresses": ["192.0.2.10", "2001:db8::10"],
        "published": [],
        "services": [],
        "retired": [],
        "adoption": {},
        "adopted": {},
        "secrets": [],
        "public_keys": {},
    }


TUNNEL = replace(NEEDED, tunnel=("192.0.2.10/24", "fd00::1/64"))


def test_the_tunnel_is_no_address_of_the_host() -> None:
    seen = replace(FRESH, services=frozenset({"wireguard"}))
    assert faults(seen, TUNNEL) == []
    assert facts(seen, TUNNEL)["addresses"] == ["2001:db8::10"]


def test_a_host_that_is_in_the_private_network_already_is_refused() -> None:
    assert faults(FRESH, TUNNEL) == [
        "The host has the address 192.0.2.10 in 192.0.2.0/24, which shall be the private network; "
        "choose another wireguard_network."
    ]


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        pytest.param("0" * 8, True, id="everywhere"),
        pytest.param("0" * 32, True, id="everywhere by IPv6"),
        pytest.param("3500007F", False, id="the stub of systemd-resolved"),
        pytest.param("017AA8C0", False, id="a network of virtual machines"),
    ],
)
def test_others_may_have_addresses_of_their_own(address: str, refused: bool) -> None:
    """Where only the tunnel is answered, as by its name server."""
    seen = replace(FRESH, tcp=listening(53, address=address), owners={"900": "named"})
    needed = replace(NEEDED, ports=frozenset({"tcp 53 any"}))
    assert [fault.split(";")[0] for fault in faults(seen, needed)] == [
        "named already listens on tcp 53"
    ] * refused


@pytest.mark.parametrize("owners", [{}, {"201": "wireguard-go"}])
def test_wireguard_has_its_port_by_the_kernel_or_by_a_program(owners: dict[str, str]) -> None:
    seen = replace(FRESH, udp=UDP, owners=owners)
    (refused,) = faults(seen, NEEDED)
    assert f"{owners.get('201', 'the kernel')} already listens on udp 3478" in refused
    assert faults(replace(seen, services=frozenset({"wireguard"})), NEEDED) == []


def test_published_ports_are_told_as_data() -> None:
    rule = "-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination {}"
    seen = replace(
        FRESH, iptables=rule.format("172.17.0.2:80"), ip6tables=rule.format("[fd00::2]:80")
    )
    assert facts(seen, NEEDED)["published"] == [
        {"protocol": "tcp", "first": 8080, "last": 8080, "to": "172.17.0.2:80"},
        {"protocol": "tcp", "first": 8080, "last": 8080, "to": "[fd00::2]:80"},
    ]


def test_listeners_are_told_from_connections() -> None:
    assert listeners(tcp=TCP, udp=UDP) == {"101": "tcp 22", "102": "tcp 8008", "201": "udp 3478"}


def test_addresses_without_any() -> None:
    assert addresses("", "") == []


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        pytest.param("A=b\nC=\"d e\"\nF='g'\n", {"A": "b", "C": "d e", "F": "g"}, id="quotes"),
        pytest.param("# nothing\n\n", {}, id="nothing"),
        pytest.param("URL=https://a/?b=c\n", {"URL": "https://a/?b=c"}, id="equals sign inside"),
    ],
)
def test_release_fields(text: str, fields: dict[str, str]) -> None:
    assert release_fields(text) == fields


def test_memory_unknown_is_none() -> None:
    assert memory_mb("") == 0


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        pytest.param(
            replace(
                FRESH,
                os_release='ID=debian\nVERSION_ID="11"\nPRETTY_NAME="Debian 11 (bullseye)"',
            ),
            "The host runs Debian 11 (bullseye); install Debian 12 or 13.",
            id="old Debian",
        ),
        pytest.param(
            replace(FRESH, os_release='ID=ubuntu\nVERSION_ID="12"\nPRETTY_NAME="Ubuntu 12.04"'),
            "The host runs Ubuntu 12.04; install Debian 12 or 13.",
            id="no Debian with a number that Debian has too",
        ),
        pytest.param(
            replace(FRESH, os_release='ID=debian\nPRETTY_NAME="Debian GNU/Linux forky/sid"'),
            "The host runs Debian GNU/Linux forky/sid; install Debian 12 or 13.",
            id="Debian without a number",
        ),
        pytest.param(
            replace(FRESH, os_release=""),
            "The host runs an unknown system; install Debian 12 or 13.",
            id="nothing known",
        ),
        pytest.param(
            replace(FRESH, tcp=listening(80), owners={"900": "apache2"}),
            "apache2 already listens on tcp 80; "
            "remove it or let it listen elsewhere, because the Matrix server needs that itself.",
            id="another web server",
        ),
        pytest.param(
            replace(FRESH, tcp=listening(443, 80), owners={"900": "caddy", "901": "caddy"}),
            "caddy already listens on tcp 80 and tcp 443; "
            "remove it or let it listen elsewhere, because the Matrix server needs that itself.",
            id="on both ports",
        ),
        pytest.param(
            replace(FRESH, tcp=listening(80, address="0" * 32), owners={"900": "caddy"}),
            "caddy already listens on tcp 80; "
            "remove it or let it listen elsewhere, because the Matrix server needs that itself.",
            id="on IPv6",
        ),
        pytest.param(
            replace(FRESH, tcp=listening(80), owners={"900": "nginx"}),
            "nginx already listens on tcp 80; "
            "remove it or let it listen elsewhere, because the Matrix server needs that itself.",
            id="an nginx that is not ours",
        ),
        pytest.param(
            replace(FRESH, tcp=listening(80), services=frozenset({"reverse_proxy"})),
            "another program already listens on tcp 80; "
            "remove it or let it listen elsewhere, because the Matrix server needs that itself.",
            id="nobody knows whose",
        ),
        pytest.param(
            replace(FRESH, tcp=listening(8448), owners={"900": "haproxy"}),
            "haproxy already listens on tcp 8448; "
            "remove it or let it listen elsewhere, because the Matrix server needs that itself.",
            id="the port of federation",
        ),
        pytest.param(
            replace(FRESH, udp=UDP, owners={"201": "turnserver"}),
            "turnserver already listens on udp 3478; "
            "remove it or let it listen elsewhere, because the Matrix server needs that itself.",
            id="another relay",
        ),
        pytest.param(
            replace(FRESH, tcp=listening(25, address="0100007F"), owners={"900": "exim4"}),
            "exim4 already listens on tcp 25; "
            "remove it or let it listen elsewhere, because the Matrix server needs that itself.",
            id="Debian's mail server, on the loopback address only",
        ),
        pytest.param(
            replace(FRESH, meminfo="MemTotal:         524288 kB\n"),
            "The host has 512 MB of memory and needs 900 MB; "
            "take a larger one or lower matrix_minimum_memory_mb.",
            id="little memory",
        ),
        pytest.param(
            replace(FRESH, disks=(Disk("/", 1024**3),) * 4),
            "The host has 1024 MB free on the file system / and needs 3072 MB there; "
            "make room or lower matrix_minimum_disk_mb.",
            id="little disk",
        ),
        pytest.param(
            replace(FRESH, server_name="old.example", databases=OURS),
            "The host already serves the Matrix IDs of old.example, and every account would be "
            "lost with matrix_domain example.com; set it to old.example again "
            "or take another host.",
            id="another domain",
        ),
        pytest.param(
            replace(FRESH, server_name="example.com"),
            "Synapse has run on this host, but PostgreSQL's cluster 17/main has no database for "
            "it, and with an empty one all accounts and rooms would be lost from sight; bring the "
            "cluster or its databases back.",
            id="a database that is gone",
        ),
        pytest.param(
            replace(FRESH, homeservers=frozenset({"etc/matrix-synapse"})),
            "The host has a Synapse that this collection did not set up (/etc/matrix-synapse); its "
            "accounts, rooms and signing key would be lost from sight. Adopt it with matrix_adopt: "
            "true, or take another host. If nothing there is needed any more, move it away.",
            id="another Synapse",
        ),
        pytest.param(
            replace(FRESH, units={"etc/systemd/system/chat.service": f"ExecStart={STARTED}\n"}),
            "The host has a Synapse that this collection did not set up "
            "(/etc/systemd/system/chat.service); its accounts, rooms and signing key would be lost "
            "from sight. Adopt it with matrix_adopt: true, or take another host. If nothing there "
            "is needed any more, move it away.",
            id="another Synapse under any name",
        ),
        pytest.param(
            replace(FRESH, units={"etc/systemd/system/m.service": "ExecStart=/opt/tuwunel -c x\n"}),
            "The host has a Tuwunel that this collection did not set up "
            "(/etc/systemd/system/m.service); its accounts, rooms and signing key would be lost "
            "from sight. Take another host: only a Synapse can be adopted. If nothing there is "
            "needed any more, move it away.",
            id="another make under any name",
        ),
        pytest.param(
            replace(FRESH, adoption='{"begun": true}', records=frozenset({"synapse"})),
            "The adoption of the Synapse on the host was interrupted; run again with "
            "matrix_adopt: true, and it will be finished.",
            id="an adoption half done",
        ),
        pytest.param(
            replace(FRESH, turnserver="# comment\nstatic-auth-secret=north\n"),
            "The host has a TURN server that this collection did not set up (/etc/turnserver.conf);"
            " whoever uses it would lose it. Take another host, or move that file away.",
            id="another TURN server",
        ),
    ],
)
def test_what_is_refused(seen: Observation, sentence: str) -> None:
    assert faults(seen, NEEDED) == [sentence]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(
            replace(
                FRESH,
                tcp=listening(80, 443),
                owners={"900": "nginx", "901": "nginx"},
                services=frozenset({"reverse_proxy"}),
            ),
            id="our own web server",
        ),
        pytest.param(
            replace(
                FRESH,
                udp=UDP,
                owners={"201": "a program of turnserver"},
                services=frozenset({"coturn"}),
            ),
            id="our own relay, in a container",
        ),
        pytest.param(
            replace(
                FRESH,
                udp=UDP,
                owners={"201": "a program of heisenbridge"},
                services=frozenset({"heisenbridge"}),
            ),
            id="a component under the account of its name",
        ),
        pytest.param(
            replace(
                FRESH,
                homeservers=frozenset({"etc/matrix-synapse"}),
                turnserver="realm=example.com",
                services=frozenset({"synapse", "coturn"}),
                records=frozenset({"synapse", "coturn"}),
            ),
            id="our own servers",
        ),
        pytest.param(replace(FRESH, turnserver=DEBIANS), id="coturn as Debian brings it"),
        pytest.param(
            replace(FRESH, server_name="example.com", databases=OURS), id="the same domain"
        ),
        pytest.param(
            replace(FRESH, server_name="example.com", disks=FULL, databases=OURS),
            id="a full disk to repair",
        ),
        pytest.param(replace(FRESH, tcp=listening(8080)), id="something on another port"),
        pytest.param(
            replace(FRESH, server_name="example.com", unfinished=frozenset({"synapse"})),
            id="Synapse's first run died before it had a database",
        ),
    ],
)
def test_what_is_taken(seen: Observation) -> None:
    assert faults(seen, NEEDED) == []


@pytest.mark.parametrize("row", HOMESERVERS, ids=lambda row: row.title)
def test_every_homeserver_is_refused_wherever_it_stands(row: Homeserver) -> None:
    for path in row.paths:
        [sentence] = faults(replace(FRESH, homeservers=frozenset({path})), NEEDED)
        assert f"{row.title} that this collection did not set up (/{path})" in sentence


def test_all_faults_are_told_at_once() -> None:
    seen = replace(FRESH, os_release="", meminfo="", disks=FULL, tcp=listening(80))
    assert len(faults(seen, NEEDED)) == 4


@pytest.mark.parametrize(
    "unit",
    [
        pytest.param("ExecStart=/bin/tar c /etc/matrix-synapse\n", id="a backup of one"),
        pytest.param("Description=not synapse.app.homeserver\n", id="a word about one"),
        pytest.param("ExecStart=/usr/bin/dendritic\n", id="a name that only begins alike"),
    ],
)
def test_a_unit_that_starts_no_homeserver_is_none(unit: str) -> None:
    assert faults(replace(FRESH, units={"etc/systemd/system/a.service": unit}), NEEDED) == []


def test_with_the_word_a_synapse_is_no_fault_but_other_makes_are() -> None:
    there = frozenset({"etc/matrix-synapse", "etc/dendrite"})
    [sentence] = faults(replace(FRESH, homeservers=there), replace(NEEDED, adopt=True))
    assert "has a Dendrite" in sentence


def test_several_faults_are_a_list() -> None:
    assert told(["One."]) == "One."
    assert told(["One.", "Two."]) == (
        "The host cannot be a Matrix server for 2 reasons:\n- One.\n- Two."
    )


def test_a_secret_that_nobody_has_given_is_missed_before_anything_changes() -> None:
    needed = replace(NEEDED, secrets=("oidc_club", "oidc_google"))
    [sentence] = faults(replace(FRESH, secrets=frozenset({"oidc_google"})), needed)
    assert sentence == (
        "Nobody has given the secret 'oidc_club': set the variable that holds it, or write it to "
        "/etc/homestead/secrets/oidc_club on the host, readable by root only."
    )
