# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ways to break the healthy server in memory, and what the verifier then says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Certificate,
    Fault,
    Handshake,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify import healthy
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    NO_CONNECTION,
    Record,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    API,
    BASE,
    DOMAIN,
    HOST,
    HSTS,
    KEYS,
    VERSION,
    Server,
    page,
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
