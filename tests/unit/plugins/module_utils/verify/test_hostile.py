# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a server answers, a run ends with findings: never with an exception."""

from __future__ import annotations

import asyncio
import json

from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import VERDICTS
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Certificate,
    Fault,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    Reply,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    API,
    BASE,
    CERTIFICATE,
    Server,
    replies,
)
from hypothesis import given, settings
from hypothesis import strategies as st

URLS = sorted(replies())
KEYS = st.sampled_from(
    [
        "m.homeserver",
        "base_url",
        "m.server",
        "contacts",
        "role",
        "matrix_id",
        "email_address",
        "support_page",
        "versions",
        "flows",
        "stages",
        "server",
        "name",
        "version",
        "server_name",
        "verify_keys",
        "ed25519:a_1",
        "key",
        "signatures",
        "example.com",
        "valid_until_ts",
        "old_verify_keys",
        "expired_ts",
        "errcode",
        "issuer",
        "org.matrix.msc2965.authentication",
        "org.matrix.msc4143.rtc_foci",
        "livekit_service_url",
        "m.identity_server",
        "m.integrations",
        "managers",
        "grant_types_supported",
    ]
)
TEXTS = st.text() | st.sampled_from([API, BASE, "m.login.dummy", "example.com", "AAAA", "@a:b"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | TEXTS, inner, max_size=4),
    max_leaves=12,
)
BODIES = st.binary() | VALUES.map(lambda value: json.dumps(value).encode())
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "Location",
                "Content-Type",
                "Access-Control-Allow-Origin",
                "Date",
                "Age",
                "Strict-Transport-Security",
            ]
        ),
        st.text(st.characters(max_codepoint=255)) | st.sampled_from(["*", "/a", API, *URLS]),
    ),
    max_size=4,
).map(tuple)
REPLIES = st.builds(
    Reply,
    status=st.sampled_from([200, 200, 200, 204, 301, 302, 401, 403, 404, 429, 500]),
    body=BODIES,
    headers=HEADERS,
    error=st.none() | st.just(Fault("tls", "untrusted")),
    certificate=st.none()
    | st.just(CERTIFICATE)
    | st.builds(Certificate, st.tuples(st.binary()), fault=st.text()),
)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.sampled_from(URLS), REPLIES, max_size=len(URLS)))
def test_any_answers_end_in_findings(damage: dict[str, Reply]) -> None:
    server = Server()
    server.replies.update(damage)
    findings = asyncio.run(server.findings())
    assert {finding.verdict for finding in findings} <= set(VERDICTS)
    json.dumps([finding.as_dict() for finding in findings]).encode()
