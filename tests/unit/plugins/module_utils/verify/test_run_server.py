# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole verifier on a healthy server whose services break one at a time."""

from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Fault,
    Handshake,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.breaking import (
    COPY,
    JSON,
    ONLY_HTTP2,
    VERSIONS,
    WHOAMI,
    Break,
    at_one_address,
    changed,
    everywhere,
    expecting,
    faults,
    greeted,
    publishing,
    put,
    short_key,
    untrusted_everywhere,
    zone,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    NO_CONNECTION,
    Record,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    API,
    BASE,
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
    signed_keys,
    untrusted,
)

LOGIN = f"{API}/_matrix/client/v3/login"
PROVIDERS = [{"id": "oidc-google", "name": "Google", "brand": "google"}]
SINGLE_SIGN_ON = page(
    {
        "flows": [
            {"type": "m.login.sso", "identity_providers": PROVIDERS},
            {"type": "m.login.token"},
            {"type": "m.login.password"},
        ]
    }
)


def open_beside_single_sign_on(server: Server) -> None:
    server.replies |= {LOGIN: SINGLE_SIGN_ON, REGISTER: flows(["m.login.dummy"])}


@pytest.mark.parametrize(
    ("damage", "named"),
    [
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
        pytest.param(put(LOGIN, SINGLE_SIGN_ON), set(), id="single sign-on beside the mode"),
        pytest.param(
            open_beside_single_sign_on, {"error registration.mode"}, id="open beside single sign-on"
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
