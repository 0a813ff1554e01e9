# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole verifier on a healthy server whose documents and addresses break one at a time."""

from __future__ import annotations

import asyncio

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.documents.query import MARK
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Check
from ansible_collections.homestead.matrix.plugins.module_utils.verify.scope import Scope
from ansible_collections.homestead.matrix.plugins.module_utils.verify.verification import verify
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    SrvTarget,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify import healthy
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.breaking import (
    CLIENT,
    COPY,
    JSON,
    NO_ROUTE,
    SERVER,
    SUPPORT,
    VERSIONS,
    Break,
    changed,
    dead,
    expecting,
    faults,
    publishing,
    put,
)
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
    REGISTER,
    UPLOAD,
    Server,
    error,
    flows,
    page,
    redirect,
)


def test_a_healthy_server_has_no_faults() -> None:
    assert faults(Server()) == set()


def test_a_healthy_server_is_asked_only_what_is_needed() -> None:
    server = Server()
    transport = FakeTransport(server.records, server.replies)
    asyncio.run(verify(transport, Scope(DOMAIN, expectations=Expectations.of(server.expectations))))
    asked = [f"{item.method} {item.url} {item.address}" for item in transport.requests]
    assert len(asked) == len(set(asked))
    sent = {f"POST {item.url}": item.body for item in transport.requests if item.method == "POST"}
    assert sent == {REGISTER: b'{"inhibit_login": true}', UPLOAD: b""}
    assert not any(
        name.lower() == "authorization"
        for item in transport.requests
        for name, _value in item.headers
    )


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
            lambda server: (
                put(SUPPORT, redirect(f"https://me@{HOST}/support"))(server),
                put(f"https://me@{HOST}/support", page(healthy.DOCUMENTS["support"]))(server),
            )[0],
            {"error well_known.support.redirects"},
            id="redirect with a password",
        ),
        pytest.param(
            changed(f"{COPY}/client", headers=(JSON, (CORS[0][0], "null"))),
            {"warning well_known.client.cors_echo"},
            id="the asking origin allowed",
        ),
        pytest.param(
            changed(f"{COPY}/client", headers=(JSON, (CORS[0][0], "https://stranger.invalid"))),
            {"error well_known.client.cors"},
            id="an origin allowed that asked before the redirect",
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
            put(CLIENT, page({"m.homeserver": {"base_url": f"{API}/"}, "io.element.e2ee": {}})),
            set(),
            id="a document of the same meaning, written by hand",
        ),
        pytest.param(
            put(CLIENT, page({"io.element.e2ee": {}})),
            {
                "error well_known.client.homeserver",
                "error well_known.client.expected",
                "warning well_known.client.host",
            },
            id="more, but not what is planned",
        ),
        pytest.param(
            lambda server: (
                expecting(well_known={**healthy.DOCUMENTS, "support": {}})(server),
                put(SUPPORT, page(b"", 404))(server),
                put(f"{COPY}/support", page(b"", 404))(server),
            )[0],
            set(),
            id="nobody to ask, as planned",
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
    ],
)
def test_each_fault_is_named_alone(damage: Break, named: set[str]) -> None:
    server = Server()
    damage(server)
    assert faults(server) == named


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        pytest.param(put(CLIENT, error("M_NOT_FOUND", 404)), "IGNORE", id="W2 absent"),
        pytest.param(put(CLIENT, page(b"", 500)), "FAIL_PROMPT", id="W3 failure"),
        pytest.param(put(CLIENT, page(b"")), "FAIL_PROMPT", id="W3 empty"),
        pytest.param(put(CLIENT, page([])), "FAIL_PROMPT", id="W4 no object"),
        pytest.param(put(CLIENT, page({})), "FAIL_PROMPT", id="W5 no homeserver"),
        pytest.param(
            put(CLIENT, page({"m.homeserver": {"base_url": HOST}})), "FAIL_ERROR", id="W6 no URL"
        ),
        pytest.param(put(VERSIONS, page(b"")), "FAIL_ERROR", id="W7 no versions"),
        pytest.param(
            publishing(client={"m.homeserver": {"base_url": f"{API}/"}}),
            "last slash",
            id="W8 last slash",
        ),
        pytest.param(publishing(client={"m.identity_server": {}}), "FAIL_PROMPT", id="W9 no URL"),
        pytest.param(
            publishing(client={"m.identity_server": {"base_url": "https://id.example.com"}}),
            "FAIL_ERROR",
            id="W10 not an identity server",
        ),
    ],
)
def test_what_clients_do_is_said(damage: Break, part: str) -> None:
    """The rules of Server Discovery, in their order."""
    server = Server()
    damage(server)
    messages = [
        finding.message
        for finding in asyncio.run(server.findings())
        if finding.area in ("client", "well-known") and finding.verdict != "ok"
    ]
    assert any(part in message for message in messages), messages


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        pytest.param(f"{COPY}/client?{MARK}", "ok", id="kept"),
        pytest.param(f"{COPY}/client", "info", id="dropped"),
    ],
)
def test_query_of_a_redirect(target: str, verdict: str) -> None:
    server = Server()
    put(f"{CLIENT}?{MARK}", redirect(target))(server)
    findings = asyncio.run(server.findings())
    assert [item.verdict for item in findings if item.id == "well_known.client.query"] == [verdict]


def test_srv_findings() -> None:
    server = Server(expectations={})
    del server.replies[SERVER]
    label = f"_matrix._tcp.{DOMAIN}"
    server.records = (*server.records, Record(label, "SRV", service=SrvTarget(1, 1, 443, HOST)))
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
    report = asyncio.run(verify(transport, Scope(name)))
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
