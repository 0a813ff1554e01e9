# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from another finding is no alarm of its own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.causes import explained
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding
from ansible_collections.homestead.matrix.plugins.module_utils.verify.peers.resolution import (
    Resolution,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import Fault
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    API,
    BASE,
    Server,
    untrusted,
)

DEAD, ALIVE = "2001:db8::dead", "192.0.2.1"
EXPIRED = {"url": f"{API}/.well-known/matrix/client", "error": "the certificate has expired"}
REFUSED = {"url": f"{API}/.well-known/matrix/client", "error": "the connection is refused"}
MISSING = {"url": f"{API}/.well-known/matrix/client", "status": 404}


def error(identity: str, **evidence: Any) -> Finding:
    return Finding(identity, "area", "error", "It is broken.", "Mend it.", evidence=evidence)


def at(address: str, status: int = 0) -> dict[str, Any]:
    return {"url": f"{API}/", "address": address, **({"status": status} if status else {})}


TRUST = error("certificate.trust", host="matrix.example.com")
REACH = error("client.reach", exchange=at(ALIVE))
ADDRESS = error("ports.address", address=DEAD)
VERSIONS = error("client.versions")
KEYS = error("federation.keys", exchange=at(ALIVE, 502))
DOCUMENT = error("well_known.server.status", hops=[MISSING])


@pytest.mark.parametrize(
    ("root", "other", "step", "cause"),
    [
        pytest.param(
            TRUST,
            error("well_known.client.status", hops=[EXPIRED]),
            "3.2",
            "certificate.trust",
            id="document behind an expired certificate",
        ),
        pytest.param(
            REACH,
            error("well_known.client.status", hops=[EXPIRED]),
            "3.2",
            "",
            id="certificate of which nothing else is said",
        ),
        pytest.param(
            REACH,
            error("well_known.client.status", hops=[REFUSED]),
            "3.2",
            "client.reach",
            id="document on a host that is down",
        ),
        pytest.param(
            REACH,
            error("well_known.client.status", hops=[MISSING]),
            "3.2",
            "",
            id="document that is not there",
        ),
        pytest.param(
            ADDRESS,
            error("federation.reach", exchange=at(DEAD)),
            "3.2",
            "ports.address",
            id="dead address of peers",
        ),
        pytest.param(
            ADDRESS,
            error("federation.reach", exchange=at(ALIVE)),
            "3.2",
            "",
            id="another address of peers",
        ),
        pytest.param(
            ADDRESS,
            error("turn.server", addresses=[DEAD]),
            "3.2",
            "ports.address",
            id="dead address of the TURN server",
        ),
        pytest.param(
            ADDRESS,
            error("turn.server", addresses=[DEAD, ALIVE]),
            "3.2",
            "",
            id="TURN server down everywhere",
        ),
        pytest.param(
            ADDRESS,
            error("client.reach", places=[{"exchange": at(DEAD)}, {"exchange": at(ALIVE)}]),
            "3.2",
            "",
            id="two addresses of which one is dead",
        ),
        pytest.param(
            VERSIONS,
            error("turn.server"),
            "3.2",
            "",
            id="no address is named",
        ),
        pytest.param(
            error(
                "federation.keys",
                places=[{"exchange": at(ALIVE, 502)}, {"exchange": at(DEAD, 502)}],
            ),
            error("federation.version", exchange=at(DEAD, 502)),
            "3.2",
            "federation.keys",
            id="homeserver down behind two addresses",
        ),
        pytest.param(
            DOCUMENT,
            error("federation.reach", exchange=at(ALIVE)),
            "6",
            "well_known.server.status",
            id="peers go astray without delegation",
        ),
        pytest.param(
            DOCUMENT,
            error("federation.reach", exchange=at(ALIVE)),
            "2",
            "",
            id="peers need no delegation",
        ),
        pytest.param(
            DOCUMENT,
            error("resolution.addresses", host="example.com"),
            "6",
            "",
            id="name without addresses",
        ),
        pytest.param(
            VERSIONS, error("client.preflight"), "3.2", "client.versions", id="no client API"
        ),
        pytest.param(
            VERSIONS, error("registration.login"), "3.2", "client.versions", id="no log-in"
        ),
        pytest.param(VERSIONS, error("exposure.metrics"), "3.2", "", id="metrics without an API"),
        pytest.param(
            KEYS,
            error("federation.version", exchange=at(ALIVE, 502)),
            "3.2",
            "federation.keys",
            id="homeserver down",
        ),
        pytest.param(
            KEYS,
            error("federation.version", exchange=at(ALIVE, 404)),
            "3.2",
            "",
            id="version wrong in another way",
        ),
    ],
)
def test_what_follows(root: Finding, other: Finding, step: str, cause: str) -> None:
    kept, judged = explained([root, other], Resolution("example.com", step), delegated=True)
    assert kept == root
    assert judged.verdict == ("skipped" if cause else "error")
    assert judged.message.endswith(f"This follows from {cause}." if cause else "It is broken.")
    assert bool(judged.remedy) != bool(cause)


def test_the_deepest_cause_is_named() -> None:
    reach = error("client.reach", exchange=at(DEAD))
    document = error("well_known.client.status", hops=[REFUSED])
    found = explained([ADDRESS, reach, document], Resolution("example.com", "3.2"), delegated=True)
    assert [item.message.removeprefix("It is broken.") for item in found] == [
        "",
        " This follows from ports.address.",
        " This follows from ports.address.",
    ]


def test_nothing_follows_without_a_plan() -> None:
    other = error("federation.reach", exchange=at(ALIVE))
    _root, judged = explained([DOCUMENT, other], Resolution("example.com", "6"), delegated=False)
    assert judged == other


def test_an_expired_certificate_is_one_finding_of_a_whole_run() -> None:
    server = Server()
    fault = Fault("tls", "the certificate is not trusted (certificate has expired)")
    shown = untrusted("certificate has expired", days=-1)
    for url, reply in server.replies.items():
        if url.removeprefix("OPTIONS ").removeprefix("POST ").startswith((API, BASE)):
            server.replies[url] = replace(reply, error=fault, certificate=shown)
    findings = asyncio.run(server.findings())
    named = {item.id for item in findings if item.verdict in ("error", "warning", "unknown")}
    assert named == {"certificate.trust"}
