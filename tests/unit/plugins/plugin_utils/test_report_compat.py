# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms of the public testers, filled by the verifier on a server that is broken one way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.scope import Scope
from ansible_collections.homestead.matrix.plugins.module_utils.verify.verification import verify
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Fault,
    SrvTarget,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.report import (
    Report,
    as_document,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify import healthy
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    NO_CONNECTION,
    FakeTransport,
    Record,
    Reply,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    DOMAIN,
    HOST,
    KEYS,
    VERSION,
    Server,
    page,
    signed_keys,
    untrusted,
)

SCHEMA = json.loads((Path(__file__).parents[4] / "docs" / "report.schema.json").read_text())
SERVER = f"{healthy.BASE}/.well-known/matrix/server"
FIRST, SECOND = "192.0.2.2:443", "[2001:db8::2]:443"
NO_ROUTE = replace(NO_CONNECTION, error=Fault("no_route", "this machine has no route there"))
TIMEOUT = replace(NO_CONNECTION, error=Fault("timeout", "no answer within 5 seconds"))
AREAS = ("resolution", "federation", "certificate")
Break = Callable[[Server], None]


def put(*names: str, reply: Reply) -> Break:
    return lambda server: server.replies.update(dict.fromkeys(names, reply))


def nothing(_server: Server) -> None:
    """Leave the server healthy."""


def expired(server: Server) -> None:
    fault = Fault("tls", "the certificate is not trusted")
    certificate = untrusted("certificate has expired", days=-1)
    for url in (KEYS, VERSION):
        server.change(url, error=fault, certificate=certificate)


def by_service(server: Server) -> None:
    server.replies[SERVER] = page({"errcode": "x"}, 404)
    record = Record(f"_matrix-fed._tcp.{DOMAIN}", "SRV", service=SrvTarget(10, 5, 443, HOST))
    server.records = (*server.records, record)
    for name in (KEYS, VERSION):
        server.replies[name.replace(HOST, DOMAIN)] = server.replies[name]


def no_addresses(server: Server) -> None:
    server.records = server.records[:1]


def other_server(server: Server) -> None:
    server.replies[KEYS] = page(signed_keys(server_name="example.net"))


def forged(server: Server) -> None:
    keys = signed_keys()
    server.replies[KEYS] = page({**keys, "valid_until_ts": keys["valid_until_ts"] + 1})


def stale(server: Server) -> None:
    server.replies[KEYS] = page(signed_keys(valid_until_ts=1))


def document(damage: Break, *, server_name: str = DOMAIN) -> dict[str, Any]:
    """Verify a damaged server and return the report, which must follow its schema."""
    server = Server()
    damage(server)
    transport = FakeTransport(server.records, server.replies, server.handshakes)
    scope = Scope(server_name, expectations=Expectations.of(server.expectations))
    result = {**asyncio.run(verify(transport, scope)).as_dict(), "vantage": "vantage"}
    report = Report.of(result, checked_at="2026-01-02T03:04:05Z")
    told: dict[str, Any] = json.loads(json.dumps(as_document(report)))
    jsonschema.validate(told, SCHEMA, cls=jsonschema.Draft202012Validator)
    return told


BROKEN = {
    "healthy": nothing,
    "expired certificate": expired,
    "found by SRV": by_service,
    "peers go astray": put(SERVER, reply=page({"errcode": "x"}, 404)),
    "no addresses": no_addresses,
    "another server's keys": other_server,
    "changed keys": forged,
    "expired keys": stale,
    "one address dead": put(f"GET {KEYS} at 192.0.2.2", reply=TIMEOUT),
    "no keys": put(KEYS, reply=page({}, 404)),
    "keys are no object": put(KEYS, reply=page([1])),
    "no version": put(VERSION, reply=page({}, 502)),
    "everything refused": put(KEYS, VERSION, reply=NO_CONNECTION),
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
def test_federation_is_ok_exactly_without_errors(damage: Break) -> None:
    told = document(damage)
    errors = [
        item["id"]
        for item in told["findings"]
        if item["area"] in AREAS and "error" in (item["verdict"], item["evidence"].get("seen_as"))
    ]
    for form in told["compat"].values():
        assert form["FederationOK"] is (not errors), errors


@pytest.mark.parametrize("name", BROKEN)
def test_federation_is_ok_exactly_where_every_check_is(name: str) -> None:
    for form in document(BROKEN[name])["compat"].values():
        reports = form.get("ConnectionReports", {}).values()
        good = bool(reports) and all(item["Checks"]["AllChecksOK"] for item in reports)
        told = "error" not in form["Version"] and any(form["Version"].values())
        assert form["FederationOK"] is (good and told and not form.get("ConnectionErrors"))
        assert form["FederationOK"] is (name in ("healthy", "found by SRV"))


def test_a_healthy_server() -> None:
    form = document(nothing)["compat"]["matrix_org"]
    report = form["ConnectionReports"][FIRST]
    assert set(form["ConnectionReports"]) == {FIRST, SECOND} == set(form["DNSResult"]["Addrs"])
    assert form["WellKnownResult"]["m.server"] == f"{HOST}:443"
    assert form["Version"] == {"name": "Synapse", "version": "1.0"}
    assert report["Checks"]["AllChecksOK"] is True
    assert list(report["Ed25519VerifyKeys"]) == ["ed25519:a_1"]
    assert report["Keys"]["server_name"] == DOMAIN
    assert report["Certificates"][0]["DNSNames"] == [DOMAIN, HOST]


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        pytest.param(expired, "ValidCertificates", id="certificate"),
        pytest.param(other_server, "MatchingServerName", id="server name"),
        pytest.param(forged, "AllEd25519ChecksOK", id="signature"),
        pytest.param(stale, "FutureValidUntilTS", id="validity"),
    ],
)
def test_each_fault_is_the_one_check_that_fails(damage: Break, check: str) -> None:
    for form in document(damage)["compat"].values():
        checks = form["ConnectionReports"][FIRST]["Checks"]
        failed = {name for name, value in checks.items() if value is False}
        assert failed - {"ValidUntilTSNotExpiringSoon"} == {"AllChecksOK", check}


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        pytest.param(TIMEOUT, "Timeout", id="no answer"),
        pytest.param(NO_CONNECTION, "Unknown", id="refused"),
        pytest.param(page({}, 404), {"NotOk": "the status is 404"}, id="status"),
    ],
)
def test_a_dead_address(reply: Reply, code: object) -> None:
    compat = document(put(f"GET {KEYS} at 192.0.2.2", reply=reply))["compat"]
    for form in compat.values():
        assert set(form["ConnectionErrors"]) == {FIRST}
        assert set(form["ConnectionReports"]) == {SECOND}
    assert compat["connectivity_tester"]["ConnectionErrors"][FIRST]["ErrorCode"] == code


def test_an_address_out_of_the_vantages_reach_is_no_fault_of_the_server() -> None:
    names = [f"GET {url} at 2001:db8::2" for url in (KEYS, VERSION)]
    form = document(put(*names, reply=NO_ROUTE))["compat"]["matrix_org"]
    assert (set(form["ConnectionReports"]), form["ConnectionErrors"]) == ({FIRST}, {})


def test_nothing_is_said_where_nothing_is_known() -> None:
    compat = document(put(KEYS, VERSION, reply=NO_ROUTE))["compat"]
    assert compat == {"matrix_org": None, "connectivity_tester": None}


def test_service_records() -> None:
    compat = document(by_service)["compat"]
    dns = compat["matrix_org"]["DNSResult"]
    assert (dns["SRVSkipped"], dns["SRVCName"]) == (False, f"_matrix-fed._tcp.{DOMAIN}.")
    assert dns["SRVRecords"] == [{"Target": HOST, "Port": 443, "Priority": 10, "Weight": 5}]
    assert dns["Hosts"][HOST]["Addrs"] == ["192.0.2.2", "2001:db8::2"]
    [target] = compat["connectivity_tester"]["DNSResult"]["SrvTargets"][HOST]
    assert (target["SrvPrefix"], target["Port"]) == ("_matrix-fed", 443)


@pytest.mark.parametrize("name", ["example.com:8448", "192.0.2.9", "not a name"])
def test_a_name_with_which_nobody_asks_for_the_document(name: str) -> None:
    form = document(nothing, server_name=name)["compat"]["matrix_org"]
    assert form["WellKnownResult"]["m.server"] == ""
    assert form["FederationOK"] is False
