# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.cors import (
    missing_methods,
    origin_fault,
    preflight_fault,
    repeats_origin,
    varies,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.redirect_chain import (
    Chain,
    first_request,
    follow,
    location,
    refused_by_browsers,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Exchange,
    Request,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    FakeTransport,
    Reply,
)

URL = "https://example.com/a?x=1"
ORIGIN = "Access-Control-Allow-Origin"
METHODS = "Access-Control-Allow-Methods"
HEADERS = "Access-Control-Allow-Headers"


def answered(*headers: tuple[str, str], status: int = 200) -> Exchange:
    return Exchange(Request(URL), status=status, headers=headers)


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("https://other.example/b", "https://other.example/b"),
        ("/b?y=2", "https://example.com/b?y=2"),
        ("b#part", "https://example.com/b"),
        ("//other.example/b", "https://other.example/b"),
        ("/a path", "https://example.com/a%20path"),
        ("http://example.com/", "http://example.com/"),
        ("https://[::1/", ""),
        ("https://example.com:0/", ""),
        ("https://example.com:65536/", ""),
        ("mailto:a@example.com", ""),
        ("https://bücher.example/", ""),
        ("", "https://example.com/a?x=1"),
    ],
)
def test_location(target: str, found: str) -> None:
    assert location(answered(("location", target))) == found


def test_no_location_and_two() -> None:
    assert location(answered()) == ""
    assert location(answered(("Location", "/a"), ("Location", "/b"))) == ""


def chain(*targets: str, first: str = "https://example.com/0") -> Chain:
    """Follow from the first URL; each URL redirects to the next target."""
    urls = [first, *targets]
    replies = dict.fromkeys(urls, Reply())
    for here, there in zip(urls, targets):
        replies[here] = Reply(302, headers=(("Location", there),))
    return asyncio.run(follow(FakeTransport(replies=replies), first))


def steps(count: int) -> list[str]:
    return [f"https://example.com/{number}" for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("targets", "hops", "fault"),
    [
        pytest.param([], 1, "", id="none"),
        pytest.param(steps(1), 2, "", id="one"),
        pytest.param(steps(5), 6, "", id="five"),
        pytest.param(steps(6), 6, "count", id="six"),
        pytest.param(["https://example.com/0"], 1, "loop", id="itself"),
        pytest.param(["http://example.com/1"], 1, "downgrade", id="http"),
        pytest.param(["ftp://example.com/1"], 1, "downgrade", id="another scheme"),
        pytest.param(["https://[::1/"], 1, "location", id="nowhere"),
    ],
)
def test_following(targets: list[str], hops: int, fault: str) -> None:
    found = chain(*targets)
    assert (len(found.hops), found.fault) == (hops, fault)
    assert found.answered is not bool(fault)


STRANGER = "https://stranger.invalid"


@pytest.mark.parametrize(
    ("targets", "origins"),
    [
        pytest.param(["/b"], [STRANGER, STRANGER], id="at home"),
        pytest.param(["https://example.com:443/b"], [STRANGER, STRANGER], id="usual port"),
        pytest.param(["https://other.example/b"], [STRANGER, "null"], id="another host"),
        pytest.param(["https://example.com:8443/b"], [STRANGER, "null"], id="another port"),
        pytest.param(
            ["https://other.example/b", "https://other.example/c"],
            [STRANGER, "null", "null"],
            id="away and on",
        ),
        pytest.param(
            ["https://other.example/b", "https://example.com/c"],
            [STRANGER, "null", "null"],
            id="away and back",
        ),
    ],
)
def test_origin_told_to_each_hop(targets: list[str], origins: list[str]) -> None:
    found = chain(*targets)
    assert [dict(hop.request.headers)["Origin"] for hop in found.hops] == origins


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://example.com/a", ""),
        ("https://example.com:8448/a", ""),
        ("https://me@example.com/a", "user name"),
        ("https://me:secret@example.com/a", "user name"),
        ("https://:secret@example.com/a", "user name"),
        ("https://@example.com/a", "user name"),
        ("https://example.com:6697/a", "port 6697"),
        ("https://example.com:10080/a", "port 10080"),
    ],
)
def test_redirects_that_browsers_refuse(url: str, fault: str) -> None:
    found = refused_by_browsers(url)
    assert fault in found
    assert bool(found) is bool(fault)


@pytest.mark.parametrize(
    ("headers", "repeats", "apart"),
    [
        pytest.param([(ORIGIN, "*")], False, False, id="any origin"),
        pytest.param([(ORIGIN, STRANGER)], True, False, id="repeated"),
        pytest.param([(ORIGIN, STRANGER), ("vary", "Accept, origin")], True, True, id="kept apart"),
        pytest.param([(ORIGIN, STRANGER), ("Vary", "*")], True, True, id="never kept"),
        pytest.param([(ORIGIN, STRANGER)] * 2, False, False, id="twice"),
        pytest.param([(ORIGIN, "null")], False, False, id="nobody"),
        pytest.param([], False, False, id="none"),
    ],
)
def test_repeated_origin(headers: list[tuple[str, str]], repeats: bool, apart: bool) -> None:
    exchange = Exchange(first_request(URL), status=200, headers=tuple(headers))
    assert (repeats_origin(exchange), varies(exchange)) == (repeats, apart)
    assert not repeats or not origin_fault(exchange)


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        pytest.param([(ORIGIN, "*")], "", id="any origin"),
        pytest.param([(ORIGIN.lower(), "*")], "", id="lower case"),
        pytest.param([], "has no", id="none"),
        pytest.param([(ORIGIN, "*"), (ORIGIN, "*")], "2 times", id="twice"),
        pytest.param([(ORIGIN, "*, *")], "several origins", id="merged"),
        pytest.param([(ORIGIN, "https://app.element.io")], "instead of", id="another origin"),
        pytest.param([(ORIGIN, "null")], "instead of", id="null"),
    ],
)
def test_origin(headers: list[tuple[str, str]], fault: str) -> None:
    found = origin_fault(answered(*headers))
    assert fault in found
    assert bool(found) is bool(fault)


ALLOWED = (HEADERS, "X-Requested-With, Content-Type, authorization")


@pytest.mark.parametrize(
    ("status", "headers", "fault"),
    [
        pytest.param(200, [(ORIGIN, "*"), ALLOWED], "", id="fine"),
        pytest.param(204, [(ORIGIN, "*"), ALLOWED], "", id="no content"),
        pytest.param(405, [(ORIGIN, "*"), ALLOWED], "405", id="refused"),
        pytest.param(200, [ALLOWED], "has no", id="no origin"),
        pytest.param(200, [(ORIGIN, "*"), (HEADERS, "*")], "authorization", id="a star"),
        pytest.param(200, [(ORIGIN, "*")], "authorization", id="no headers"),
    ],
)
def test_preflight(status: int, headers: list[tuple[str, str]], fault: str) -> None:
    found = preflight_fault(answered(*headers, status=status))
    assert fault in found
    assert bool(found) is bool(fault)


def test_methods() -> None:
    lines = ((METHODS, "get, POST"), (METHODS, "PUT,OPTIONS"))
    assert missing_methods(answered(*lines)) == ["DELETE"]
