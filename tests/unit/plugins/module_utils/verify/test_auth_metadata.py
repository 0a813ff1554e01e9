# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.api.auth_metadata import (
    ANNOUNCED,
    fetch_metadata,
    judge_metadata,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Exchange,
    Fault,
    Request,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    FakeTransport,
    Reply,
)
from hypothesis import given
from hypothesis import strategies as st

ISSUER = "https://account.example.com/"
WHOLE: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}authorize",
    "token_endpoint": f"{ISSUER}oauth2/token",
    "revocation_endpoint": f"{ISSUER}oauth2/revoke",
    "registration_endpoint": f"{ISSUER}oauth2/registration",
    "response_types_supported": ["code"],
    "response_modes_supported": ["form_post", "query", "fragment"],
    "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
    "code_challenge_methods_supported": ["plain", "S256"],
    "account_management_uri": f"{ISSUER}account/",
}
BASE = "https://matrix.example.com"
STABLE = f"{BASE}/_matrix/client/v1/auth_metadata"
UNSTABLE = f"{BASE}/_matrix/client/unstable/org.matrix.msc2965/auth_metadata"
UNRECOGNIZED = {"errcode": "M_UNRECOGNIZED"}
DOCUMENT = {ANNOUNCED: {"issuer": ISSUER}}


def answered(value: Any, status: int = 200) -> Exchange:
    return Exchange(Request(STABLE), status=status, body=json.dumps(value).encode())


def without(*keys: str, **changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**WHOLE, **changes}.items() if key not in keys}


def verdicts(exchange: Exchange, document: Any = None) -> list[str]:
    return [f"{item.verdict} {item.id}" for item in judge_metadata(exchange, document)]


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        pytest.param(WHOLE, "ok", id="whole"),
        pytest.param(without("account_management_uri"), "info", id="no account page"),
        pytest.param(without("issuer"), "error", id="no issuer"),
        pytest.param(without(issuer="http://a.org/"), "error", id="issuer not https"),
        pytest.param(without(issuer=f"{ISSUER}?a=1"), "error", id="issuer with query"),
        pytest.param(without(issuer=f"{ISSUER}#a"), "error", id="issuer with fragment"),
        pytest.param(without("token_endpoint"), "error", id="no token endpoint"),
        pytest.param(without(token_endpoint="http://a.org/"), "error", id="endpoint not https"),
        pytest.param(without(token_endpoint=7), "error", id="endpoint is a number"),
        pytest.param(without(token_endpoint=f"{ISSUER}t?a=b"), "ok", id="endpoint with query"),
        pytest.param(without(token_endpoint=f"{ISSUER}t?a#b"), "error", id="with fragment"),
        pytest.param(without("revocation_endpoint"), "error", id="no revocation"),
        pytest.param(without("registration_endpoint"), "error", id="no registration of clients"),
        pytest.param(without(response_types_supported=[]), "error", id="no code"),
        pytest.param(without(grant_types_supported=["implicit"]), "error", id="no code grant"),
        pytest.param(without(code_challenge_methods_supported=["plain"]), "error", id="no S256"),
        pytest.param(without(code_challenge_methods_supported="S256"), "error", id="no list"),
        pytest.param(
            without(grant_types_supported=["authorization_code"]), "warning", id="no refresh"
        ),
        pytest.param(without(response_modes_supported=["query"]), "warning", id="no fragment"),
        pytest.param(without("response_modes_supported"), "warning", id="no response modes"),
    ],
)
def test_form(value: dict[str, Any], verdict: str) -> None:
    assert verdicts(answered(value)) == [f"{verdict} client.auth_metadata"]


@pytest.mark.parametrize(
    ("exchange", "document", "expected"),
    [
        pytest.param(
            answered(WHOLE),
            DOCUMENT,
            ["ok client.auth_metadata", "ok client.auth_issuer"],
            id="same issuer",
        ),
        pytest.param(
            answered(WHOLE),
            {ANNOUNCED: {"issuer": ISSUER.rstrip("/")}},
            ["ok client.auth_metadata", "error client.auth_issuer"],
            id="without the slash",
        ),
        pytest.param(
            answered(WHOLE),
            {ANNOUNCED: {"account": ISSUER}},
            ["ok client.auth_metadata", "error client.auth_issuer"],
            id="no issuer announced",
        ),
        pytest.param(
            answered(UNRECOGNIZED, 404), DOCUMENT, ["warning client.auth_metadata"], id="missing"
        ),
        pytest.param(
            answered(UNRECOGNIZED, 404), {}, ["ok client.auth_metadata"], id="without OAuth 2.0"
        ),
        pytest.param(
            answered(UNRECOGNIZED, 405), {}, ["ok client.auth_metadata"], id="without, another make"
        ),
        pytest.param(answered({"errcode": "M_MISSING_TOKEN"}, 401), {}, [], id="a token for all"),
        pytest.param(answered("page"), {}, ["error client.auth_metadata"], id="no object"),
        pytest.param(answered("page", 502), {}, [], id="the API is down"),
        pytest.param(
            Exchange(Request(STABLE), error=Fault("timeout", "…")), DOCUMENT, [], id="no answer"
        ),
    ],
)
def test_presence(exchange: Exchange, document: Any, expected: list[str]) -> None:
    assert verdicts(exchange, document) == expected


@pytest.mark.parametrize(
    ("answering", "document", "asked"),
    [
        pytest.param(STABLE, DOCUMENT, [STABLE], id="stable name"),
        pytest.param(UNSTABLE, DOCUMENT, [STABLE, UNSTABLE], id="older name"),
        pytest.param(UNSTABLE, {}, [STABLE], id="older name, not announced"),
    ],
)
def test_names(answering: str, document: Any, asked: list[str]) -> None:
    transport = FakeTransport(replies={answering: Reply(body=json.dumps(WHOLE).encode())})
    exchange = asyncio.run(fetch_metadata(transport, BASE, document))
    assert [request.url for request in transport.requests] == asked
    assert (exchange.status == 200) == (answering in asked)


@given(
    st.dictionaries(
        st.sampled_from(sorted(WHOLE)),
        st.none() | st.text() | st.lists(st.none() | st.text() | st.lists(st.none())),
    )
)
def test_anything_is_judged(changes: dict[str, Any]) -> None:
    assert judge_metadata(answered({**WHOLE, **changes}), DOCUMENT)
