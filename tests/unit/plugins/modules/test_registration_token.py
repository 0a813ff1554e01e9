# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.synapse.homeserver import sign_in
from ansible_collections.homestead.matrix.plugins.modules.registration_token import run
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.fake_synapse import (
    FakeSynapse,
    MemorySecrets,
)

REMEMBERED = "registration_token_invite"


class Host:
    """A host with a Synapse, and the module on it."""

    def __init__(self) -> None:
        self.synapse, self.secrets = FakeSynapse(), MemorySecrets()

    def run(self, *, check_mode: bool = False, **given: Any) -> dict[str, Any]:
        params = {
            "name": "invite",
            "token": None,
            "state": "present",
            "uses_allowed": None,
            "expiry": None,
            **given,
        }
        connect = partial(sign_in, self.synapse)
        return run(params, connect, self.secrets, check_mode=check_mode)


@pytest.fixture
def host() -> Host:
    return Host()


def test_the_host_makes_a_token_and_remembers_it(host: Host) -> None:
    result = host.run(uses_allowed=5)
    assert result["changed"]
    assert list(host.synapse.tokens) == [result["token"]] == [host.secrets.values[REMEMBERED]]
    assert (result["uses_allowed"], result["expiry"], result["completed"]) == (5, "never", 0)


@pytest.mark.parametrize("given", [{}, {"token": "club"}, {"expiry": "2030-01-01T00:00:00Z"}])
def test_the_second_run_changes_nothing(host: Host, given: dict[str, Any]) -> None:
    first = host.run(**given)
    second = host.run(**given)
    assert second == {**first, "changed": False, "diff": second["diff"]}
    assert second["diff"]["before"] == second["diff"]["after"]


def test_a_limit_is_changed(host: Host) -> None:
    host.run(token="club", uses_allowed=5)
    result = host.run(token="club", uses_allowed=6)
    assert result["changed"]
    assert (result["diff"]["before"]["uses_allowed"], result["uses_allowed"]) == (5, 6)
    assert host.synapse.tokens["club"]["uses_allowed"] == 6


def test_a_withdrawn_token_is_forgotten(host: Host) -> None:
    host.run()
    result = host.run(state="absent")
    assert result["changed"]
    assert host.synapse.tokens == {}
    assert REMEMBERED not in host.secrets.values
    assert not host.run(state="absent")["changed"]


def test_a_token_that_was_given_is_not_remembered(host: Host) -> None:
    host.run(token="club")
    assert REMEMBERED not in host.secrets.values


def test_a_run_killed_before_the_token_was_made_is_finished_with_the_same(host: Host) -> None:
    host.secrets.write(REMEMBERED, "remembered")
    assert host.run()["token"] == "remembered"
    assert list(host.synapse.tokens) == ["remembered"]


def test_check_mode_on_a_fresh_host_tells_the_change_and_makes_none(host: Host) -> None:
    result = host.run(check_mode=True, uses_allowed=5)
    assert (result["changed"], result["token"], result["uses_allowed"]) == (True, None, 5)
    assert host.synapse.requests == []
    assert REMEMBERED not in host.secrets.values


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        pytest.param({}, False, id="as it is"),
        pytest.param({"uses_allowed": 7}, True, id="another limit"),
        pytest.param({"state": "absent"}, True, id="withdrawn"),
        pytest.param({"name": "other"}, True, id="another token"),
    ],
)
def test_check_mode_tells_what_a_run_would_do(
    host: Host, given: dict[str, Any], changed: bool
) -> None:
    host.run()
    host.synapse.requests.clear()
    assert host.run(check_mode=True, **given)["changed"] == changed
    assert host.synapse.changes == []
    assert host.run(**given)["changed"] == changed
