# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.interface import (
    HomeserverError,
)
from ansible_collections.homestead.matrix.plugins.module_utils.synapse.homeserver import sign_in
from ansible_collections.homestead.matrix.plugins.modules.registration_token import run
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.fake_synapse import (
    FakeSynapse,
    MemorySecrets,
)

REMEMBERED = "registration_token_club"
NAMED = {"name": "club", "return_token": True}
GIVEN = {"token": "MMT22"}
NOW = datetime(2030, 1, 1, 12, tzinfo=timezone.utc)


class Host:
    """A host with a Synapse, and the module on it."""

    def __init__(self) -> None:
        self.synapse, self.secrets, self.now = FakeSynapse(), MemorySecrets(), NOW

    def run(self, *, check_mode: bool = False, **given: Any) -> dict[str, Any]:
        params = {
            "name": None,
            "token": None,
            "state": "present",
            "return_token": False,
            "uses_allowed": None,
            "expiry": None,
            "extend": False,
            **given,
        }
        connect = partial(sign_in, self.synapse)
        return run(params, connect, self.secrets, self.now, check_mode=check_mode)


@pytest.fixture
def host() -> Host:
    return Host()


def test_the_host_makes_a_token_and_remembers_it(host: Host) -> None:
    result = host.run(**NAMED, uses_allowed=5)
    assert result["changed"]
    assert list(host.synapse.tokens) == [result["token"]] == [host.secrets.values[REMEMBERED]]
    assert (result["uses_allowed"], result["expiry"], result["completed"]) == (5, "never", 0)


def test_without_a_name_each_run_makes_another_that_nobody_remembers(host: Host) -> None:
    tokens = {host.run(return_token=True)["token"] for _time in range(2)}
    assert set(host.synapse.tokens) == tokens
    assert len(tokens) == 2
    assert not tokens & set(host.secrets.values.values())


@pytest.mark.parametrize("which", [NAMED, GIVEN])
@pytest.mark.parametrize("more", [{}, {"expiry": "2030-12-31"}, {"expiry": "7d"}])
def test_the_second_run_changes_nothing(
    host: Host, which: dict[str, Any], more: dict[str, Any]
) -> None:
    first = host.run(**which, **more)
    host.now += timedelta(hours=1)
    second = host.run(**which, **more)
    assert second == {**first, "changed": False, "diff": second["diff"]}
    assert second["diff"]["before"] == second["diff"]["after"]


def test_a_token_whose_time_has_passed_stays_as_it_is(host: Host) -> None:
    host.run(**GIVEN, expiry="2030-12-31")
    host.now = datetime(2031, 1, 1, tzinfo=timezone.utc)
    result = host.run(**GIVEN, expiry="2030-12-31")
    assert (result["changed"], result["usable"]) == (False, False)


@pytest.mark.parametrize(
    ("before", "expiry"),
    [
        pytest.param({"expiry": "7d", "extend": True}, "2030-01-08T13:00:00Z", id="told"),
        pytest.param({"expiry": "7d"}, "2030-01-08T12:00:00Z", id="not told"),
        pytest.param({"expiry": "never"}, "never", id="no end any more"),
    ],
)
def test_a_duration_begins_again_only_if_told(
    host: Host, before: dict[str, Any], expiry: str
) -> None:
    host.run(**GIVEN, expiry="7d")
    host.now += timedelta(hours=1)
    assert host.run(**GIVEN, **before)["expiry"] == expiry


def test_a_duration_ends_a_token_that_had_no_end(host: Host) -> None:
    host.run(**GIVEN)
    result = host.run(**GIVEN, expiry="12h")
    assert (result["changed"], result["expiry"]) == (True, "2030-01-02T00:00:00Z")


def test_a_limit_is_changed(host: Host) -> None:
    host.run(**GIVEN, uses_allowed=5)
    result = host.run(**GIVEN, uses_allowed=6)
    assert result["changed"]
    assert (result["diff"]["before"]["uses_allowed"], result["uses_allowed"]) == (5, 6)
    assert host.synapse.tokens["MMT22"]["uses_allowed"] == 6


def test_a_withdrawn_token_is_forgotten(host: Host) -> None:
    host.run(**NAMED)
    result = host.run(name="club", state="absent")
    assert result["changed"]
    assert host.synapse.tokens == {}
    assert REMEMBERED not in host.secrets.values
    assert not host.run(name="club", state="absent")["changed"]


def test_a_token_that_was_given_is_withdrawn_and_never_remembered(host: Host) -> None:
    host.run(**GIVEN)
    assert not [name for name in host.secrets.values if name.startswith("registration_token")]
    assert host.run(**GIVEN, state="absent")["changed"]
    assert host.synapse.tokens == {}


def test_a_run_killed_before_the_token_was_made_is_finished_with_the_same(host: Host) -> None:
    host.secrets.write(REMEMBERED, "remembered")
    assert host.run(**NAMED)["token"] == "remembered"
    assert list(host.synapse.tokens) == ["remembered"]


def test_all_are_listed_and_shown_only_to_who_asks(host: Host) -> None:
    made = host.run(**NAMED, uses_allowed=2)["token"]
    host.run(**GIVEN, expiry="7d")
    host.now += timedelta(days=8)
    limits = {"pending": 0, "completed": 0}
    club = {"name": "club", "uses_allowed": 2, "expiry": "never", **limits, "usable": True}
    other = {
        "name": None,
        "uses_allowed": -1,
        "expiry": "2030-01-08T12:00:00Z",
        **limits,
        "usable": False,
    }
    assert host.run(state="listed") == {"changed": False, "tokens": [club, other]}
    shown = host.run(state="listed", return_token=True)["tokens"]
    assert shown == [{**club, "token": made}, {**other, "token": "MMT22"}]


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("given", [{}, {"expiry": "7d"}, {"state": "absent"}])
def test_who_does_not_ask_is_not_told(host: Host, given: dict[str, Any], check_mode: bool) -> None:
    made = host.run(**NAMED)["token"]
    for which in ({"token": made}, {"token": made, "return_token": True}):
        assert made not in str(host.run(**which, **given, check_mode=check_mode))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({}, "nobody would know the token", id="nobody asks"),
        pytest.param({"name": "club"}, "ask for it with return_token=true", id="by its name"),
        pytest.param({"state": "absent"}, "say by its name or token which", id="which one"),
        pytest.param({"token": "a b"}, "token must be 1 to 64 letters", id="no token"),
        pytest.param({"name": "../x"}, "name '../x' must be small letters, digits", id="no name"),
        pytest.param({**GIVEN, "uses_allowed": -2}, "uses_allowed -2 must be a number", id="uses"),
        pytest.param({**GIVEN, "expiry": "soon"}, "expiry 'soon' must be a duration", id="time"),
        pytest.param({**GIVEN, "expiry": "2029-12-31"}, "is past$", id="past"),
    ],
)
def test_bad_input_is_one_sentence_and_changes_nothing(
    host: Host, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(HomeserverError, match=message) as refused:
        host.run(**given)
    assert "a b" not in str(refused.value)
    assert host.synapse.changes == []


def test_check_mode_on_a_fresh_host_tells_the_change_and_makes_none(host: Host) -> None:
    result = host.run(**NAMED, check_mode=True, uses_allowed=5)
    assert (result["changed"], result["token"], result["uses_allowed"]) == (True, None, 5)
    assert host.run(state="listed", check_mode=True)["tokens"] == []
    assert host.synapse.requests == []
    assert REMEMBERED not in host.secrets.values


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        pytest.param({}, False, id="as it is"),
        pytest.param({"uses_allowed": 7}, True, id="another limit"),
        pytest.param({"state": "absent"}, True, id="withdrawn"),
        pytest.param({"name": "other"}, True, id="another token"),
        pytest.param({"name": None}, True, id="one without a name"),
        pytest.param({"expiry": "7d", "extend": True}, True, id="a later end"),
    ],
)
def test_check_mode_tells_what_a_run_would_do(
    host: Host, given: dict[str, Any], changed: bool
) -> None:
    host.run(**NAMED)
    host.synapse.requests.clear()
    wish = {**NAMED, **given}
    assert host.run(check_mode=True, **wish)["changed"] == changed
    assert host.synapse.changes == []
    assert host.run(**wish)["changed"] == changed
