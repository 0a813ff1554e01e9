# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Port 80, the time that answers take, and what is recorded of them."""

from __future__ import annotations

import asyncio

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.scope import (
    Scope,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.check_web import (
    check_web,
    judge_plaintext,
    judge_redirect,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.response_time import (
    judge_times,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.sites import (
    Sites,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.recorder import (
    Recorder,
    Site,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Exchange,
    Fault,
    FaultKind,
    Request,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.exchanges import (
    API,
    HOST,
    OTHER,
    PATH,
    PLAIN,
    V4,
    V6,
    exchange,
    taken,
    verdicts,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    FakeTransport,
    Record,
    Reply,
)

HERE = f"https://{HOST}/"


@pytest.mark.parametrize(
    ("status", "target", "strict", "expected"),
    [
        pytest.param(301, HERE, True, "ok", id="moved"),
        pytest.param(308, f"{HERE}x?y", True, "ok", id="another page"),
        pytest.param(307, f"https://{HOST.upper()}:443/", True, "ok", id="upper case"),
        pytest.param(301, f"http://{HOST}/x", True, "warning", id="http"),
        pytest.param(301, "https://example.org/", True, "warning", id="another host"),
        pytest.param(301, "https://www.example.com/", False, "info", id="another host, not strict"),
        pytest.param(301, "", True, "warning", id="no target"),
        pytest.param(300, HERE, True, "warning", id="a choice"),
        pytest.param(200, HERE, True, "warning", id="a page"),
        pytest.param(404, "", False, "info", id="not there, not strict"),
    ],
)
def test_redirect(status: int, target: str, strict: bool, expected: str) -> None:
    headers = [("Location", target)] if target else []
    answer = exchange(*headers, url=PLAIN, status=status)
    found = judge_redirect(answer, HOST, strict=strict)
    assert verdicts(found) == [f"{expected} web.redirect"]


@pytest.mark.parametrize(
    ("kind", "tried", "expected"),
    [
        ("refused", False, ["info web.redirect"]),
        ("timeout", False, ["info web.redirect"]),
        ("refused", True, []),
        ("no_route", False, []),
        ("private", False, []),
    ],
)
def test_nothing_on_port_80(kind: FaultKind, tried: bool, expected: list[str]) -> None:
    answer = Exchange(Request(PLAIN, address=V4), error=Fault(kind, "…"))
    assert verdicts(judge_redirect(answer, HOST, strict=True, tried=tried)) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        pytest.param(200, b'{"versions": ["v1.1"]}', ["error web.plaintext"], id="API"),
        pytest.param(200, b"<html>", ["ok web.plaintext"], id="page"),
        pytest.param(200, b"[]", ["ok web.plaintext"], id="list"),
        pytest.param(404, b'{"versions": []}', ["ok web.plaintext"], id="not there"),
        pytest.param(301, b"", ["ok web.plaintext"], id="redirect"),
        pytest.param(0, b"", [], id="no answer"),
    ],
)
def test_plaintext(status: int, body: bytes, expected: list[str]) -> None:
    answer = Exchange(Request(PLAIN, address=V4), status, body=body)
    assert verdicts(judge_plaintext(answer)) == expected


async def asked(sites: Sites, *records: Record) -> list[str]:
    """Return what is asked of port 80."""
    transport = FakeTransport(records)
    finding = asyncio.get_running_loop().create_future()
    finding.set_result(sites)
    await check_web(transport, Scope("example.com"), finding)
    return sorted(f"{request.url} {request.address}" for request in transport.requests)


@pytest.mark.parametrize(
    ("sites", "urls"),
    [
        pytest.param(
            Sites(HOST, HOST),
            [f"http://{HOST}/ {V4}", f"http://{HOST}{PATH} {V4}"],
            id="the Matrix host is the base domain",
        ),
        pytest.param(Sites("example.com"), [f"http://example.com/ {OTHER}"], id="no base URL"),
        pytest.param(
            Sites(V6, V6), [f"http://[{V6}]/ {V6}", f"http://[{V6}]{PATH} {V6}"], id="an address"
        ),
    ],
)
def test_port_80_is_asked_once(sites: Sites, urls: list[str]) -> None:
    records = (Record(HOST, "A", V4), Record("example.com", "A", OTHER))
    assert asyncio.run(asked(sites, *records)) == urls


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        pytest.param([10, 20, 3000], "ok", id="quick"),
        pytest.param([10, 20, 3001], "warning", id="one slow"),
        pytest.param([], "", id="none"),
    ],
)
def test_times(milliseconds: list[int], expected: str) -> None:
    answers = [Exchange(Request(API), 200, milliseconds=number) for number in milliseconds]
    silent = Exchange(Request(API), error=Fault("timeout", "…"), milliseconds=5000)
    found = judge_times([*answers, silent])
    assert [finding.verdict for finding in found] == ([expected] if expected else [])
    if milliseconds:
        assert found[0].message.startswith("Half of 3 answers took at most 20 ms, the slowest one ")


def test_what_is_recorded() -> None:
    times = iter([10.0, 10.5])
    recorder = Recorder(FakeTransport(replies={API: Reply()}), clock=lambda: next(times))
    request = Request(API, address=V6, certificate_name="example.org")
    asyncio.run(recorder.request(request))
    asyncio.run(recorder.handshake(V6, 443, name=HOST, outdated=True))
    asyncio.run(recorder.handshake(V6, 443, name=HOST))
    (item,) = recorder.taken
    assert (item.began, item.ended, item.exchange.status) == (10.0, 10.5, 200)
    assert item.site == Site(V6, 443, "example.org")
    assert list(recorder.greeted) == [Site(V6, 443, HOST)]


@pytest.mark.parametrize("url", ["https://a:99999/", "http://a/", "https://a/"])
def test_exchanges_that_belong_to_no_site(url: str) -> None:
    address = V4 if url.startswith("http:") else ""
    assert taken(Exchange(Request(url, address=address), 200)).site is None
