# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clocks, told from the Date of answers."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.clock import (
    ahead_of,
    judge_clocks,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.recorder import (
    Taken,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Exchange,
    Request,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.exchanges import (
    API,
    BASE,
    HOST,
    NOW,
    OTHER,
    V4,
    exchange,
    taken,
)


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
