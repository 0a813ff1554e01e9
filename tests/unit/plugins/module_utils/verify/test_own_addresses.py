# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A vantage that is the server itself: what can be judged is judged, and the rest is unknown."""

from __future__ import annotations

import asyncio

from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding
from ansible_collections.homestead.matrix.plugins.module_utils.verify.scope import Scope
from ansible_collections.homestead.matrix.plugins.module_utils.verify.verification import verify
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.report import Report
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.table import table
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_host import (
    FakeHost,
    Port,
    always,
    opened,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    FakeTransport,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    DOMAIN,
    Server,
)

OPENED = [opened("tcp", 22, "ssh"), opened("tcp", 3478, "coturn"), opened("tcp", 4443, "jitsi")]
CLOSED = [{"protocol": "tcp", "port": port, "purpose": ""} for port in (5432, 6379)]
PORTS: dict[str, Port] = {
    "tcp-22": always(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "tcp-3478": "refused",
    "tcp-4443": always(b""),
    "tcp-5432": "refused",
    "tcp-6379": always(b"-NOAUTH"),
}


class Whole(FakeHost):
    """A host with ports and with everything that a healthy server answers."""

    request = FakeTransport.request

    def __init__(self, server: Server, here: tuple[str, ...]) -> None:
        super().__init__(PORTS, records=server.records)
        self._replies, self._handshakes, self.here = server.replies, server.handshakes, here


def findings(*here: str) -> tuple[Finding, ...]:
    """Verify a healthy server, of whose addresses some are the vantage's own."""
    server = Server()
    expected = {**server.expectations, "ports": {"open": OPENED, "closed": CLOSED}}
    scope = Scope(DOMAIN, expectations=Expectations.of(expected))
    return asyncio.run(verify(Whole(server, here), scope)).findings


def look(*here: str) -> dict[str, str]:
    return {finding.id: finding.verdict for finding in findings(*here)}


def test_from_elsewhere_nothing_of_it_is_said() -> None:
    found = look("192.0.2.77")
    assert "ports.vantage" not in found
    assert found["ports.open.tcp-22"] == found["ports.closed.tcp-5432"] == "ok"


def test_from_itself() -> None:
    found = look("192.0.2.2", "2001:db8::2")
    judged = {
        "ports.vantage": "unknown",
        "ports.open.tcp-22": "unknown",
        "ports.open.tcp-3478": "error",
        "ports.open.tcp-4443": "unknown",
        "ports.closed.tcp-5432": "unknown",
        "ports.closed.tcp-6379": "unknown",
        "client.reach": "unknown",
        "federation.reach": "unknown",
        "dns.recursion": "unknown",
        "well_known.reach": "ok",
        "certificate.trust": "ok",
        "client.versions": "ok",
        "registration.mode": "ok",
    }
    assert {name: found[name] for name in judged} == judged


def test_the_way_to_a_vantage_is_said_once() -> None:
    report = Report.of(
        {
            "server_name": DOMAIN,
            "findings": [finding.as_dict() for finding in findings("192.0.2.2", "2001:db8::2")],
            "vantage": "here",
            "seconds": 1.0,
            "resolution": {},
        },
        checked_at="",
    )
    lines = [line.text for line in table(report)]
    assert len([line for line in lines if line.startswith("  unknown")]) == 1
    assert "verify_vantage" in " ".join(lines)


def test_which_addresses_are_of_this_machine() -> None:
    network = Network(Guard(), nameservers=["127.0.0.1"])
    assert network.is_here("127.0.0.1")
    assert not network.is_here("192.0.2.1")
    assert not network.is_here("100::1")
