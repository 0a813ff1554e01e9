# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules for the web server: HSTS, clocks, port 80, protocols, times and certificates."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from email.utils import formatdate
from urllib.parse import urlsplit

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.clock import (
    ahead_of,
    judge_clocks,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding
from ansible_collections.homestead.matrix.plugins.module_utils.verify.hsts import (
    hsts_fault,
    judge_hsts,
    parse,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.recorder import (
    Recorder,
    Site,
    Taken,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.response_time import (
    judge_times,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.same_certificate import (
    judge_same,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.sites import Sites
from ansible_collections.homestead.matrix.plugins.module_utils.verify.tls_versions import (
    Greeted,
    judge_http,
    judge_versions,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.transport import (
    Certificate,
    Exchange,
    Fault,
    FaultKind,
    Handshake,
    Request,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web import (
    judge_plaintext,
    judge_redirect,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.authority import (
    Authority,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    FakeTransport,
    Reply,
)

HOST, V4, V6 = "matrix.example.com", "192.0.2.2", "2001:db8::2"
API = f"https://{HOST}/_matrix/client/versions"
HSTS = "Strict-Transport-Security"
NOW = 1_800_000_000.0


def exchange(*headers: tuple[str, str], url: str = API, status: int = 200) -> Exchange:
    return Exchange(Request(url, address=V4), status, headers, address=V4)


def taken(found: Exchange, *, began: float = NOW, seconds: float = 0.2) -> Taken:
    return Taken(found, began, began + seconds)


def verdicts(findings: Iterable[Finding]) -> list[str]:
    return [f"{finding.verdict} {finding.id}" for finding in findings]


@pytest.mark.parametrize(
    ("value", "directives"),
    [
        ("max-age=31536000", {"max-age": "31536000"}),
        ("max-age=1; includeSubDomains", {"max-age": "1", "includesubdomains": ""}),
        ('MAX-AGE = "31536000" ;; preload;', {"max-age": "31536000", "preload": ""}),
        ('max-age=1; x="a;b\\"c"', {"max-age": "1", "x": 'a;b\\"c'}),
        ("", {}),
        ("max-age=1; max-age=2", None),
        ("max-age=1, includeSubDomains", None),
        ("max-age: 1", None),
        ("max-age=1 preload", None),
        ('max-age="1', None),
    ],
)
def test_directives(value: str, directives: dict[str, str] | None) -> None:
    assert parse(value) == directives


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        pytest.param([], "", id="none"),
        pytest.param(["max-age=63072000; includeSubDomains; preload"], "", id="usual"),
        pytest.param(["includeSubDomains"], "malformed", id="no age"),
        pytest.param(["max-age=-1"], "malformed", id="negative"),
        pytest.param(["max-age=1d"], "malformed", id="unit"),
        pytest.param(["max-age=0"], "takes the protection away", id="zero"),
        pytest.param(['max-age="000"'], "takes the protection away", id="zeros"),
        pytest.param(["max-age=1", "max-age=1"], "2 times", id="twice"),
        pytest.param(["x" * 60_000], "malformed", id="long"),
    ],
)
def test_hsts_header(values: list[str], fault: str) -> None:
    found = hsts_fault(exchange(*((HSTS, value) for value in values)))
    assert fault in found
    assert bool(found) is bool(fault)
    assert len(found) < 200


GOOD = (HSTS, "max-age=31536000")
FEDERATION = f"https://{HOST}:8448/_matrix/key/v2/server"
PLAIN = f"http://{HOST}/"


@pytest.mark.parametrize(
    ("exchanges", "planned", "expected"),
    [
        pytest.param([exchange(GOOD)], True, "ok", id="there"),
        pytest.param([exchange(GOOD), exchange()], True, "info", id="not always"),
        pytest.param([exchange()], True, "warning", id="planned and missing"),
        pytest.param([exchange()], False, "info", id="missing"),
        pytest.param([exchange(GOOD), exchange((HSTS, ""))], False, "warning", id="one empty"),
        pytest.param([exchange(GOOD), exchange(url=FEDERATION)], True, "ok", id="another port"),
        pytest.param([exchange(GOOD), exchange(url=PLAIN)], True, "ok", id="port 80"),
        pytest.param([exchange(url=PLAIN)], True, "", id="no answer over TLS"),
        pytest.param([exchange(status=0)], True, "", id="no answer"),
        pytest.param([exchange(GOOD), exchange(status=100)], True, "ok", id="interim answer"),
    ],
)
def test_hsts(exchanges: list[Exchange], planned: bool, expected: str) -> None:
    found = judge_hsts(map(taken, exchanges), Sites("example.com", HOST), planned=planned)
    assert [finding.verdict for finding in found] == ([expected] if expected else [])


def test_browsers_ignore_hsts_of_an_address() -> None:
    answer = taken(exchange(url=f"https://{V4}/"))
    assert judge_hsts([answer], Sites(V4, V4), planned=True) == []


def dated(ahead: float, *headers: tuple[str, str], url: str = API, address: str = V4) -> Exchange:
    date = ("Date", formatdate(NOW + ahead, usegmt=True))
    return Exchange(Request(url, address=address), 200, (date, *headers), address=address)


@pytest.mark.parametrize(
    ("date", "began", "seconds", "ahead"),
    [
        pytest.param("Fri, 15 Jan 2027 08:00:00 GMT", NOW, 0, 0, id="exact"),
        pytest.param("Fri, 15 Jan 2027 08:00:00 GMT", NOW + 0.9, 0, 0, id="cut to the second"),
        pytest.param("Fri, 15 Jan 2027 08:00:00 GMT", NOW - 5, 5.5, 0, id="in the round trip"),
        pytest.param("Fri, 15 Jan 2027 08:01:00 GMT", NOW, 2, 58, id="ahead, at least"),
        pytest.param("Fri, 15 Jan 2027 07:59:00 GMT", NOW, 2, -59, id="behind, at least"),
        pytest.param("Friday, 15-Jan-27 08:00:00 GMT", NOW, 0, 0, id="RFC 850"),
        pytest.param("Fri, 15 Jan 2027 09:00:00 +0100", NOW, 0, 0, id="another zone"),
        pytest.param("Fri, 15 Jan 2027 08:00:00 -0000", NOW, 0, 0, id="no zone"),
        pytest.param("yesterday", NOW, 0, None, id="no date"),
        pytest.param("Fri, 99 Jan 2027 08:00:00 GMT", NOW, 0, None, id="no such day"),
        pytest.param("x" * 60_000, NOW, 0, None, id="long"),
    ],
)
def test_date(date: str, began: float, seconds: float, ahead: float | None) -> None:
    assert ahead_of(taken(exchange(("Date", date)), began=began, seconds=seconds)) == ahead


def test_no_date_two_dates_and_a_cache() -> None:
    date = ("Date", formatdate(NOW, usegmt=True))
    for headers in ([], [date, date], [date, ("Age", "7200")]):
        assert ahead_of(taken(exchange(*headers))) is None


BASE, OTHER = "https://example.com/.well-known/matrix/client", "198.51.100.1"


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        pytest.param([dated(0)], ["ok"], id="right"),
        pytest.param([dated(-60)], ["ok"], id="a minute"),
        pytest.param([dated(-90)], ["warning"], id="more than a minute"),
        pytest.param([dated(-700)], ["error"], id="more than ten minutes"),
        pytest.param([dated(700, url=BASE)], ["warning"], id="no Matrix there"),
        pytest.param([dated(0), dated(-7200), dated(0)], ["ok"], id="one stale page"),
        pytest.param([exchange()], [], id="no date"),
        pytest.param(
            [dated(700), dated(701, url=BASE, address=OTHER)],
            ["unknown", "unknown"],
            id="two machines alike",
        ),
        pytest.param(
            [dated(700), dated(701, url=BASE)], ["warning", "error"], id="two names of one machine"
        ),
        pytest.param(
            [dated(700), dated(0, url=BASE, address=OTHER)], ["ok", "error"], id="one of two"
        ),
        pytest.param(
            [dated(700), dated(-700, url=BASE, address=OTHER)], ["warning", "error"], id="apart"
        ),
    ],
)
def test_clocks(exchanges: list[Exchange], expected: list[str]) -> None:
    found = judge_clocks(map(taken, exchanges))
    assert [finding.verdict for finding in found] == expected


@pytest.mark.parametrize(
    ("ahead", "described"),
    [
        (-3600, "is 60 minutes behind this vantage's."),
        (90.2, "is 90 seconds ahead of this vantage's."),
        (-3 * 86400, "is 3 days behind this vantage's."),
        (5 * 3600, "is 5 hours ahead of this vantage's."),
    ],
)
def test_a_clock_is_described(ahead: float, described: str) -> None:
    (finding,) = judge_clocks([Taken(dated(ahead), NOW, NOW)])
    assert finding.message == f"The clock of {HOST} {described}"


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


SITE = Site(V4, 443, HOST)
TODAY = Handshake("TLSv1.3", "h2")


def failed(kind: FaultKind) -> Handshake:
    return Handshake(fault=Fault(kind, "…"))


@pytest.mark.parametrize(
    ("today", "outdated", "expected"),
    [
        pytest.param(TODAY, failed("tls"), ["ok"], id="refused"),
        pytest.param(TODAY, failed("protocol"), ["ok"], id="hung up"),
        pytest.param(TODAY, Handshake("TLSv1"), ["warning"], id="accepted"),
        pytest.param(failed("tls"), Handshake("TLSv1.1"), ["warning"], id="nothing else"),
        pytest.param(TODAY, failed("unable"), ["unknown"], id="not able"),
        pytest.param(TODAY, failed("timeout"), ["unknown"], id="silence"),
        pytest.param(failed("refused"), failed("refused"), [], id="down"),
        pytest.param(failed("tls"), failed("tls"), [], id="no TLS at all"),
        pytest.param(failed("timeout"), failed("unable"), [], id="down and not able"),
    ],
)
def test_versions(today: Handshake, outdated: Handshake, expected: list[str]) -> None:
    found = judge_versions([Greeted(SITE, today, outdated)])
    assert [finding.verdict for finding in found] == expected


def test_refusals_are_one_finding() -> None:
    sites = [Site(address, 443, HOST) for address in (V4, V6)]
    (found,) = judge_versions([Greeted(site, TODAY, failed("tls")) for site in sites])
    assert found.message == (
        f"TLS 1.0 and 1.1 are refused by {HOST} at {V4}:443, {HOST} at [{V6}]:443."
    )


def test_servers_that_accept_old_versions_are_one_finding() -> None:
    sites = [Site(address, 443, HOST) for address in (V4, V6)]
    (found,) = judge_versions([Greeted(site, TODAY, Handshake("TLSv1")) for site in sites])
    assert found.message == f"TLS 1.0 is still accepted by {HOST} at {V4}:443 and [{V6}]:443."


def answered(version: str) -> Exchange:
    return Exchange(Request(API, address=V4), 200, http_version=version)


NOT_HTTP1 = Exchange(Request(API, address=V4), error=Fault("alpn", "HTTP/1.1 is refused"))
BROKEN = Exchange(Request(API, address=V4), error=Fault("protocol", "broken off"))


@pytest.mark.parametrize(
    ("exchanges", "greeting", "expected"),
    [
        pytest.param([answered("HTTP/1.1")], TODAY, ["ok"], id="both"),
        pytest.param([answered("HTTP/1.1")], Handshake("TLSv1.2"), ["info"], id="no HTTP/2"),
        pytest.param([answered("HTTP/1.0")], Handshake("TLSv1.2"), ["info"], id="HTTP/1.0"),
        pytest.param([answered("HTTP/1.1")], failed("timeout"), ["ok"], id="no second handshake"),
        pytest.param([answered("HTTP/1.1"), NOT_HTTP1], TODAY, ["ok"], id="mostly"),
        pytest.param([NOT_HTTP1], TODAY, ["error"], id="HTTP/2 only"),
        pytest.param([BROKEN], TODAY, [], id="out of order"),
        pytest.param([], TODAY, [], id="never asked"),
    ],
)
def test_http(exchanges: list[Exchange], greeting: Handshake, expected: list[str]) -> None:
    found = judge_http([SITE], {SITE: greeting}, [taken(item) for item in exchanges])
    assert [finding.verdict for finding in found] == expected


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


AUTHORITY = Authority.make()
ONE, TWO = (AUTHORITY.issue(HOST, days=days).seen() for days in (10, 50))
UNREADABLE = Certificate((b"x",))


def showing(*shown: tuple[str, Certificate], url: str = API) -> Iterator[Taken]:
    for address, certificate in shown:
        request = Request(url, address=address)
        yield taken(Exchange(request, 200, address=address, certificate=certificate))


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        pytest.param([(V4, ONE), (V6, ONE)], ["ok"], id="same"),
        pytest.param([(V4, ONE), (V6, TWO)], ["warning"], id="different"),
        pytest.param([(V4, ONE), (V4, TWO)], [], id="one address"),
        pytest.param([(V4, ONE), (V4, TWO), (V6, TWO)], ["ok"], id="a cluster"),
        pytest.param([(V4, UNREADABLE), (V6, TWO)], ["warning"], id="unreadable"),
        pytest.param([("", ONE), ("", TWO)], [], id="any address"),
    ],
)
def test_same(shown: list[tuple[str, Certificate]], expected: list[str]) -> None:
    assert [finding.verdict for finding in judge_same(showing(*shown))] == expected


def test_ports_are_compared_apart() -> None:
    federation = showing((V4, TWO), (V6, TWO), url=FEDERATION)
    found = judge_same([*showing((V4, ONE), (V6, ONE)), *federation])
    assert verdicts(found) == ["ok certificate.same"] * 2


def test_targets_of_srv_records_are_compared_apart() -> None:
    target = Site(V6, 443, urlsplit(API).hostname or "")
    shown = list(showing((V4, ONE), (V6, TWO)))
    assert verdicts(judge_same(shown)) == ["warning certificate.same"]
    assert verdicts(judge_same(shown, {target})) == []


def test_different_certificates_are_named() -> None:
    (found,) = judge_same(showing((V4, ONE), (V6, TWO)))
    for address, certificate in found.evidence["certificates"].items():
        (facts,) = certificate
        assert f"{address} one until {facts['not_after']}" in found.message
        assert facts["serial"][:20] in found.message


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
