# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the DNS: records that are missing, dead, deprecated or broken."""

from __future__ import annotations

from certificates import Shape
from damage import Damage, Edit, Names, Rule, Shown, Together
from fault import SITE, Fault, fault
from faults_documents import redirected

BASE = "host-record=homestead.test,"
HOST = "host-record=matrix.homestead.test,"
SERVED = "server_name matrix.homestead.test;\n    include"
RECORD = "srv-host=_matrix-fed._tcp.homestead.test"
ALIAS = "cname=alias.homestead.test,matrix.homestead.test"


def by_service(*records: str) -> Damage:
    """Delegate by SRV records alone: no document, and the base domain's name on the host."""
    return Together(
        (
            redirected("server", "return 404;"),
            Shown(Shape(names=("matrix.homestead.test", "homestead.test")), restart=("nginx",)),
            Edit("matrix", SITE, SERVED, SERVED.replace(";", " homestead.test;")),
            Names(added=records),
        )
    )


def service(name: str, records: tuple[str, ...], *named: str) -> Fault:
    return fault(name, by_service(*records), *named, planned=False)


FAULTS = [
    service(
        "none: SRV records are another way to delegate",
        (f"{RECORD},matrix.homestead.test,443",),
    ),
    service(
        "the SRV record points at an alias",
        (f"{RECORD},alias.homestead.test,443", ALIAS),
        "error resolution.srv_target",
    ),
    service("the SRV record offers no service", (RECORD,), "error resolution.srv_target"),
    service(
        "the SRV record points nowhere",
        (f"{RECORD},nowhere.homestead.test,443",),
        "error resolution.addresses",
    ),
    service(
        "the SRV record points at a closed port",
        (f"{RECORD},matrix.homestead.test,9",),
        "error federation.reach",
    ),
    service(
        "the SRV record has the deprecated name",
        ("srv-host=_matrix._tcp.homestead.test,matrix.homestead.test,443",),
        "warning resolution.srv_deprecated",
    ),
    service(
        "the name server fails for the SRV record",
        ("server=/_matrix-fed._tcp.homestead.test/127.0.0.1#9",),
        "error resolution.lookup",
    ),
    fault(
        "the Matrix host has a dead IPv6 address",
        Names((HOST,), ("host-record=matrix.homestead.test,{ipv4},{dead6}",)),
        "error ports.address",
    ),
    fault(
        "none: the Matrix host has no IPv6 address",
        Names((HOST,), ("host-record=matrix.homestead.test,{ipv4}",)),
    ),
    fault(
        "the Matrix host is closed over IPv6",
        Rule("matrix", "meta nfproto ipv6 meta l4proto { tcp, udp } drop"),
        "error ports.address",
    ),
    fault(
        "the Matrix host has no address",
        Names((HOST,)),
        "error client.reach",
        "error turn.addresses",
    ),
    fault(
        "the base domain has no address",
        Names((BASE,)),
        "error resolution.addresses",
    ),
]
