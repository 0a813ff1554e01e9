# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.interface import (
    HomeserverError,
)
from ansible_collections.homestead.matrix.plugins.module_utils.synapse.homeserver import sign_in
from ansible_collections.homestead.matrix.plugins.modules.user import run
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.fake_synapse import (
    FakeSynapse,
    MemorySecrets,
)

ALICE = "@alice:example.com"


class Host:
    """A host with a Synapse, and the module on it."""

    def __init__(self) -> None:
        self.synapse, self.secrets = FakeSynapse(), MemorySecrets()

    def run(self, *, check_mode: bool = False, **given: Any) -> dict[str, Any]:
        params = {
            "name": "alice",
            "state": "present",
            "admin": None,
            "displayname": None,
            "password": None,
            "password_secret": None,
            "update_password": "on_create",
            **given,
        }
        connect = partial(sign_in, self.synapse)
        return run(params, connect, self.secrets, check_mode=check_mode)


@pytest.fixture
def host() -> Host:
    return Host()


def test_an_account_is_made(host: Host) -> None:
    result = host.run(admin=True, displayname="Alice", password="hidden")
    assert result["changed"]
    assert (result["user_id"], result["admin"], result["displayname"]) == (ALICE, True, "Alice")
    assert host.synapse.users[ALICE]["password"] == "hidden"


def test_the_administrator_is_made_once_and_dry_runs_say_so(host: Host) -> None:
    who = {"name": "homestead-admin", "admin": True}
    runs = [host.run(check_mode=True, **who), host.run(**who), host.run(**who)]
    assert [run["changed"] for run in runs] == [True, True, False]


def test_no_result_holds_a_password(host: Host) -> None:
    assert "hidden" not in repr(host.run(password="hidden"))


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="name alone"),
        pytest.param({"admin": True, "displayname": "Alice", "password": "p"}, id="everything"),
        pytest.param({"state": "deactivated"}, id="nobody there"),
    ],
)
def test_the_second_run_changes_nothing(host: Host, given: dict[str, Any]) -> None:
    host.run(**given)
    host.synapse.requests.clear()
    assert not host.run(**given)["changed"]
    assert host.synapse.changes == []


def test_an_account_goes_and_comes_back(host: Host) -> None:
    host.run()
    assert host.run(state="deactivated")["changed"]
    assert host.synapse.users[ALICE]["deactivated"]
    assert not host.run(state="deactivated")["changed"]
    assert host.run()["deactivated"] is False
    assert not host.synapse.users[ALICE]["deactivated"]


def test_a_password_that_is_always_set_is_always_a_change(host: Host) -> None:
    host.run(password="p")
    assert not host.run(password="q")["changed"]
    assert host.run(password="q", update_password="always")["changed"]
    assert host.synapse.users[ALICE]["password"] == "q"


def test_a_password_is_made_on_the_host_and_kept(host: Host) -> None:
    who = {"name": "robot", "password_secret": "robot_password"}
    assert host.run(check_mode=True, **who)["changed"]
    assert host.secrets.read("robot_password") is None
    result = host.run(**who)
    made = host.secrets.read("robot_password")
    assert made
    assert made not in repr(result)
    assert host.synapse.users["@robot:example.com"]["password"] == made
    assert not host.run(**who)["changed"]
    assert host.secrets.read("robot_password") == made


def test_an_account_whose_password_the_host_does_not_have_is_somebody_elses(host: Host) -> None:
    host.run(password="hers")
    with pytest.raises(HomeserverError, match="exists, and this host does not have"):
        host.run(password_secret="robot_password")
    assert host.synapse.users[ALICE]["password"] == "hers"
    assert host.secrets.read("robot_password") is None
    host.run(state="deactivated")
    assert host.run(password_secret="robot_password")["deactivated"] is False
    assert host.synapse.users[ALICE]["password"] == host.secrets.read("robot_password")


def test_check_mode_on_a_fresh_host_tells_the_change_and_makes_none(host: Host) -> None:
    result = host.run(check_mode=True, displayname="Alice")
    assert (result["changed"], result["user_id"], result["displayname"]) == (True, "alice", "Alice")
    assert host.synapse.requests == []


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        pytest.param({}, False, id="as it is"),
        pytest.param({"admin": True}, True, id="an administrator"),
        pytest.param({"state": "deactivated"}, True, id="deactivated"),
        pytest.param({"name": "@bob:example.com"}, True, id="another account"),
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
