# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP answers of strangers: framing, header lines, redirects, and what is read from them."""

from __future__ import annotations

import asyncio
import gzip
import json
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.homestead.matrix.plugins.module_utils.verify import (
    cors,
    evidence,
    redirect_chain,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire import coding, http1
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    KIB,
    Exchange,
    Fault,
    Request,
)
from ansible_collections.homestead.matrix.tests.fuzz.properties import (
    fuzzed,
    run,
    value_or_refusal,
)
from ansible_collections.homestead.matrix.tests.fuzz.strategies import EDITS, TEXTS, edited
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    FakeTransport,
    Reply,
)
from hypothesis import example
from hypothesis import strategies as st

URL = "https://example.com/.well-known/matrix/client"
LIMIT = 4 * KIB
LATIN = st.text(st.characters(max_codepoint=255), max_size=30)
LOCATIONS = TEXTS | st.sampled_from(
    [
        URL,
        "/a",
        "../b?c#d",
        "https://[::1",
        "https:///x",
        "javascript:alert(1)",
        "file:///etc/passwd",
    ]
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "Location",
                "Content-Type",
                "Content-Encoding",
                "Cache-Control",
                "Access-Control-Allow-Origin",
                "Access-Control-Allow-Methods",
                "Access-Control-Allow-Headers",
            ]
        )
        | LATIN,
        LOCATIONS | LATIN | st.sampled_from(["*", "*, *", "max-age=1", "gzip", "application/json"]),
    ),
    max_size=5,
)
STATUS_LINES = st.sampled_from(
    [
        "HTTP/1.1 200 OK",
        "HTTP/1.0 200 OK",
        "HTTP/1.1 100 Continue",
        "HTTP/1.1 101 Switching Protocols",
        "HTTP/1.1 204 No Content",
        "HTTP/1.1 302 Found",
        "HTTP/1.1 999 ",
        "HTTP/1.1 99999 OK",
        "HTTP/0.9 200 OK",
        "HTTP/2 200",
        "HTTP/1.1 200",
        "<html>",
        "",
    ]
)
FRAMING = st.sampled_from(
    [
        "",
        "Content-Length: 0",
        "Content-Length: 2",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999999",
        "Content-Length: 2\r\nContent-Length: 3",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 2",
    ]
)
BODIES = st.sampled_from(
    [
        b"{}",
        b"",
        b"2\r\n{}\r\n0\r\n\r\n",
        b"1\r\n{\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n",
        b"2;extension=1\r\n{}\r\n0\r\n\r\n",
        b"-2\r\n{}\r\n0\r\n\r\n",
        b"ffffffffffffffffffff\r\n{}",
        b"fffffffffffffffffffffffff\r\n{}",
        b"x" * (2 * LIMIT),
        b"1000\r\n" + b"x" * 0x1000 + b"\r\n" + b"2000\r\n" + b"x" * 0x2000,
        b"1\r\nx\r\n" * LIMIT + b"1\r\nx\r\n",
        b"\x1f\x8b\x08\x00" + bytes(50),
    ]
)


def answer(status: str, headers: list[tuple[str, str]], framing: str, body: bytes) -> bytes:
    lines = [status, *(f"{name}: {value}" for name, value in headers), framing]
    head = "\r\n".join(line for line in lines if line).encode("utf-8", "replace")
    return head + b"\r\n\r\n" + body


ANSWERS = st.builds(answer, STATUS_LINES, HEADERS, FRAMING, BODIES)
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
WHOLE = b"HTTP/1.1 200 OK\r\n"


class _Paper:
    """A writer that keeps nothing."""

    def write(self, data: bytes) -> None:
        assert data.endswith(b"\r\n\r\n")

    async def drain(self) -> None:
        return None


def conversed(answer: bytes, pieces: int = 1) -> Exchange:
    """Hold a conversation with a server that sends these bytes, in pieces, and closes."""

    async def converse() -> Exchange:
        reader = asyncio.StreamReader()

        async def feed() -> None:
            size = max(1, -(-len(answer) // pieces))
            for start in range(0, len(answer), size):
                reader.feed_data(answer[start : start + size])
                await asyncio.sleep(0)
            reader.feed_eof()

        feeding = asyncio.create_task(feed())
        paper: Any = _Paper()
        try:
            return await http1.converse(reader, paper, Request(URL, limit=LIMIT))
        finally:
            feeding.cancel()

    return run(converse())


def assert_bounded(exchange: Exchange) -> None:
    assert exchange.status == 0 or 200 <= exchange.status <= 999
    assert len(exchange.body) <= LIMIT
    size = sum(len(name) + len(value) for name, value in exchange.headers)
    assert size <= http1.HEADERS_LIMIT + 16 * KIB
    assert len(exchange.headers) <= http1.LINES_LIMIT
    assert len(str(exchange.error)) <= 300
    assert len(json.dumps(evidence.seen(exchange), allow_nan=False)) <= evidence.SEEN_LIMIT


@fuzzed(st.binary(max_size=300) | st.builds(edited, ANSWERS, EDITS), st.integers(1, 40))
@example(INTERIM * 100_000, 1)
@example(INTERIM * 3 + WHOLE + b"\r\n", 1)
@example(WHOLE + b"a:\r\n" * 100_000 + b"\r\n", 1)
@example(WHOLE + b"a:\r\n" * 4000 + b"\r\n", 1)
@example(WHOLE + b"A: " + b"x" * 200_000, 1)
@example(WHOLE + b"A: " + b"\xff" * 60_000 + b"\r\n\r\n", 20)
@example(WHOLE + b"A: x\r\n" + b" y\r\n" * 100_000, 1)
@example(b"x" * 200_000, 1)
@example(WHOLE + b"Transfer-Encoding: chunked\r\n\r\n" + b"0\r\n" + b"a: b\r\n" * 100_000, 1)
@example(WHOLE + b"Transfer-Encoding: chunked\r\n\r\n2;" + b"x" * 100_000, 1)
@example(WHOLE + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100_000, 1)
@example(b"\0\0\0\4\0\0\0\0\0", 1)
def test_conversations_end_within_bounds(answer: bytes, pieces: int) -> None:
    assert_bounded(conversed(answer, pieces))


ENCODED = st.builds(edited, st.binary(max_size=200).map(gzip.compress), EDITS)


@fuzzed(st.binary(max_size=50) | ENCODED, st.sampled_from(["gzip", "deflate", "br", "é", ",,"]))
@example(gzip.compress(bytes(10**7)), "x-gzip")
def test_bodies_are_decoded_within_bounds(body: bytes, name: str) -> None:
    content = value_or_refusal(partial(coding.decoded, limit=LIMIT), body, [name, "identity"])
    assert content is None or len(content) <= LIMIT + 1


TOKENS = st.text("abcXYZ019-_!#$%&'*+.^`|~", min_size=1, max_size=20).map("x{}".format)
PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)


@fuzzed(st.lists(st.tuples(TOKENS, PLAIN.map(str.strip)), max_size=8))
def test_header_lines_come_as_they_are(headers: list[tuple[str, str]]) -> None:
    exchange = conversed(answer("HTTP/1.1 200 OK", headers, "Content-Length: 2", b"{}"))
    assert exchange.error is None
    assert exchange.body == b"{}"
    assert exchange.headers == (*headers, ("Content-Length", "2"))


@fuzzed(TEXTS | LOCATIONS | st.builds("https://{}".format, TEXTS))
def test_targets_are_parsed_or_refused(url: str) -> None:
    target = value_or_refusal(http1.Target.parse, url)
    if target is not None:
        assert target.host
        assert 0 < target.port < 65536
        assert target.path.startswith("/")


REPLIES = st.builds(
    Reply,
    status=st.sampled_from([200, 301, 302, 307, 308, 404, 0]),
    headers=HEADERS.map(tuple),
    body=st.binary(max_size=20),
    error=st.none() | st.just(Fault("tls", "untrusted")),
)


@fuzzed(st.dictionaries(st.sampled_from([URL, "https://example.com/a"]), REPLIES))
@example({URL: Reply(302, headers=(("Location", "https://example.com/" + "x" * 60_000),))})
@example({URL: Reply(302, headers=(("Location", "https://[::1"),))})
@example({URL: Reply(302, headers=(("Location", "\udcff"),))})
def test_redirects_are_followed_within_bounds(replies: dict[str, Reply]) -> None:
    chain = run(redirect_chain.follow(FakeTransport(replies=replies), URL))
    urls = [hop.request.url for hop in chain.hops]
    assert len(urls) == len(set(urls)) <= redirect_chain.HOPS_LIMIT + 1
    assert {urlsplit(url).scheme for url in urls} == {"https"}
    assert len(json.dumps(evidence.hops(chain))) <= evidence.SEEN_LIMIT * len(urls)


@fuzzed(LOCATIONS, LOCATIONS)
def test_a_location_is_a_url_or_nothing(base: str, value: str) -> None:
    exchange = Exchange(Request(base), status=302, headers=(("Location", value),))
    target = redirect_chain.location(exchange)
    assert not target or urlsplit(target).hostname


@fuzzed(HEADERS, st.integers(0, 999), st.binary(max_size=500))
def test_rules_for_browsers_are_judged(
    headers: list[tuple[str, str]], status: int, body: bytes
) -> None:
    exchange = Exchange(Request(URL), status=status, headers=tuple(headers), body=body)
    assert isinstance(cors.origin_fault(exchange), str)
    assert isinstance(cors.preflight_fault(exchange), str)
    assert set(cors.missing_methods(exchange)) <= cors.METHODS
    assert evidence.excerpt(body).isprintable()
