# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How nginx answers with the rendered files, asked for real."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from typing import TYPE_CHECKING

import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.plan import snippets
from nginx_rendering import (
    DOMAIN,
    HOSTNAME,
    NGINX,
    Nginx,
    described,
    proxy_files,
    proxy_role,
    release_of_nginx,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

CLIENT = "/.well-known/matrix/client"
DOCUMENT = '{"m.homeserver": {}}\n'
CORS = "Access-Control-Allow-Origin"
HSTS = "Strict-Transport-Security"


class Homeserver(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked, and with its own CORS header."""

    def do_GET(self) -> None:
        body = json.dumps({"path": self.path, "headers": dict(self.headers)}).encode()
        self.send_response(200)
        self.send_header(CORS, "*")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_OPTIONS = do_GET  # noqa: N815 - the name that http.server calls

    def log_message(self, *_unused: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def nginx(
    tmp_path_factory: pytest.TempPathFactory, nginx_certificate: tuple[Path, Path]
) -> Iterator[Nginx]:
    root = tmp_path_factory.mktemp("nginx")
    root.chmod(0o755)
    web = Nginx(root)
    role = proxy_role(
        described(serve_base_domain=True, max_upload_mb=1), release=release_of_nginx(), ipv6=False
    )
    documents = {"/var/lib/homestead/well-known/client": DOCUMENT}
    challenge = {"/var/lib/homestead/acme/.well-known/acme-challenge/token": "proof"}
    web.write({**proxy_files(role), **documents, **challenge}, nginx_certificate)
    with web.running():
        yield web


@pytest.fixture
def _homeserver(nginx: Nginx) -> Iterator[None]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", nginx.ports[8008]), Homeserver) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield
        server.shutdown()


@pytest.mark.parametrize("name", [HOSTNAME, DOMAIN])
def test_a_document_is_json_that_every_page_may_read(nginx: Nginx, name: str) -> None:
    reply = nginx.ask(CLIENT, name=name)
    assert (reply.status, reply.body) == (200, DOCUMENT)
    assert reply.all("Content-Type") == ["application/json"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", CLIENT, 200, id="document"),
        pytest.param("OPTIONS", CLIENT, 204, id="preflight"),
        pytest.param("GET", "/.well-known/matrix/server", 404, id="document that is not there"),
        pytest.param("GET", "/.well-known/matrix/support", 404, id="document nobody wished"),
        pytest.param("GET", "/", 404, id="no page"),
    ],
)
def test_cors_and_hsts_stand_exactly_once(
    nginx: Nginx, method: str, path: str, status: int
) -> None:
    reply = nginx.ask(path, method=method)
    assert (reply.status, reply.all(CORS)) == (status, ["*"])
    assert len(reply.all(HSTS)) == 1


def test_a_preflight_says_what_the_plan_says(nginx: Nginx) -> None:
    reply = nginx.ask(CLIENT, method="OPTIONS")
    assert {name: reply.all(name) for name in snippets.CORS} == {
        name: [value] for name, value in snippets.CORS.items()
    }


@pytest.mark.usefixtures("_homeserver")
@pytest.mark.parametrize("port", [443, 8448])
def test_the_service_sees_the_request_as_it_was_sent(nginx: Nginx, port: int) -> None:
    path = "/_matrix/client/v3/rooms/%21a%3Aexample.com/x%2Fy//z/./%E2%82%AC?since=s%2F1"
    seen = json.loads(nginx.ask(path, port=port, headers={"X-Forwarded-For": "203.0.113.9"}).body)
    assert seen["path"] == path
    assert seen["headers"]["Host"] == HOSTNAME  # with a port, Synapse would redirect for ever
    assert seen["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert seen["headers"]["X-Forwarded-Proto"] == "https"


@pytest.mark.usefixtures("_homeserver")
def test_the_log_keeps_no_query(nginx: Nginx) -> None:
    path = "/_matrix/client/v1/register/m.login.registration_token/validity"
    nginx.ask(f"{path}?token=invited", headers={"Referer": f"https://{HOSTNAME}/?token=invited"})
    log = nginx.log_with(f'"GET {path} HTTP/1.1" 200')
    assert "invited" not in log


@pytest.mark.usefixtures("_homeserver")
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_the_service_answers_cors_itself(nginx: Nginx, method: str) -> None:
    reply = nginx.ask("/_matrix/client/versions", method=method)
    assert (reply.status, reply.all(CORS), len(reply.all(HSTS))) == (200, ["*"], 1)


@pytest.mark.usefixtures("_homeserver")
@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/_synapse/admin/v1/server_version", id="plain"),
        pytest.param(
            "/_synapse/admin/v2/users/..%2f..%2f..%2f..%2f_matrix/x", id="encoded slashes"
        ),
        pytest.param("/_matrix/../_synapse/admin/v1/x", id="dots"),
        pytest.param("//_matrix/client/versions", id="two slashes"),
    ],
)
def test_no_way_leads_around_the_routes(nginx: Nginx, path: str) -> None:
    reply = nginx.ask(path)
    assert (reply.status, json.loads(reply.body)["errcode"]) == (404, "M_UNRECOGNIZED")


@pytest.mark.parametrize(
    ("headers", "status", "errcode"),
    [
        pytest.param({"Content-Length": "1048577"}, 413, "M_TOO_LARGE", id="too large"),
        pytest.param({}, 502, "M_UNKNOWN", id="the homeserver is down"),
    ],
)
def test_its_own_errors_are_those_of_matrix(
    nginx: Nginx, headers: dict[str, str], status: int, errcode: str
) -> None:
    reply = nginx.ask("/_matrix/media/v3/upload", method="POST", headers=headers)
    assert (reply.status, reply.all(CORS)) == (status, ["*"])
    assert json.loads(reply.body)["errcode"] == errcode


def test_http_leads_to_https(nginx: Nginx) -> None:
    reply = nginx.ask("/a%2Fb?c", port=80)
    assert (reply.status, reply.all("Location")) == (301, [f"https://{HOSTNAME}/a%2Fb?c"])


@pytest.mark.parametrize("name", [HOSTNAME, DOMAIN])
def test_the_acme_server_finds_the_proof(nginx: Nginx, name: str) -> None:
    assert nginx.ask("/.well-known/acme-challenge/token", port=80, name=name).body == "proof"


def test_an_unknown_name_gets_nothing(nginx: Nginx) -> None:
    with pytest.raises(ConnectionError):
        nginx.ask("/", port=80, name="other.example.net")
    with pytest.raises(ssl.SSLError), nginx.connection(443, "other.example.net"):
        pass
    assert nginx.ask("/", name="other.example.net").status == 421


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
@pytest.mark.parametrize("port", [443, 8448])
def test_it_speaks_both_versions_of_http(nginx: Nginx, port: int, protocol: str) -> None:
    with nginx.connection(port, HOSTNAME, protocol) as secure:
        assert isinstance(secure, ssl.SSLSocket)
        assert secure.selected_alpn_protocol() == protocol
        assert secure.version() == "TLSv1.3"
