# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.interface import (
    HomeserverError,
)
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.tokens import (
    Limits,
    Token,
    changes,
    expiry_text,
    milliseconds,
    outcome,
    parse_expiry,
    parse_token,
    parse_wish,
    refuse_the_past,
    without_a_new_end,
)

CLUB = Token("club", uses_allowed=3, expiry_time=None, pending=0, completed=1)
NOW = datetime(2030, 1, 1, 12, 0, 0, 250000, tzinfo=timezone.utc)
ENDS = milliseconds(NOW)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        pytest.param("2030-01-01T00:00:01Z", "2030-01-01T00:00:01Z", id="UTC"),
        pytest.param("2030-01-01T02:00:00+02:00", "2030-01-01T00:00:00Z", id="another time zone"),
        pytest.param(
            "2030-01-01T00:00:00.250+00:00",
            "2030-01-01T00:00:00.250000Z",
            id="fraction of a second",
        ),
        pytest.param("2030-01-01 18:00:00+00:00", "2030-01-01T18:00:00Z", id="as YAML writes it"),
        pytest.param("2030-12-31", "2030-12-31T23:59:59Z", id="day"),
        pytest.param("2030-12-31+01:00", "2030-12-31T22:59:59Z", id="day elsewhere"),
        pytest.param("30m", "2030-01-01T12:30:00Z", id="minutes"),
        pytest.param("12h", "2030-01-02T00:00:00Z", id="hours"),
        pytest.param("7d", "2030-01-08T12:00:00Z", id="days"),
        pytest.param("2w", "2030-01-15T12:00:00Z", id="weeks"),
        pytest.param("never", "never", id="never"),
    ],
)
def test_expiry(text: str, ends: str) -> None:
    assert expiry_text(parse_expiry(text, NOW)) == ends
    assert expiry_text(parse_expiry(ends, NOW)) == ends


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("soon", "'soon' must be a duration as 7d or 12h, a day as", id="no time"),
        pytest.param("", "'' must be a duration", id="empty"),
        pytest.param("7 days", "'7 days' must be a duration", id="a duration in words"),
        pytest.param("-7d", "'-7d' must be a duration", id="a negative duration"),
        pytest.param("7y", "'7y' must be a duration", id="an unknown unit"),
        pytest.param("9999999d", "'9999999d' must be a duration", id="beyond all calendars"),
        pytest.param("2030-02-30", "'2030-02-30' must be a duration", id="no such day"),
        pytest.param("31.12.2030", "'31.12.2030' must be a duration", id="another order"),
        pytest.param(
            "2030-12-31T18:00:00",
            r"must name its time zone, as in 2030-12-31T18:00:00\+01:00",
            id="no time zone",
        ),
    ],
)
def test_a_wrong_expiry_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(HomeserverError, match=message):
        parse_expiry(text, NOW)


@pytest.mark.parametrize("text", ["2020-12-31", "2029-12-31T23:59:59Z", "0d"])
def test_what_is_past_is_refused(text: str) -> None:
    with pytest.raises(HomeserverError, match=r"^expiry 20\d\d-\S+Z is past$"):
        refuse_the_past(parse_wish(None, text, NOW), NOW)


@pytest.mark.parametrize("limits", [{}, {"expiry_time": None}, {"expiry_time": ENDS + 1}])
def test_what_is_not_past_is_not_refused(limits: Limits) -> None:
    refuse_the_past(limits, NOW)


@pytest.mark.parametrize("text", ["", "with a space", "ä", "a/b", "x" * 65, "a\n"])
def test_a_wrong_token_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(HomeserverError) as refused:
        parse_token(text)
    assert str(refused.value) == "token must be 1 to 64 letters of a to z, digits and ._~-"


@pytest.mark.parametrize("text", ["a", "A.z_9~-", "x" * 64])
def test_a_token_is_what_it_is(text: str) -> None:
    assert parse_token(text) == text


@pytest.mark.parametrize(
    ("token", "usable"),
    [
        pytest.param(Token("a"), True, id="no limits"),
        pytest.param(Token("a", 3, None, pending=1, completed=1), True, id="one use left"),
        pytest.param(Token("a", 3, None, pending=1, completed=2), False, id="the last has begun"),
        pytest.param(Token("a", 0), False, id="no use at all"),
        pytest.param(Token("a", None, ENDS + 1), True, id="not ended"),
        pytest.param(Token("a", None, ENDS - 1), False, id="ended"),
    ],
)
def test_who_may_use_a_token(token: Token, usable: bool) -> None:
    assert token.is_usable(NOW) == usable


@pytest.mark.parametrize(
    ("uses", "expiry", "wish"),
    [
        pytest.param(None, None, {}, id="nothing"),
        pytest.param(-1, "never", {"uses_allowed": None, "expiry_time": None}, id="no limits"),
    ],
)
def test_wish(uses: int | None, expiry: str | None, wish: Limits) -> None:
    assert parse_wish(uses, expiry, NOW) == wish


@pytest.mark.parametrize("uses", [0, -2])
def test_a_number_of_uses_that_is_none_is_refused(uses: int) -> None:
    """To Synapse nought is no limit."""
    with pytest.raises(HomeserverError, match=f"uses_allowed {uses} must be a number of uses"):
        parse_wish(uses, None, NOW)


@pytest.mark.parametrize(
    ("current", "kept"),
    [
        pytest.param(CLUB, {"uses_allowed": 1, "expiry_time": 9}, id="without an end"),
        pytest.param(Token("a", None, 5), {"uses_allowed": 1, "expiry_time": 5}, id="with an end"),
    ],
)
def test_a_token_keeps_its_end(current: Token, kept: Limits) -> None:
    assert without_a_new_end({"uses_allowed": 1, "expiry_time": 9}, current) == kept


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
    assert changes(wish, None) == wish


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
    assert Token("club", None, expiry_time=0, pending=1, completed=2).describe(NOW) == {
        "uses_allowed": -1,
        "expiry": "1970-01-01T00:00:00Z",
        "pending": 1,
        "completed": 2,
        "usable": False,
    }
