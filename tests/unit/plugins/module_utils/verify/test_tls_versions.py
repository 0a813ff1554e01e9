# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of TLS and HTTP, and certificates that differ between addresses."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.same_certificate import (
    judge_same,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.tls_versions import (
    Greeted,
    judge_http,
    judge_versions,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.recorder import (
    Site,
    Taken,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Certificate,
    Exchange,
    Fault,
    FaultKind,
    Handshake,
    Request,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.authority import (
    Authority,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.exchanges import (
    API,
    FEDERATION,
    HOST,
    V4,
    V6,
    taken,
    verdicts,
)

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
