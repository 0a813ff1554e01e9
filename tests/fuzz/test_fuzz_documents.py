# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON of strangers: read strictly, and judged whatever it says."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.homestead.matrix.plugins.module_utils.verify import strict_json
from ansible_collections.homestead.matrix.plugins.module_utils.verify.documents import (
    contacts,
    discovery,
    wellknown,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.peers import (
    delegation,
    signing,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.redirect_chain import follow
from ansible_collections.homestead.matrix.tests.fuzz.properties import (
    assert_sound,
    fuzzed,
    run,
    value_or_refusal,
)
from ansible_collections.homestead.matrix.tests.fuzz.strategies import (
    TEXTS,
    VALUES,
    documents,
    odd,
    written,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    FakeTransport,
    Reply,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    API,
    DOCUMENTS,
    signed_keys,
)
from hypothesis import example
from hypothesis import strategies as st

CLIENT: dict[str, Any] = {
    **DOCUMENTS["client"],
    "m.identity_server": {"base_url": API},
    "org.matrix.msc3575.proxy": {"url": API},
    "org.matrix.msc4143.rtc_foci": [{"type": "livekit", "livekit_service_url": API}],
    "org.matrix.msc2965.authentication": {"issuer": API, "account": API},
}
SUPPORT: dict[str, Any] = {
    "contacts": [
        {"role": "m.role.admin", "matrix_id": "@a:example.com", "email_address": "a@example.com"},
        {"role": "com.example.billing", "email_address": '"a b"@[IPv6:::1]'},
    ],
    "support_page": "https://example.com/support",
}
PUBLISHED = {"client": CLIENT, "server": DOCUMENTS["server"], "support": SUPPORT}
KEYS = signed_keys()


def is_finite(value: Any) -> bool:
    """Whether JSON has this value, as everything has that operators write."""
    return value_or_refusal(json.dumps, value, allow_nan=False) is not None


NAMES = st.sampled_from(wellknown.NAMES)


@fuzzed(documents(CLIENT, SUPPORT, KEYS))
@example(b"1" * 5000)
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b'{"a": 1e999}')
@example(b'{"a": -1e999}')
@example(b'"\\ud800"')
@example(b"\xef\xbb\xbf{}")
@example(b"{" + b'"a":0,' * 170_000 + b'"a":0}')
def test_json_is_read_or_refused(body: bytes) -> None:
    document = value_or_refusal(strict_json.loads, body)
    if document is not None:
        text = json.dumps(document.value, ensure_ascii=False, allow_nan=False)
        assert strict_json.loads(text.encode("utf-8")).value == document.value
        assert all(isinstance(key, str) for key in document.duplicates)


@fuzzed(documents(CLIENT, SUPPORT, KEYS))
def test_a_refusal_is_one_short_phrase(body: bytes) -> None:
    try:
        strict_json.loads(body)
    except ValueError as error:
        phrase = str(error)
    else:
        return
    assert phrase.isprintable()
    assert len(phrase) < 100


@fuzzed(st.sampled_from(wellknown.NAMES).flatmap(lambda name: odd(PUBLISHED[name])), NAMES)
@example({"contacts": [{f"k{key}": 0 for key in range(3000)}] * 60}, "support")
@example({"x" * 100_000: 1}, "client")
@example({"msc" + "9" * 5000: 1, "msc\u0661": 2}, "support")
def test_documents_are_judged(value: Any, name: wellknown.Name) -> None:
    judges = {
        "client": discovery.judge_discovery,
        "server": delegation.judge_delegation,
        "support": contacts.judge_support,
    }
    if isinstance(value, dict) and value_or_refusal(strict_json.loads, written(value)):
        assert_sound(judges[name](value))


@fuzzed(NAMES, documents(CLIENT, SUPPORT, DOCUMENTS["server"]), odd(SUPPORT).filter(is_finite))
@example("client", b'{"a": "' + b"x" * 50_000 + b'"}', {})
@example("support", b'{"a": 1e999}', {"contacts": []})
def test_served_documents_are_judged(name: wellknown.Name, body: bytes, planned: Any) -> None:
    url = wellknown.url("example.com", name)
    chain = run(follow(FakeTransport(replies={url: Reply(body=body)}), url))
    for wanted in (wellknown.Wanted(), wellknown.Wanted(planned=True, value=planned)):
        assert_sound(wellknown.judge(name, chain, wanted))
        assert_sound(wellknown.judge_copy(name, chain, chain, wanted))
    wellknown.value_of(chain)


@fuzzed(documents(DOCUMENTS["server"]))
def test_a_delegation_is_a_server_name_or_refused(body: bytes) -> None:
    value_or_refusal(delegation.delegated_name, body)


@fuzzed(TEXTS | st.builds("https://{}".format, TEXTS))
@example("https://[::1")
@example("https://[v1.a]/")
@example("https://a:9" + "9" * 5000)
def test_base_urls_are_judged(url: str) -> None:
    assert isinstance(discovery.url_fault(url), str)
    found = discovery.base_url({"m.homeserver": {"base_url": url}})
    assert not found or (found.isascii() and found.startswith("https://"))


@fuzzed(odd(KEYS))
@example({**KEYS, "valid_until_ts": 10**400})
@example({**KEYS, "valid_until_ts": -(10**400)})
@example({**KEYS, "verify_keys": {"ed25519:" + "a" * 60_000: {"key": "é"}}})
@example({**KEYS, "old_verify_keys": {"x" * 60_000: 1}})
def test_signing_keys_are_judged(value: Any) -> None:
    if isinstance(value, dict) and value_or_refusal(strict_json.loads, written(value)):
        assert_sound(signing.judge_keys(value, server_name="example.com", where="here", now=1e9))


@fuzzed(VALUES | odd(KEYS))
def test_canonical_json_is_made_or_refused(value: Any) -> None:
    text = value_or_refusal(signing.canonical, value)
    if text is not None:
        assert signing.canonical(json.loads(text)) == text


@fuzzed(TEXTS, st.binary(max_size=70), st.binary(max_size=70))
def test_signatures_are_checked_or_refused(text: str, key: bytes, signature: bytes) -> None:
    value_or_refusal(signing.decode, text)
    assert not value_or_refusal(signing.is_signed, {"a": 1}, key=key, signature=signature)
