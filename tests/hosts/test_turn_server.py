# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TURN checks against Debian's coturn, over UDP, TCP and TLS, on IPv4 and IPv6."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.turn_credentials import mint
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.turn_client import (
    Credentials,
)
from turn_server import CONFIGURATION, SECRET, TurnServer

WAYS = ("turn.udp", "turn.tcp", "turn.tls", "turn.dtls")
LOGIN = f"use-auth-secret\nstatic-auth-secret={SECRET}\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnServer]:
    server = TurnServer.up(tmp_path_factory.mktemp("turn"))
    yield server
    server.lab.down()


def test_nothing_is_wrong_with_a_good_server(server: TurnServer) -> None:
    server.configure(CONFIGURATION)
    findings = server.look()
    assert {finding.verdict for finding in findings} == {"ok"}
    relayed = [item for item in findings if item.id == "turn.relay_outside"]
    ways = {
        (item.id, item.evidence["address"]) for item in findings if "transport" in item.evidence
    }
    assert len(relayed) == 2
    assert len([way for way in ways if way[0] in WAYS]) == 8


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(SECRET, "south", {("error", "turn.credentials")}, id="another secret"),
        pytest.param(LOGIN, "no-auth\n", {("error", "turn.anonymous")}, id="relay for everybody"),
        pytest.param("realm=", "realm=other.", {("warning", "turn.realm")}, id="another realm"),
        pytest.param("no-cli", "no-udp", {("error", "turn.udp")}, id="no UDP"),
        pytest.param("no-cli", "no-tcp", {("error", "turn.tcp")}, id="no TCP"),
        pytest.param("no-cli", "no-tls", {("error", "turn.tls")}, id="no TLS"),
        pytest.param("no-cli", "no-dtls", {("error", "turn.dtls")}, id="no DTLS"),
        pytest.param(
            "min-port=49152\nmax-port=49573",
            "min-port=60000\nmax-port=60100",
            {("error", "turn.relay_port")},
            id="relay out of range",
        ),
        pytest.param(
            "no-cli",
            "denied-peer-ip=198.51.100.0-198.51.100.255\ndenied-peer-ip=2001:db8::-2001:db8:f::",
            {("warning", "turn.relay_permission")},
            id="peers forbidden",
        ),
        pytest.param(
            "denied-peer-ip=10.0.0.0-10.255.255.255\n",
            "",
            {("error", "turn.private_peers")},
            id="private peers",
        ),
        pytest.param(
            "no-cli",
            "external-ip=10.1.2.3",
            {("error", "turn.relay_address")},
            id="a private address is given out",
        ),
    ],
)
def test_one_fault(server: TurnServer, old: str, new: str, expected: set[tuple[str, str]]) -> None:
    server.configure(CONFIGURATION.replace(old, new))
    faults = [(item.verdict, item.id) for item in server.look() if item.verdict != "ok"]
    assert set(faults) == expected
    assert len(faults) <= 2, "each family may have its own; what both share is said once"


def test_a_certificate_that_nobody_trusts(server: TurnServer) -> None:
    server.configure(CONFIGURATION)
    faults = {(item.verdict, item.id) for item in server.look(trusted=False)}
    assert faults - {("ok", item) for _unused, item in faults} == {("error", "turn.certificate")}


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        pytest.param(-2, {("error", "turn.expired")}, id="slow"),
        pytest.param(2, {("error", "turn.credentials")}, id="fast"),
    ],
)
def test_a_clock_that_is_wrong(
    server: TurnServer, hours: int, expected: set[tuple[str, str]]
) -> None:
    """A slow clock takes what has expired; to a fast one all credentials have."""
    server.clock(hours)
    server.configure(CONFIGURATION)
    findings = [(item.verdict, item.id) for item in server.look()]
    server.clock(0)
    assert [item for item in findings if item[0] != "ok"] == sorted(expected)


def test_a_port_from_which_another_user_asked(server: TurnServer) -> None:
    """Coturn knows a port by its user for a while, and refuses everybody else who comes from it."""
    server.configure(CONFIGURATION)
    given = mint(SECRET, ttl=600, now=int(time.time()))
    port, refusal = server.borrow(Credentials(**given["expired"]))
    assert "401" in refusal
    user = Credentials(given["username"], given["password"])
    assert server.borrow(user, port) == (port, "a relay")


def test_a_stopped_server(server: TurnServer) -> None:
    server.shell("systemctl stop coturn")
    assert [(item.verdict, item.id) for item in server.look()] == [("error", "turn.server")]
