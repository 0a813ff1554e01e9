# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Synapse's admin API through the real nginx: for listed networks, for others in no spelling."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import http.server
import json
import socket
import threading
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import pytest
from homeserver import running
from nginx_rendering import (
    DOMAIN,
    HOSTNAME,
    NGINX,
    Nginx,
    Reply,
    described,
    proxy_files,
    proxy_role,
    release_of_nginx,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

PORTS = (443, 8448)
PUBLIC = ("/_matrix/", "/_synapse/client/")
REFUSED = (400, 404, 421)
HERE = "        allow 127.0.0.0/8;\n"
CONFIGURATIONS: dict[str, list[str]] = {"nobody": [], "others": ["192.0.2.7/32"]}
"""Whom the operator lets in, when it is not this machine."""

API = "_synapse/admin"
TARGETS = f"""
/{API}/v1/register
/{API}/v1/server_version
/{API}/v1/reset_password/@alice:example.com
/{API}/v1/registration_tokens/new
/{API}/v1/users/@alice:example.com/login
/{API}/v1/users/@alice:example.com/admin
/{API}/v1/deactivate/@alice:example.com
/{API}/v2/users/@eve:example.com
/{API}/v2/users?guests=false
/{API}
/{API}/
/{API}?/_matrix/
/{API}/v1/register?/_matrix/client/versions
/{API}/v1/register#/_matrix/
/{API}/v1/register/
/{API}/v1/register.
/{API}./v1/register
/_synapse./admin/v1/register
/_SYNAPSE/admin/v1/register
/_synapse/ADMIN/v1/register
/_Synapse/Admin/V1/Register
/%5fsynapse/admin/v1/register
/_synapse/%61dmin/v1/register
/{API}/v1/%72egister
/%5F%73%79%6E%61%70%73%65/%61%64%6D%69%6E/%76%31/%72%65%67%69%73%74%65%72
/_synapse/%2561dmin/v1/register
/%255fsynapse/admin/v1/register
/_synapse%2fadmin/v1/register
/_synapse%2Fadmin%2Fv2%2Fusers
%2f{API}/v1/register
/{API}%2fv1%2freset_password%2f@alice:example.com
/_synapse%252fadmin/v1/register
//{API}/v1/register
///{API}/v2/users
/_synapse//admin/v1/register
/{API}//v1//register
/_synapse/%2fadmin/v1/register
/./{API}/v1/register
/../{API}/v1/register
/_synapse/./admin/v1/register
/{API}/.
/{API}/..
/{API}/../admin/v1/register
/{API}/v1/x/../register
/{API}/../../_matrix/../{API}/v1/register
/_matrix/../{API}/v1/register
/_matrix/client/../../{API}/v2/users
/_matrix/client/v3/..//../..//{API}/v1/register
/_matrix/%2e%2e/{API}/v1/register
/_matrix/.%2E/{API}/v1/register
/_matrix/..%2f{API}/v1/register
/_matrix/%2e%2e%2f_synapse%2fadmin%2fv1%2fregister
/_matrix/%252e%252e/{API}/v1/register
/_synapse/client/../admin/v1/register
/_synapse/client/%2e%2e/admin/v1/registration_tokens/new
/_synapse/client/..%2fadmin/v1/register
/_synapse/client/x/../../admin/v1/register
/_synapse/clients/../admin/v1/register
/.well-known/matrix/../../{API}/v1/register
/.well-known/matrix/client/../../../{API}/v1/register
/_synapse;x/admin/v1/register
/{API};x=1/v1/register
/;/{API}/v1/register
/_matrix/..;/{API}/v1/register
/_matrix/..;/..;/{API}/v1/register
/_synapse/client/..;/admin/v1/register
/_synapse/client;/../admin/v1/register
/_synapse/client/;/../admin/v1/register
/_synapse\\admin\\v1\\register
\\{API}/v1/register
/_matrix/..\\_synapse\\admin\\v1\\register
/_matrix/..%5c_synapse%5cadmin%5cv1%5cregister
/_synapse/client/..\\admin/v1/register
/_synapse/client\\..\\admin/v1/register
/_synapse%5cadmin/v1/register
/_synapse%c0%afadmin/v1/register
/_synapse/%c1%a1dmin/v1/register
/_matrix/%c0%ae%c0%ae/{API}/v1/register
/_matrix/..%e0%80%af{API}/v1/register
/_synapse\xc0\xafadmin/v1/register
/_synapse%ef%bc%8fadmin/v1/register
/_synapse/%ef%bd%81dmin/v1/register
/_synapse%u002fadmin/v1/register
/{API}%00/v1/register
/_synapse%00/admin/v1/register
/_matrix/%00/../../{API}/v1/register
/_matrix/client/versions%00/../../../{API}/v1/register
/{API}/v1/register%00.html
/{API}%20/v1/register
/{API}%09/v1/register
/_synapse/%0aadmin/v1/register
/_matrix/%0d%0aGET%20/{API}/v1/register
https://{HOSTNAME}/{API}/v1/register
HTTPS://{HOSTNAME.upper()}:443/{API}/v1/register
http://127.0.0.1:8008/{API}/v1/register
http://homestead_synapse/{API}/v1/register
https://eve@{HOSTNAME}/{API}/v1/register
https://{HOSTNAME}/_matrix/../{API}/v1/register
https://{HOSTNAME}?/{API}/v1/register
https://{HOSTNAME}#/{API}/v1/register
https:///{API}/v1/register
{API}/v1/register
*
/_synapse
/_synapse/
/_synapse/metrics
/_synapse/replication/x
/_synapse/mas/query_user
/_matrix/{API}/v1/register
/_matrix/client/{API}/v1/register
/_synapse/client/admin/v1/register
/_matrix/client/r0/admin/register
/_matrix/client/v3/admin/register
/_matrix/client/r0/admin/reset_password/@alice:example.com
/_matrix/client/api/v1/register
/_matrix/client/unstable/admin/users
/_dendrite/admin/registrationTokens
""".split("\n")[1:-1]
"""Request targets, byte for byte, each for one line."""

HEADERS = {
    "another name": {"Host": "other.example.net"},
    "the upstream's address": {"Host": "127.0.0.1:8008"},
    "the upstream's name": {"Host": "homestead_synapse"},
    "the name with a dot": {"Host": f"{HOSTNAME}."},
    "the name in capitals": {"Host": HOSTNAME.upper()},
    "a path in the name": {"Host": f"{HOSTNAME}/_matrix/"},
    "the host's own address": {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
    "a listed address": {"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=192.0.2.7"},
    "another path": {"X-Original-URL": "/_matrix/", "X-Rewrite-URL": "/_matrix/client/versions"},
    "another method": {"X-HTTP-Method-Override": "PUT", "Content-Length": "0"},
    "another protocol": {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c"},
    "a WebSocket": {"Connection": "Upgrade", "Upgrade": "websocket"},
}
SECOND = f"GET /{API}/v1/register HTTP/1.1\r\nHost: {HOSTNAME}\r\nConnection: close\r\n\r\n"
PIECES = "\r\n\r\n0\r\n\r\n"
WITHIN = {
    "a body": f"Content-Length: {len(SECOND)}\r\n\r\n{SECOND}",
    "the next request": f"Content-Length: 0\r\n\r\n{SECOND}",
    "two lengths": f"Content-Length: 0\r\nContent-Length: {len(SECOND)}\r\n\r\n{SECOND}",
    "a length and pieces": f"Content-Length: 5\r\nTransfer-Encoding: chunked{PIECES}{SECOND}",
    "pieces of another kind": f"Transfer-Encoding: chunked, identity{PIECES}{SECOND}",
    "pieces by a bad name": f"Transfer-Encoding : chunked{PIECES}{SECOND}",
}


def raw(
    secure: socket.socket,
    target: bytes,
    headers: Mapping[str, str] = MappingProxyType({}),
    body: bytes = b"",
) -> Reply:
    """Send one request by HTTP/1.1 (RFC 9112), its target byte for byte."""
    fields = {"Host": HOSTNAME, "Connection": "close", **headers}
    lines = [f"{name}: {value}".encode() for name, value in fields.items()]
    method = b"POST " if body else b"GET "
    secure.sendall(b"\r\n".join([method + target + b" HTTP/1.1", *lines, b"", body]))
    response = http.client.HTTPResponse(secure)
    response.begin()
    return Reply(response.status, response.getheaders(), response.read().decode())


def by_http2(secure: socket.socket, target: bytes) -> int:
    """Send one request by HTTP/2 (RFC 9113) and return its status, 400 if it is not taken."""
    config = h2.config.H2Configuration(
        validate_outbound_headers=False, normalize_outbound_headers=False
    )
    connection = h2.connection.H2Connection(config)
    connection.initiate_connection()
    names = {b":method": b"GET", b":scheme": b"https", b":authority": HOSTNAME.encode()}
    connection.send_headers(1, [*names.items(), (b":path", target)], end_stream=True)
    secure.sendall(connection.data_to_send())
    while data := secure.recv(65536):
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                return int(dict(event.headers)[b":status"])
            if isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                return 400
    return 400


@dataclass
class Upstream:
    """Takes every request, and keeps what it was asked for."""

    port: int
    asked: list[bytes] = field(default_factory=list)

    def taken(self) -> list[bytes]:
        taken, self.asked = self.asked, []
        return taken


@dataclass(frozen=True)
class Shut:
    """A web server that lets nobody in from here, and what it says where nothing is."""

    nginx: Nginx
    behind: Upstream
    nothing: str


@contextmanager
def upstream(port: int) -> Iterator[Upstream]:
    seen = Upstream(port)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.asked.append(self.raw_requestline.split(b" ", 1)[1].rsplit(b" ", 1)[0])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_unused: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield seen
        server.shutdown()


def web(
    root: Path, certificate: tuple[Path, Path], networks: list[str], *, synapse: int = 0
) -> Nginx:
    """Return nginx, which lets this machine in only if there is Synapse behind it."""
    root.chmod(0o755)
    nginx = Nginx(root)
    nginx.ports[8008] = synapse or nginx.ports[8008]
    site = described(serve_base_domain=True, admin_networks=networks)
    files = proxy_files(proxy_role(site, release=release_of_nginx(), ipv6=False))
    kept = HERE if synapse else ""
    assert any(HERE in text for text in files.values()) == bool(networks)
    nginx.write({path: text.replace(HERE, kept) for path, text in files.items()}, certificate)
    return nginx


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def shut(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    nginx_certificate: tuple[Path, Path],
) -> Iterator[Shut]:
    networks = CONFIGURATIONS[request.param]
    nginx = web(tmp_path_factory.mktemp("shut"), nginx_certificate, networks)
    with upstream(nginx.ports[8008]) as behind, nginx.running():
        with nginx.connection(443, HOSTNAME) as secure:
            nothing = raw(secure, b"/nothing").body
        yield Shut(nginx, behind, nothing)


@pytest.fixture(scope="module")
def synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run Synapse and return its port."""
    with running("invite", tmp_path_factory.mktemp("synapse")) as url:
        yield urlsplit(url).port or 0


def assert_unknown(
    synapse: int, target: bytes, headers: Mapping[str, str] = MappingProxyType({})
) -> None:
    """See that what came through is nothing to Synapse."""
    assert target.startswith(tuple(map(str.encode, PUBLIC)))
    with socket.create_connection(("127.0.0.1", synapse), 5) as plain:
        said = raw(plain, target, headers)
    assert (said.status, json.loads(said.body)["errcode"]) == (404, "M_UNRECOGNIZED")


@pytest.mark.parametrize("target", TARGETS)
def test_no_spelling_leads_strangers_there(shut: Shut, synapse: int, target: str) -> None:
    sent = target.encode("latin-1")
    for port in PORTS:
        with shut.nginx.connection(port, HOSTNAME) as secure:
            said = raw(secure, sent)
        with shut.nginx.connection(port, HOSTNAME, "h2") as secure:
            status = by_http2(secure, sent)
        taken = shut.behind.taken()
        assert taken or (said.status in REFUSED and status in REFUSED)
        assert taken or said.status != 404 or said.body == shut.nothing
        for each in set(taken):
            assert_unknown(synapse, each)


@pytest.mark.parametrize("name", HEADERS)
def test_no_header_leads_strangers_there(shut: Shut, synapse: int, name: str) -> None:
    for port in PORTS:
        for path in (f"/{API}/v1/register", "/_matrix/nothing"):
            with shut.nginx.connection(port, HOSTNAME) as secure:
                said = raw(secure, path.encode(), HEADERS[name])
            taken = shut.behind.taken()
            assert taken or said.status in REFUSED
            for each in taken:
                assert_unknown(synapse, each, HEADERS[name])


@pytest.mark.parametrize("name", WITHIN)
def test_no_request_hides_another(shut: Shut, name: str) -> None:
    with shut.nginx.connection(443, HOSTNAME) as secure:
        start = f"POST /_matrix/nothing HTTP/1.1\r\nHost: {HOSTNAME}\r\n{WITHIN[name]}"
        secure.sendall(f"{start}{SECOND}".encode())
        while secure.recv(65536):
            pass
    assert {each for each in shut.behind.taken() if each != b"/_matrix/nothing"} == set()


@pytest.fixture(scope="module")
def listed(
    tmp_path_factory: pytest.TempPathFactory, nginx_certificate: tuple[Path, Path], synapse: int
) -> Iterator[Nginx]:
    root = tmp_path_factory.mktemp("listed")
    nginx = web(root, nginx_certificate, CONFIGURATIONS["others"], synapse=synapse)
    with nginx.running():
        yield nginx


def signed_up(nginx: Nginx, port: int, name: str) -> str:
    """Make an account (Synapse documentation, Shared-Secret Registration); return its token."""
    path, password = f"/{API}/v1/register".encode(), "a long password"
    with nginx.connection(port, HOSTNAME) as secure:
        nonce = json.loads(raw(secure, path).body)["nonce"]
    signed = "\0".join([nonce, name, password, "notadmin"]).encode()
    mac = hmac.new(b"made-synapse_registration", signed, hashlib.sha1).hexdigest()
    wish = {"nonce": nonce, "username": name, "password": password, "admin": False, "mac": mac}
    body = json.dumps(wish).encode()
    with nginx.connection(port, HOSTNAME) as secure:
        said = raw(secure, path, {"Content-Length": str(len(body))}, body)
    return str(json.loads(said.body)["access_token"])


@pytest.mark.parametrize("port", PORTS)
def test_from_a_listed_network_the_api_works(listed: Nginx, port: int) -> None:
    """What the specification calls admin answers people about themselves (Admin Capabilities)."""
    name, whois = f"alice{port}", "/_matrix/client/v3/admin/whois/@"
    headers = {"Authorization": f"Bearer {signed_up(listed, port, name)}"}
    answers = {f"/{API}/v2/users": 403, f"{whois}{name}:{DOMAIN}": 200, f"{whois}b:{DOMAIN}": 403}
    for path, status in answers.items():
        with listed.connection(port, HOSTNAME) as secure:
            assert raw(secure, path.encode(), headers).status == status


def test_the_log_keeps_no_token(listed: Nginx) -> None:
    with listed.connection(443, HOSTNAME) as secure:
        assert raw(secure, f"/{API}/v1/registration_tokens/invited".encode()).status == 401
    log = listed.log_with(f'"GET /{API}/v1/registration_tokens/ HTTP/1.1" 401')
    assert "invited" not in log
