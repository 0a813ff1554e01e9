# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.peers.signing import (
    canonical,
    decode,
    is_signed,
    judge_keys,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    SIGNING_KEY,
    signed_keys,
    unpadded,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

SEED = "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param({}, "{}", id="empty"),
        pytest.param({"one": 1, "two": "Two"}, '{"one":1,"two":"Two"}', id="plain"),
        pytest.param({"b": "2", "a": "1"}, '{"a":"1","b":"2"}', id="sorted"),
        pytest.param({"本": 2, "日": 1}, '{"日":1,"本":2}', id="sorted by code point"),
        pytest.param({"a": "\u65e5"}, '{"a":"日"}', id="not escaped"),
        pytest.param({"a": None}, '{"a":null}', id="null"),
        pytest.param({"a": -0, "b": 10000000000}, '{"a":0,"b":10000000000}', id="numbers"),
    ],
)
def test_canonical_json_of_the_specification(value: Any, text: str) -> None:
    assert canonical(value) == text.encode()


@pytest.mark.parametrize("value", [1.5, [{"a": 2**53}], {"a": -(2**53)}])
def test_numbers_that_canonical_json_does_not_have(value: Any) -> None:
    with pytest.raises(ValueError, match="no number"):
        canonical(value)


@given(JSON)
def test_canonical_json_can_be_read_again(value: Any) -> None:
    assert json.loads(canonical(value)) == value
    assert canonical(json.loads(canonical(value))) == canonical(value)


@pytest.mark.parametrize(
    ("value", "signature"),
    [
        (
            {},
            "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ",
        ),
        (
            {"one": 1, "two": "Two"},
            "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw",
        ),
    ],
    ids=["empty", "plain"],
)
def test_signatures_of_the_specification(value: dict[str, Any], signature: str) -> None:
    key = Ed25519PrivateKey.from_private_bytes(decode(SEED)).public_key()
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert is_signed({**value, "unsigned": {"a": 1}}, key=raw, signature=decode(signature))
    assert not is_signed({**value, "more": 1}, key=raw, signature=decode(signature))


@given(st.binary())
def test_unpadded_base64(data: bytes) -> None:
    assert decode(unpadded(data)) == data
    assert base64.b64decode(base64.b64encode(data)) == data


def judged(value: dict[str, Any], *, now: float = 0) -> set[str]:
    findings = judge_keys(value, server_name="example.com", where="here", now=now)
    return {f"{item.verdict} {item.id}" for item in findings if item.verdict != "ok"}


SIGNATURE = {"error federation.keys.signature"}
OLD = {"warning federation.keys.old"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        pytest.param({}, set(), id="healthy"),
        pytest.param({"server_name": "x.org"}, {"error federation.keys.server_name"}, id="name"),
        pytest.param({"verify_keys": {}}, SIGNATURE, id="no key"),
        pytest.param({"verify_keys": []}, SIGNATURE, id="keys are a list"),
        pytest.param({"verify_keys": {"rsa:1": {"key": "AAAA"}}}, SIGNATURE, id="other kind"),
        pytest.param({"verify_keys": {"ed25519:a_1": "AAAA"}}, SIGNATURE, id="key is a text"),
        pytest.param({"verify_keys": {"ed25519:a_1": {"key": "AA"}}}, SIGNATURE, id="short key"),
        pytest.param({"verify_keys": {"ed25519:a_1": {"key": "ä"}}}, SIGNATURE, id="not base64"),
        pytest.param({"old_verify_keys": []}, OLD, id="old keys are a list"),
        pytest.param({"old_verify_keys": {"ed25519:0": {"key": "A"}}}, OLD, id="old key, no end"),
        pytest.param({"valid_until_ts": "x"}, {"error federation.keys.validity"}, id="no time"),
        pytest.param({"valid_until_ts": 0}, {"error federation.keys.validity"}, id="expired"),
        pytest.param(
            {"valid_until_ts": 1900000}, {"warning federation.keys.validity"}, id="half an hour"
        ),
    ],
)
def test_keys(changes: dict[str, Any], named: set[str]) -> None:
    assert judged(signed_keys(**changes), now=100) == named


def test_a_key_that_did_not_sign() -> None:
    value = signed_keys()
    raw = SIGNING_KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    value["verify_keys"]["ed25519:b"] = {"key": unpadded(raw)}
    assert judged(value) == SIGNATURE


def test_an_unsafe_number_cannot_be_checked() -> None:
    assert judged({**signed_keys(), "x": 1.5}) == SIGNATURE


@given(st.dictionaries(st.sampled_from(sorted(signed_keys())) | TEXTS, JSON))
def test_anything_is_judged(value: dict[str, Any]) -> None:
    judged(value)
