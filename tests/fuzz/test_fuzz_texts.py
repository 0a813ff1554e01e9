# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Header values, security.txt, mail replies and metadata of strangers."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ansible_collections.homestead.matrix.plugins.module_utils.verify import answers
from ansible_collections.homestead.matrix.plugins.module_utils.verify.api import (
    auth_metadata,
    exposure,
    media,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.documents import (
    client_keys,
    query,
    security_txt,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.peers import caching
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports import (
    dns_messages,
    dns_recursion,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.redirect_chain import Chain
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web import clock, hsts
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.sites import Sites
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire import smtp
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.recorder import Taken
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Exchange,
    Request,
)
from ansible_collections.homestead.matrix.tests.fuzz.properties import (
    assert_sound,
    fuzzed,
    value_or_refusal,
)
from ansible_collections.homestead.matrix.tests.fuzz.strategies import (
    EDITS,
    TEXTS,
    documents,
    edited,
    mutated,
)
from ansible_collections.homestead.matrix.tests.fuzz.test_fuzz_documents import CLIENT
from ansible_collections.homestead.matrix.tests.fuzz.test_fuzz_http import HEADERS
from ansible_collections.homestead.matrix.tests.fuzz.test_fuzz_run import METADATA
from hypothesis import example
from hypothesis import strategies as st

URL = "https://example.com/.well-known/security.txt"
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECURITY = b"""# A comment
Contact: mailto:security@example.com
Expires: 2026-12-31T23:59:59.000Z
Canonical: https://example.com/.well-known/security.txt
Preferred-Languages: en
"""
SIGNED = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n" + SECURITY
SIGNED += b"-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----\n"
VALUES = st.sampled_from(
    [
        "max-age=100",
        'no-store, private="x"',
        "max-age=" + "9" * 400,
        "max-age=-1; max-age=\u0661",
        "max-age=31536000; includeSubDomains; preload",
        'max-age="1"; x="\\"',
        "Wed, 30 Jan 2019 07:35:33 GMT",
        "Wed, 30 Jan 99999999999 07:35:33 +9999",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "0",
    ]
)
NAMES = ("Cache-Control", "Expires", "Date", "Age", "Strict-Transport-Security", "Location")
CHANGED = st.builds(
    lambda value, edits: edited(value.encode("latin-1", "replace"), edits).decode("latin-1"),
    VALUES,
    EDITS,
)
LINES = HEADERS | st.lists(st.tuples(st.sampled_from(NAMES), VALUES | TEXTS | CHANGED), max_size=5)
REPLIES = st.sampled_from(
    [
        b"220 example.com ESMTP\r\n",
        b"250-example.com\r\n250-STARTTLS\r\n250 SIZE 1\r\n",
        b"454 4.7.1 Relay access denied\r\n",
        b"220-a\r\n250 b\r\n",
    ]
)


def exchanged(headers: list[tuple[str, str]], body: bytes = b"", status: int = 200) -> Exchange:
    return Exchange(Request(URL), status=status, headers=tuple(headers), body=body)


@fuzzed(mutated(SECURITY, SIGNED), LINES)
@example(b"a:x" + b" " * 32_000 + b"y", [])
@example(b"a:" + b"\t " * 16_000 + b"\x0b", [])
@example(b"-----BEGIN PGP SIGNED MESSAGE-----", [])
@example(b"Expires: 9999-12-31T23:59:59-23:59\nContact: x:y", [])
@example(b"Expires: 0001-01-01T00:00:00+23:59", [])
@example("Expires: \u0662\u0660\u0662\u0660-01-01T00:00:00Z".encode(), [])
@example(b"Canonical: https://[::1", [("Content-Type", "text/plain; charset=" + "x" * 9000)])
def test_security_txt_is_judged(body: bytes, headers: list[tuple[str, str]]) -> None:
    chain = Chain((exchanged(headers, body),))
    assert_sound([security_txt.judge_security_txt(chain, NOW)])


@fuzzed(LINES, st.floats(0, 1e12))
@example([("Cache-Control", "max-age=" + "9" * 5000)], 0)
@example([("Expires", "Fri, 31 Dec 9999 23:59:59 -2359")], 0)
def test_times_to_keep_are_read(headers: list[tuple[str, str]], now: float) -> None:
    stated = caching.stated_seconds(headers, now)
    assert caching.LOWEST <= caching.kept_seconds(stated) <= caching.HIGHEST
    assert_sound([caching.judge_cache(exchanged(headers))])


@fuzzed(LINES, st.floats(0, 1e12), st.floats(0, 60))
def test_clocks_are_judged(headers: list[tuple[str, str]], began: float, took: float) -> None:
    assert_sound(clock.judge_clocks([Taken(exchanged(headers), began, began + took)]))


@fuzzed(LINES)
@example([("Strict-Transport-Security", "max-age=" + "0" * 60_000)])
@example([("Strict-Transport-Security", ' ="' + '\\"' * 30_000)])
@example([("Strict-Transport-Security", "a" * 60_000 + " " * 60_000)])
@example([("Strict-Transport-Security", ";" * 60_000)])
def test_hsts_is_judged(headers: list[tuple[str, str]]) -> None:
    exchange = exchanged(headers)
    assert isinstance(hsts.hsts_fault(exchange), str)
    sites = Sites("example.com", "example.com")
    for planned in (True, False):
        assert_sound(hsts.judge_hsts([Taken(exchange, 0, 1)], sites, planned=planned))


@fuzzed(LINES)
def test_queries_of_redirects_are_judged(headers: list[tuple[str, str]]) -> None:
    assert_sound(query.judge_query("client", exchanged(headers, status=302)))


@fuzzed(st.binary(max_size=99) | st.builds(edited, REPLIES, EDITS))
@example(b"250-" + b"x" * 90_000)
@example(b"250-a\r\n" * 9000)
def test_mail_replies_are_parsed_or_refused(data: bytes) -> None:
    reply = value_or_refusal(smtp.Reply.parse, data)
    assert 0 <= smtp.missing(data) <= smtp.REPLY_LIMIT
    if reply is not None:
        assert 200 <= reply.code < 600
        assert str(reply).isprintable()
        assert reply.offers("STARTTLS") in (True, False)


@fuzzed(st.binary(max_size=40), st.binary(min_size=2, max_size=40))
def test_recursion_is_told_from_any_answer(answer: bytes, question: bytes) -> None:
    question_ids = question[:2] + answer[2:]
    for data in (answer, question_ids):
        heard = [dns_recursion.heard_of("udp", data, question)]
        finding = dns_recursion.judge("192.0.2.1", heard)
        assert_sound([finding] if finding else [])
    assert dns_messages.missing_of_dns(answer) >= 0


STATUS = st.sampled_from([0, 200, 401, 403, 404, 413, 429, 500])


@fuzzed(documents(METADATA, {"errcode": "M_UNRECOGNIZED"}), STATUS, documents(CLIENT))
@example(b'{"issuer": "https://[::1"}', 200, b"{}")
def test_metadata_and_answers_are_judged(body: bytes, status: int, client: bytes) -> None:
    exchange, document = exchanged([], body, status), answers.object_of(exchanged([], client))
    assert len(answers.stated(exchange)) < 100
    answers.why_unknown(exchange)
    assert_sound(auth_metadata.judge_metadata(exchange, document))
    assert_sound(client_keys.judge_client(document))
    assert_sound([client_keys.judge_identity(exchange, URL)])
    judged: list[Any] = [media.judge_config(exchange, (1, 11)), media.judge_route(exchange)]
    judged += [media.judge_size(exchange, 50), exposure.judge_metrics([exchange])]
    assert_sound([*judged, exposure.judge_admin_api([exchange], planned=True)])


@fuzzed(st.lists(TEXTS | st.integers() | st.none()))
@example(["v" + "9" * 5000 + ".1", "v1.\u0661", "v.", ""])
def test_the_newest_version_is_found(versions: list[Any]) -> None:
    assert answers.newest(versions) >= (0, 0)
