# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether browsers will use nothing but https."""

from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.hsts import (
    hsts_fault,
    judge_hsts,
    parse,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.sites import (
    Sites,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Exchange,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.exchanges import (
    FEDERATION,
    HOST,
    PLAIN,
    V4,
    exchange,
    taken,
)

HSTS = "Strict-Transport-Security"


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
