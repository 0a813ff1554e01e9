# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.interface import (
    HomeserverError,
)
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.tokens import (
    Limits,
    Token,
    changes,
    expiry_text,
    outcome,
    parse_expiry,
    parse_wish,
)

CLUB = Token("club", uses_allowed=3, expiry_time=None, pending=0, completed=1)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        pytest.param("1970-01-01T00:00:01Z", 1000, id="UTC"),
        pytest.param("1970-01-01T02:00:00+02:00", 0, id="another time zone"),
        pytest.param("1970-01-01T00:00:00.250+00:00", 250, id="fraction of a second"),
        pytest.param("never", None, id="never"),
    ],
)
def test_expiry(text: str, milliseconds: int | None) -> None:
    assert parse_expiry(text) == milliseconds
    assert parse_expiry(expiry_text(milliseconds)) == milliseconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("soon", "must be a time", id="no time"),
        pytest.param("2030-12-31T23:59:59", "must name its time zone", id="no time zone"),
    ],
)
def test_a_wrong_expiry_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(HomeserverError, match=message):
        parse_expiry(text)


@pytest.mark.parametrize(
    ("uses", "expiry", "wish"),
    [
        pytest.param(None, None, {}, id="nothing"),
        pytest.param(0, None, {"uses_allowed": 0}, id="no use"),
        pytest.param(-1, "never", {"uses_allowed": None, "expiry_time": None}, id="no limits"),
    ],
)
def test_wish(uses: int | None, expiry: str | None, wish: Limits) -> None:
    assert parse_wish(uses, expiry) == wish


def test_a_negative_number_of_uses_is_refused() -> None:
    with pytest.raises(HomeserverError, match="uses_allowed"):
        parse_wish(-2, None)


@pytest.mark.parametrize(
    ("wish", "differing"),
    [
        pytest.param({}, {}, id="no wish"),
        pytest.param({"uses_allowed": 3, "expiry_time": 9}, {"expiry_time": 9}, id="another time"),
        pytest.param({"uses_allowed": None}, {"uses_allowed": None}, id="a limit is lifted"),
    ],
)
def test_only_what_differs_is_changed(wish: Limits, differing: Limits) -> None:
    assert changes(wish, CLUB) == differing


@pytest.mark.parametrize(
    ("state", "wish", "current"),
    [
        pytest.param("present", {}, CLUB, id="no wish"),
        pytest.param("present", {"uses_allowed": 3, "expiry_time": None}, CLUB, id="as wished"),
        pytest.param("absent", {}, None, id="gone already"),
    ],
)
def test_what_is_true_stays(state: str, wish: Limits, current: Token | None) -> None:
    assert outcome(state, "club", wish, current) == current


def test_the_outcome_keeps_what_was_not_mentioned() -> None:
    assert outcome("present", "club", {"expiry_time": 9}, CLUB) == Token("club", 3, 9, 0, 1)


def test_a_token_is_described_in_the_words_of_the_module() -> None:
    assert Token("club", None, expiry_time=0, pending=1, completed=2).describe() == {
        "token": "club",
        "uses_allowed": -1,
        "expiry": "1970-01-01T00:00:00Z",
        "pending": 1,
        "completed": 2,
    }
