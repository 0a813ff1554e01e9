# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole verifier on a healthy server that is broken in one way at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.documents.query import MARK
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Check
from ansible_collections.homestead.matrix.plugins.module_utils.verify.plan import Plan
from ansible_collections.homestead.matrix.plugins.module_utils.verify.run import verify
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Certificate,
    Fault,
    Handshake,
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
    DOWNLOAD,
    HOST,
    HSTS,
    KEYS,
    MEDIA,
    METADATA,
    PLAIN,
    REGISTER,
    UPLOAD,
    VERSION,
    Server,
    error,
    flows,
    moved,
    page,
    redirect,
    signed_keys,
    untrusted,
)
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SERVER, SUPPORT = (f"{BASE}/.well-known/matrix/{name}" for name in healthy.DOCUMENTS)
COPY = f"{API}/.well-known/matrix"
VERSIONS = f"{API}/_matrix/client/versions"
WHOAMI = f"{API}/_matrix/client/v3/account/whoami"
JSON = ("Content-Type", "application/json")
ONLY_HTTP2 = Fault("alpn", "the server speaks HTTP/2 only")
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


def publishing(**added: dict[str, object]) -> Break:
    """Plan and serve more keys in documents."""

    def damage(server: Server) -> None:
        documents = {
            name: {**value, **added.get(name, {})} for name, value in healthy.DOCUMENTS.items()
        }
        server.expectations["well_known"] = documents
        for name, value in documents.items():
            server.replies[f"{COPY}/{name}"] = page(value)

    return damage


def zone(*records: Record) -> Break:
    def damage(server: Server) -> None:
        server.records = (*server.records, *records)

    return damage


def greeted(name: str, greeting: Handshake) -> Break:
    return lambda server: server.handshakes.update({name: greeting})


def everywhere(
    beginning: str, hsts: tuple[tuple[str, str], ...] = (HSTS,), **changes: Any
) -> Break:
    """Change every answer of the URLs that begin so."""

    def damage(server: Server) -> None:
        for name, reply in server.replies.items():
            if name.rpartition(" ")[2].startswith(beginning):
                kept = [header for header in reply.headers if header[0] != HSTS[0]]
                server.change(name, headers=(*kept, *hsts), **changes)

    return damage


def at_one_address(*urls: str, **changes: Any) -> Break:
    """Change what the host's IPv6 address answers."""

    def damage(server: Server) -> None:
        for url in urls:
            reply = replace(server.replies[url], **changes)
            server.replies[f"GET {url} at 2001:db8::2"] = reply

    return damage


def short_key() -> Certificate:
    key = rsa.generate_private_key(65537, 1024)
    return healthy.AUTHORITY.issue(DOMAIN, HOST, key=key).seen()


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
            put(f"{API}/_synapse/admin/v1/server_version", page({"server_version": "1.100"})),
            {"error exposure.admin_api"},
            id="admin API in reach",
        ),
        pytest.param(
            put(f"{API}/_dendrite/admin/registrationTokens", error("M_MISSING_TOKEN", 401)),
            {"error exposure.admin_api"},
            id="Dendrite's admin API in reach",
        ),
        pytest.param(
            put(f"{API}/_synapse/metrics", page(b"# HELP up 1\n# TYPE up gauge\nup 1\n")),
            {"error exposure.metrics"},
            id="metrics in reach",
        ),
        pytest.param(
            put(MEDIA, error("M_UNRECOGNIZED", 404)),
            {"warning client.media"},
            id="files in the old way only",
        ),
        pytest.param(
            put(DOWNLOAD, page(b"<html>", 404)),
            {"warning client.media_route"},
            id="only /_matrix/client passed on",
        ),
        pytest.param(
            put(UPLOAD, page(b"<html>", 413)),
            {"error client.upload_size"},
            id="limit of the proxy below the plan",
        ),
        pytest.param(
            put(METADATA, page({"issuer": "https://account.example.com/"})),
            {"error client.auth_metadata"},
            id="OAuth 2.0 metadata incomplete",
        ),
        pytest.param(
            publishing(client={"org.matrix.msc2965.authentication": {"issuer": "https://a.org/"}}),
            {"warning client.auth_metadata"},
            id="OAuth 2.0 announced only",
        ),
        pytest.param(
            publishing(client={"m.identity_server": {"base_url": "https://id.example.com"}}),
            {"error well_known.client.identity_server"},
            id="identity server dead",
        ),
        pytest.param(
            publishing(client={"org.matrix.msc4143.rtc_foci": [{"type": "livekit"}]}),
            {"warning well_known.client.rtc_foci"},
            id="calls without address",
        ),
        pytest.param(
            changed(f"{COPY}/server", headers=(JSON, ("Cache-Control", "max-age=604800"))),
            {"warning well_known.server.cache"},
            id="delegation kept for a week",
        ),
        pytest.param(
            put(
                f"{BASE}/.well-known/security.txt",
                page(b"Contact: a@b.org\n", headers=(("Content-Type", "text/plain"),)),
            ),
            {"warning well_known.security_txt"},
            id="security.txt with faults",
        ),
        pytest.param(
            zone(Record(HOST, "AAAA", error="SERVFAIL")),
            {"warning resolution.lookup"},
            id="half of the DNS broken",
        ),
        pytest.param(
            greeted(f"old {HOST}:443 at 2001:db8::2", Handshake("TLSv1.1")),
            {"warning certificate.versions"},
            id="TLS 1.1 at one address",
        ),
        pytest.param(
            greeted(f"old {DOMAIN}:443", Handshake("TLSv1")),
            {"warning certificate.versions"},
            id="TLS 1.0 on the base domain",
        ),
        pytest.param(
            greeted(f"old {HOST}:443", Handshake(fault=Fault("timeout", "no answer in time"))),
            {"unknown certificate.versions"},
            id="old handshakes get no answer",
        ),
        pytest.param(
            everywhere(API, certificate=short_key()), {"error certificate.key"}, id="a short key"
        ),
        pytest.param(
            put(
                f"GET {VERSIONS} at 2001:db8::2",
                page({"versions": ["v1.1"]}, certificate=untrusted("", days=80)),
            ),
            set(),
            id="a cluster with two certificates at one address",
        ),
        pytest.param(
            at_one_address(VERSIONS, VERSION, KEYS, certificate=untrusted("", days=80)),
            {"warning certificate.same"},
            id="another certificate at one address",
        ),
        pytest.param(
            put(f"http://{HOST}/", page(b"", 404)), {"warning web.redirect"}, id="no redirect"
        ),
        pytest.param(
            put(f"GET http://{HOST}/ at 2001:db8::2", moved(f"http://{HOST}/x")),
            {"warning web.redirect"},
            id="a redirect to http at one address",
        ),
        pytest.param(
            put(f"http://{HOST}/", moved(f"{BASE}/")),
            {"warning web.redirect"},
            id="a redirect to another host",
        ),
        pytest.param(put(f"http://{DOMAIN}/", page(b"")), set(), id="no redirect of the base"),
        pytest.param(put(f"http://{HOST}/", NO_CONNECTION), set(), id="port 80 closed"),
        pytest.param(
            put(PLAIN, page({"versions": ["v1.1"]})),
            {"error web.plaintext"},
            id="the API without TLS",
        ),
        pytest.param(put(PLAIN, page(b"<html>")), set(), id="another page without TLS"),
        pytest.param(everywhere(API, hsts=()), {"warning web.hsts"}, id="no HSTS"),
        pytest.param(everywhere(API, hsts=(HSTS, HSTS)), {"warning web.hsts"}, id="HSTS twice"),
        pytest.param(
            everywhere(API, hsts=((HSTS[0], "max-age=0"),)), {"warning web.hsts"}, id="HSTS ended"
        ),
        pytest.param(
            everywhere(API, hsts=((HSTS[0], "max-age: 1"),)), {"warning web.hsts"}, id="bad HSTS"
        ),
        pytest.param(
            everywhere(API, ahead=-120), {"warning web.clock"}, id="a clock two minutes behind"
        ),
        pytest.param(everywhere(API, ahead=3600), {"error web.clock"}, id="a clock an hour ahead"),
        pytest.param(
            everywhere(BASE, ahead=3600), {"warning web.clock"}, id="the base domain's clock"
        ),
        pytest.param(everywhere("http", ahead=-3600), {"unknown web.clock"}, id="all clocks alike"),
        pytest.param(
            changed(VERSIONS, milliseconds=3100), {"warning web.response_time"}, id="slow"
        ),
        pytest.param(
            at_one_address(VERSIONS, VERSION, KEYS, status=0, error=ONLY_HTTP2),
            {"error web.http_versions", "error federation.reach", "error client.reach"},
            id="HTTP/2 only",
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
