# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A healthy server in memory: example.com, served by matrix.example.com; tests break it."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.homestead.matrix.plugins.module_utils.verify.documents.query import MARK
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding
from ansible_collections.homestead.matrix.plugins.module_utils.verify.peers.signing import canonical
from ansible_collections.homestead.matrix.plugins.module_utils.verify.scope import Scope
from ansible_collections.homestead.matrix.plugins.module_utils.verify.verification import verify
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Certificate,
    Fault,
    Handshake,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.authority import (
    Authority,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    JSON_HEADERS,
    FakeTransport,
    Record,
    Reply,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DOMAIN, HOST = "example.com", "matrix.example.com"
BASE, API = f"https://{DOMAIN}", f"https://{HOST}"
KEYS, VERSION = f"{API}:443/_matrix/key/v2/server", f"{API}:443/_matrix/federation/v1/version"
PLAIN = f"http://{HOST}/_matrix/client/versions"
REGISTER = f"POST {API}/_matrix/client/v3/register"
UPLOAD = f"POST {API}/_matrix/media/v3/upload"
METADATA = f"{API}/_matrix/client/v1/auth_metadata"
MEDIA = f"{API}/_matrix/client/v1/media/config"
DOWNLOAD = f"{API}/_matrix/media/v3/download/{DOMAIN}/homestead_unknown?allow_remote=false"
HIDDEN = (
    "/_synapse/admin/v1/server_version",
    "/_synapse/admin/v2/users",
    "/_dendrite/admin/registrationTokens",
    "/_synapse/metrics",
    "/metrics",
)
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
AUTHORITY = Authority.make()
CERTIFICATE = AUTHORITY.issue(DOMAIN, HOST).seen()
TODAY = Handshake("TLSv1.3", "h2")
REFUSED = Handshake(fault=Fault("tls", "TLS fails (TLSV1_ALERT_PROTOCOL_VERSION)"))
HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
CORS = (("Access-Control-Allow-Origin", "*"),)
PREFLIGHT = (
    *CORS,
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE, OPTIONS"),
    ("Access-Control-Allow-Headers", "X-Requested-With, Content-Type, Authorization, Date"),
)
DOCUMENTS: dict[str, Any] = {
    "client": {"m.homeserver": {"base_url": API}},
    "server": {"m.server": f"{HOST}:443"},
    "support": {"contacts": [{"role": "m.role.admin", "email_address": "admin@example.com"}]},
}
EXPECTATIONS: dict[str, Any] = {
    "server_name": DOMAIN,
    "base_url": API,
    "hostname": HOST,
    "well_known": DOCUMENTS,
    "delegation": f"{HOST}:443",
    "registration": "invite",
    "max_upload_mb": 50,
}
RECORDS = (
    Record(DOMAIN, "A", "192.0.2.1"),
    Record(HOST, "A", "192.0.2.2"),
    Record(HOST, "AAAA", "2001:db8::2"),
)


def page(value: Any, status: int = 200, **changes: Any) -> Reply:
    """Return an answer with a JSON body."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    headers = (*JSON_HEADERS, HSTS)
    return replace(Reply(status, body, headers, certificate=CERTIFICATE), **changes)


def unpadded(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def signed_keys(**changes: Any) -> dict[str, Any]:
    """Return what /_matrix/key/v2/server says, signed after the changes."""
    public = SIGNING_KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    value: dict[str, Any] = {
        "server_name": DOMAIN,
        "valid_until_ts": int((time.time() + 86400) * 1000),
        "verify_keys": {"ed25519:a_1": {"key": unpadded(public)}},
        "old_verify_keys": {"ed25519:0": {"key": unpadded(public), "expired_ts": 1}},
        **changes,
    }
    signature = unpadded(SIGNING_KEY.sign(canonical(value)))
    return {**value, "signatures": {value["server_name"]: {"ed25519:a_1": signature}}}


def error(code: str, status: int) -> Reply:
    return page({"errcode": code, "error": "…"}, status)


def flows(*names: list[str]) -> Reply:
    return page({"session": "s", "flows": [{"stages": list(stages)} for stages in names]}, 401)


def redirect(target: str, **changes: Any) -> Reply:
    return page(b"", 302, headers=(*CORS, ("Location", target)), **changes)


def moved(target: str) -> Reply:
    """Return what port 80 answers."""
    return Reply(301, b"", (("Location", target),))


def replies() -> dict[str, Reply]:
    """Return what a healthy server answers."""
    api = f"{API}/_matrix/client"
    unknown = f"{api}/v3/homestead_unknown"
    preflight = page(b"", headers=PREFLIGHT)
    found = {f"{API}/.well-known/matrix/{name}": page(value) for name, value in DOCUMENTS.items()}
    found |= {
        f"{BASE}/.well-known/matrix/{name}": redirect(f"{API}/.well-known/matrix/{name}")
        for name in DOCUMENTS
    }
    found |= {
        f"{BASE}/.well-known/matrix/{name}?{MARK}": redirect(
            f"{API}/.well-known/matrix/{name}?{MARK}"
        )
        for name in DOCUMENTS
    }
    return found | {
        VERSION: page({"server": {"name": "Synapse", "version": "1.0"}}),
        KEYS: page(signed_keys()),
        f"{api}/versions": page({"versions": ["v1.1", "v1.12"]}),
        f"{api}/v3/account/whoami": error("M_MISSING_TOKEN", 401),
        unknown: error("M_UNRECOGNIZED", 404),
        f"OPTIONS {unknown}": preflight,
        f"OPTIONS {api}/v3/login": preflight,
        f"{api}/v3/login": page({"flows": [{"type": "m.login.password"}]}),
        METADATA: error("M_UNRECOGNIZED", 404),
        REGISTER: flows(["m.login.registration_token", "m.login.dummy"]),
        UPLOAD: Reply(100, headers=(), certificate=CERTIFICATE),
        MEDIA: error("M_MISSING_TOKEN", 401),
        DOWNLOAD: error("M_NOT_FOUND", 404),
        **{f"{API}{path}": error("M_UNRECOGNIZED", 404) for path in HIDDEN},
        f"{BASE}/.well-known/security.txt": page(b"", 404),
        f"http://{DOMAIN}/": moved(f"{BASE}/"),
        f"http://{HOST}/": moved(f"{API}/"),
        PLAIN: moved(f"{api}/versions"),
    }


def handshakes() -> dict[str, Handshake]:
    """Return how a healthy server shakes hands."""
    return {
        f"{age} {name}:443": greeting
        for name in (DOMAIN, HOST)
        for age, greeting in (("new", TODAY), ("old", REFUSED))
    }


@dataclass
class Server:
    """A healthy server; `records`, `replies` and `expectations` may be changed."""

    records: tuple[Record, ...] = RECORDS
    replies: dict[str, Reply] = field(default_factory=replies)
    expectations: dict[str, Any] = field(default_factory=lambda: dict(EXPECTATIONS))
    handshakes: dict[str, Handshake] = field(default_factory=handshakes)

    def change(self, name: str, **changes: Any) -> None:
        self.replies[name] = replace(self.replies[name], **changes)

    async def findings(self, *ignore: str) -> tuple[Finding, ...]:
        """Verify the server."""
        transport = FakeTransport(self.records, self.replies, self.handshakes)
        scope = Scope(DOMAIN, expectations=Expectations.of(self.expectations), ignore=ignore)
        return (await verify(transport, scope)).findings


def untrusted(fault: str, **issue: Any) -> Certificate:
    return AUTHORITY.issue(DOMAIN, **issue).seen(fault)
