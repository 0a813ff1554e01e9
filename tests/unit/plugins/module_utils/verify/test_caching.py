# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first vectors are those of Synapse's own tests."""

from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.peers.caching import (
    judge_cache,
    kept_seconds,
    stated_seconds,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Exchange,
    Request,
)
from hypothesis import given
from hypothesis import strategies as st

CONTROL, EXPIRES = "Cache-Control", "Expires"
NOW = 1548833700
SOON = (EXPIRES, "Wed, 30 Jan 2019 07:35:33 GMT")


@pytest.mark.parametrize(
    ("headers", "seconds", "kept"),
    [
        pytest.param([(CONTROL, "foo, Max-Age = 100, bar")], 100, 300, id="max-age"),
        pytest.param([(CONTROL, "max-age=, bar")], None, 86400, id="max-age without value"),
        pytest.param([(CONTROL, "private; max-age=0")], None, 86400, id="wrong separator"),
        pytest.param([(CONTROL, "max-age=0, private")], 0, 300, id="max-age 0"),
        pytest.param([(CONTROL, "no-store")], 0, 300, id="no-store"),
        pytest.param([SOON], 33, 300, id="expires"),
        pytest.param([(CONTROL, "max-age=600"), SOON], 600, 600, id="Cache-Control wins"),
        pytest.param([(EXPIRES, "0")], 0, 300, id="expires at 0"),
        pytest.param([], None, 86400, id="nothing"),
        pytest.param([(CONTROL, "max-age=604800")], 604800, 172800, id="a week"),
        pytest.param([("cache-control", "public"), (CONTROL, "max-age=7")], 7, 300, id="lines"),
        pytest.param([(CONTROL, "max-age=-5")], -5, 300, id="less than nothing"),
        pytest.param([(CONTROL, "max-age=x"), SOON], 33, 300, id="no number, but expires"),
        pytest.param([(EXPIRES, "0"), SOON], 33, 300, id="the last date counts"),
        pytest.param(
            [(EXPIRES, "Wed, 30 Jan 2019 06:35:33 GMT")], 0, 300, id="expired an hour ago"
        ),
    ],
)
def test_how_long(headers: list[tuple[str, str]], seconds: float | None, kept: float) -> None:
    assert stated_seconds(headers, NOW) == seconds
    assert kept_seconds(seconds) == kept


@pytest.mark.parametrize(
    ("value", "verdict", "hours"),
    [
        ("max-age=172800", "ok", 48),
        ("max-age=172801", "warning", 48),
        ("max-age=3600", "ok", 1),
        ("public", "ok", 24),
    ],
)
def test_verdict(value: str, verdict: str, hours: float) -> None:
    finding = judge_cache(Exchange(Request(""), status=200, headers=((CONTROL, value),)))
    assert (finding.verdict, finding.evidence["hours"]) == (verdict, hours)


@given(st.lists(st.tuples(st.sampled_from([CONTROL, EXPIRES]), st.text())))
def test_any_header_has_a_meaning(headers: list[tuple[str, str]]) -> None:
    assert 300 <= kept_seconds(stated_seconds(headers, NOW)) <= 172800
