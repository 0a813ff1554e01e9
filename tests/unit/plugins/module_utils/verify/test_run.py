# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole verifier on a healthy server that is broken in one way at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Check
from ansible_collections.homestead.matrix.plugins.module_utils.verify.plan import Plan
from ansible_collections.homestead.matrix.plugins.module_utils.verify.run import verify
from ansible_collections.homestead.matrix.plugins.module_utils.verify.transport import (
    Fault,
    Service,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify import healthy
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    NO_CONNECTION,
    FakeTransport,
    Record,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    API,
    BASE,
    CORS,
    DOMAIN,
    HOST,
    KEYS,
    REGISTER,
    VERSION,
    Server,
    error,
    flows,
    page,
    redirect,
    signed_keys,
    untrusted,
)

CLIENT, SERVER, SUPPORT = (f"{BASE}/.well-known/matrix/{name}" for name in healthy.DOCUMENTS)
COPY = f"{API}/.well-known/matrix"
VERSIONS = f"{API}/_matrix/client/versions"
WHOAMI = f"{API}/_matrix/client/v3/account/whoami"
JSON = ("Content-Type", "application/json")
NO_ROUTE = replace(NO_CONNECTION, error=Fault("no_route", "this machine has no route there"))
Break = Callable[[Server], None]


def faults(server: Server, *ignore: str) -> set[str]:
    findings = asyncio.run(server.findings(*ignore))
    return {
        f"{finding.verdict} {finding.id}"
        for finding in findings
        if finding.verdict in ("error", "warning", "unknown")
    }


def put(name: str, reply: object) -> Break:
    return lambda server: server.replies.update({name: reply})  # type: ignore[dict-item]  # short


def changed(name: str, **changes: object) -> Break:
    return lambda server: server.change(name, **changes)


def dead(address: str) -> Break:
    def damage(server: Server) -> None:
        for url in (VERSION, KEYS):
            server.replies[f"GET {url} at {address}"] = NO_CONNECTION

    return damage


def expecting(**changes: object) -> Break:
    return lambda server: server.expectations.update(changes)


def zone(*records: Record) -> Break:
    def damage(server: Server) -> None:
        server.records = (*server.records, *records)

    return damage


def untrusted_everywhere(server: Server) -> None:
    fault = Fault("tls", "the certificate is not trusted")
    certificate = untrusted("certificate has expired", days=-1)
    for url, reply in server.replies.items():
        if HOST in url and "well-known" not in url:
            server.replies[url] = replace(reply, error=fault, certificate=certificate)


def test_a_healthy_server_has_no_faults() -> None:
    assert faults(Server()) == set()


def test_a_healthy_server_is_asked_only_what_is_needed() -> None:
    server = Server()
    transport = FakeTransport(server.records, server.replies)
    asyncio.run(verify(transport, Plan(DOMAIN, expectations=server.expectations)))
    asked = [f"{item.method} {item.url} {item.address}" for item in transport.requests]
    assert len(asked) == len(set(asked))
    register = [item for item in transport.requests if item.method == "POST"]
    assert [item.body for item in register] == [b'{"inhibit_login": true}']


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        pytest.param(
            put(CLIENT, page({"errcode": "x"}, 404)),
            {"error well_known.client.status"},
            id="client document missing",
        ),
        pytest.param(
            put(SUPPORT, NO_CONNECTION),
            {"error well_known.support.status"},
            id="support document out of reach",
        ),
        pytest.param(
            changed(CLIENT, headers=(("Location", f"{COPY}/client"),)),
            {"error well_known.client.cors"},
            id="redirect without CORS",
        ),
        pytest.param(
            changed(f"{COPY}/client", headers=(JSON, *CORS, *CORS)),
            {"error well_known.client.cors"},
            id="CORS twice",
        ),
        pytest.param(
            changed(f"{COPY}/client", headers=(JSON, (CORS[0][0], "*, *"))),
            {"error well_known.client.cors"},
            id="CORS with two origins",
        ),
        pytest.param(
            changed(f"{COPY}/support", headers=(JSON,)),
            {"warning well_known.support.cors"},
            id="support document without CORS",
        ),
        pytest.param(
            changed(f"{COPY}/server", headers=(("Content-Type", "text/html"),)),
            {"warning well_known.server.content_type"},
            id="wrong content type",
        ),
        pytest.param(
            put(CLIENT, redirect(CLIENT)),
            {"error well_known.client.redirects"},
            id="redirect loop",
        ),
        pytest.param(
            put(SUPPORT, redirect(f"http://{HOST}/support")),
            {"error well_known.support.redirects"},
            id="redirect to http",
        ),
        pytest.param(
            lambda server: (
                put(CLIENT, redirect(f"{BASE}/a"))(server),
                put(f"{BASE}/a", redirect(f"{COPY}/client"))(server),
            )[0],
            {"warning well_known.client.redirects"},
            id="two redirects",
        ),
        pytest.param(
            put(f"{COPY}/client", page(b"<html>")),
            {"error well_known.client.json"},
            id="not JSON",
        ),
        pytest.param(
            put(f"{COPY}/support", page(b'{"support_page":"https://a.b/","support_page":""}')),
            {
                "error well_known.support.page_invalid",
                "warning well_known.support.duplicate_keys",
                "error well_known.support.expected",
            },
            id="a key twice",
        ),
        pytest.param(
            put(SUPPORT, page({"support_page": "https://example.com/support"})),
            {"error well_known.support.expected", "warning well_known.support.host"},
            id="another copy on the base domain",
        ),
        pytest.param(
            put(SERVER, page({"m.server": "other.example.com:443"})),
            {
                "error well_known.server.expected",
                "warning well_known.server.host",
                "error resolution.addresses",
            },
            id="delegation to nowhere",
        ),
        pytest.param(dead("2001:db8::2"), {"error federation.reach"}, id="a dead IPv6 address"),
        pytest.param(
            put(f"GET {VERSIONS} at 2001:db8::2", NO_CONNECTION),
            {"error client.reach"},
            id="a dead IPv6 address for clients",
        ),
        pytest.param(
            put(f"GET {CLIENT} at 192.0.2.1", NO_CONNECTION),
            {"error well_known.reach"},
            id="a dead address of the base domain",
        ),
        pytest.param(
            put(f"GET {VERSIONS} at 2001:db8::2", NO_ROUTE),
            {"unknown client.reach"},
            id="no IPv6 here",
        ),
        pytest.param(
            lambda server: (
                put(CLIENT, page(healthy.DOCUMENTS["client"]))(server),
                changed(f"{COPY}/client", headers=(JSON,))(server),
            )[0],
            {"error well_known.client.cors"},
            id="a copy without CORS",
        ),
        pytest.param(
            put(f"GET {KEYS} at 192.0.2.2", page(b"<html>", 404)),
            {"error federation.keys"},
            id="keys not passed on",
        ),
        pytest.param(
            put(KEYS, page(signed_keys(server_name="Example.com"))),
            {"error federation.keys.server_name"},
            id="keys of another server name",
        ),
        pytest.param(
            put(KEYS, page({**signed_keys(), "extra": 1})),
            {"error federation.keys.signature"},
            id="keys changed on the way",
        ),
        pytest.param(
            put(KEYS, page(signed_keys(valid_until_ts=1))),
            {"error federation.keys.validity"},
            id="keys expired",
        ),
        pytest.param(
            put(VERSION, page(b"{}")),
            {"warning federation.version"},
            id="no version",
        ),
        pytest.param(untrusted_everywhere, {"error certificate.trust"}, id="expired certificate"),
        pytest.param(
            put(VERSIONS, page({"versions": []})),
            {"error client.versions"},
            id="no client versions",
        ),
        pytest.param(
            changed(VERSIONS, headers=(JSON,)), {"error client.cors"}, id="API without CORS"
        ),
        pytest.param(
            changed(WHOAMI, headers=(JSON,)), {"error client.cors_errors"}, id="errors without CORS"
        ),
        pytest.param(
            put(WHOAMI, page(b"<html>", 502)), {"error client.missing_token"}, id="API behind 502"
        ),
        pytest.param(
            changed(f"OPTIONS {API}/_matrix/client/v3/login", status=405),
            {"error client.preflight"},
            id="preflight refused",
        ),
        pytest.param(
            put(REGISTER, flows(["m.login.dummy"])), {"error registration.mode"}, id="open"
        ),
        pytest.param(
            put(REGISTER, error("M_FORBIDDEN", 403)), {"error registration.mode"}, id="closed"
        ),
        pytest.param(
            put(REGISTER, error("M_LIMIT_EXCEEDED", 429)),
            {"unknown registration.mode"},
            id="registration limited",
        ),
        pytest.param(
            put(REGISTER, page({"user_id": "@x:example.com", "access_token": "secret"})),
            {"error registration.unguarded"},
            id="an account without any step",
        ),
        pytest.param(
            expecting(registration="email"), {"error registration.mode"}, id="another mode planned"
        ),
        pytest.param(
            zone(Record(HOST, "AAAA", error="SERVFAIL")),
            {"warning resolution.lookup"},
            id="half of the DNS broken",
        ),
    ],
)
def test_each_fault_is_named_alone(damage: Break, named: set[str]) -> None:
    server = Server()
    damage(server)
    assert faults(server) == named


def test_srv_findings() -> None:
    server = Server(expectations={})
    del server.replies[SERVER]
    label = f"_matrix._tcp.{DOMAIN}"
    server.records = (*server.records, Record(label, "SRV", service=Service(1, 1, 443, HOST)))
    found = faults(server)
    assert "warning resolution.srv_deprecated" in found
    assert "error federation.reach" in found


def test_nothing_is_expected_without_a_plan() -> None:
    server = Server(expectations={})
    put(SUPPORT, page({"errcode": "x"}, 404))(server)
    put(f"{COPY}/support", page({"errcode": "x"}, 404))(server)
    put(REGISTER, flows(["m.login.dummy"]))(server)
    assert faults(server) == {"warning well_known.support.status", "warning registration.mode"}


def test_an_accepted_finding_stays_visible() -> None:
    server = Server()
    put(REGISTER, flows(["m.login.dummy"]))(server)
    findings = asyncio.run(server.findings("registration.mode"))
    accepted = [item for item in findings if item.id == "registration.mode"]
    assert [(item.verdict, item.message[-10:]) for item in accepted] == [("info", "(accepted)")]


@pytest.mark.parametrize("name", ["", "https://example.com", "a b", "example.com:0", "bücher.de"])
def test_a_wrong_server_name_is_one_finding(name: str) -> None:
    transport = FakeTransport()
    report = asyncio.run(verify(transport, Plan(name)))
    assert [item.id for item in report.findings] == ["resolution.server_name"]
    assert report.as_dict()["verdict"] == "error"
    assert not transport.requests


def test_no_token_of_the_server_is_shown() -> None:
    server = Server()
    put(REGISTER, page({"access_token": "secret"}))(server)
    assert "secret" not in str(asyncio.run(server.findings()))


def test_long_messages_are_cut() -> None:
    check = Check("a", "b", "c", "d")
    assert len(check.error("x" * 10_000).message) < 600
