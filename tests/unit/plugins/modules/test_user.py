# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.testing import patch_module_args
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.interface import (
    HomeserverError,
    UnreachableError,
)
from ansible_collections.homestead.matrix.plugins.module_utils.synapse.homeserver import sign_in
from ansible_collections.homestead.matrix.plugins.modules import user
from ansible_collections.homestead.matrix.plugins.modules.user import run
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.fake_synapse import (
    FakeSynapse,
    MemorySecrets,
)

ALICE = "@alice:example.com"


def account(name: str, **given: Any) -> dict[str, Any]:
    """Return the options of one account as Ansible fills them."""
    nothing = dict.fromkeys(option for option in user.ACCOUNT if option != "name")
    defaults = {"state": "present", "update_password": "on_create"}
    return {"name": name, **nothing, **defaults, **given}


class Host:
    """A host with a Synapse, and the module on it."""

    def __init__(self) -> None:
        self.synapse, self.secrets = FakeSynapse(), MemorySecrets()
        self.passwords = MemorySecrets({})

    def run(self, *, check_mode: bool = False, **given: Any) -> dict[str, Any]:
        params = {"users": None, **account("alice"), **given}
        connect = partial(sign_in, self.synapse)
        return run(params, connect, self.secrets, self.passwords, check_mode=check_mode)


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


def test_a_password_for_somebody_is_made_once_and_lies_in_a_file(host: Host) -> None:
    assert host.run(check_mode=True, generate_password=True)["password_file"] is None
    result = host.run(generate_password=True)
    made = host.passwords.values["alice"]
    assert result["password_file"] == "/var/lib/homestead/passwords/alice"
    assert made not in repr(result)
    assert host.synapse.users[ALICE]["password"] == made
    assert not host.run(generate_password=True)["changed"]
    host.passwords.write("alice", "")
    assert host.run(generate_password=True)["password_file"] is None
    assert host.synapse.users[ALICE]["password"] == made


def test_a_password_is_made_anew_only_when_told(host: Host) -> None:
    host.run(generate_password=True)
    former = host.passwords.values["alice"]
    assert host.run(generate_password=True, update_password="always")["changed"]
    assert host.passwords.values["alice"] == host.synapse.users[ALICE]["password"] != former


def test_a_password_of_a_run_that_died_before_the_account_is_used(host: Host) -> None:
    host.passwords.write("alice", "waiting")
    host.run(generate_password=True)
    assert host.synapse.users[ALICE]["password"] == "waiting"


def test_whoever_comes_back_does_not_get_the_former_password(host: Host) -> None:
    host.run(generate_password=True)
    former = host.passwords.values["alice"]
    host.run(state="deactivated", generate_password=True)
    assert host.passwords.values == {}
    host.run(generate_password=True)
    assert host.synapse.users[ALICE]["password"] == host.passwords.values["alice"] != former


@pytest.mark.parametrize(
    ("name", "file"),
    [("a/b", "a%2Fb"), ("..", "%2E%2E"), ("a.b", "a.b"), ("@bob:example.com", "bob")],
)
def test_every_name_can_be_that_of_a_file(host: Host, name: str, file: str) -> None:
    host.run(name=name, generate_password=True)
    assert list(host.passwords.values) == [file]


MANY = [account(f"u{number}", displayname=f"U {number}") for number in range(40)]


def test_many_accounts_are_made_in_one_task(host: Host) -> None:
    dry = host.run(users=MANY, check_mode=True)
    assert (len(dry["diff"]["after"]), host.synapse.users) == (40, {})
    first = host.run(users=MANY)
    assert [one["user_id"] for one in first["users"]] == [
        f"@u{number}:example.com" for number in range(40)
    ]
    assert len(host.synapse.users) == 40
    host.synapse.requests.clear()
    second = host.run(users=MANY)
    assert (second["changed"], second["diff"]) == (False, {"before": {}, "after": {}})
    assert len(host.synapse.requests) == 2  # who we are, and all accounts


def test_only_what_differs_of_many_is_changed_and_shown(host: Host) -> None:
    host.run(users=MANY)
    del host.synapse.users["@u7:example.com"]
    host.synapse.requests.clear()
    again = [*MANY[:-1], {**MANY[-1], "admin": True}]
    result = host.run(users=again)
    assert [one["user_id"] for one in result["users"] if one["changed"]] == [
        "@u7:example.com",
        "@u39:example.com",
    ]
    assert set(result["diff"]["after"]) == {"@u7:example.com", "@u39:example.com"}
    assert len(host.synapse.changes) == 2


def test_what_cannot_be_made_keeps_no_other_from_it(host: Host) -> None:
    host.run(name="u3", password="hers")
    wrong = [{**MANY[3], "password_secret": "nobody"}, *(one for one in MANY if one != MANY[3])]
    with pytest.raises(HomeserverError, match="1 of 40 accounts") as refused:
        host.run(users=wrong)
    assert "- @u3:example.com exists" in str(refused.value)
    assert len(host.synapse.users) == 40


def test_what_the_homeserver_refuses_leaves_no_password(host: Host) -> None:
    host.synapse.refuses = "@Alice:example.com"
    with pytest.raises(HomeserverError, match="M_INVALID_USERNAME"):
        host.run(name="Alice", generate_password=True)
    assert host.passwords.values == {}


def test_an_account_cannot_be_wished_twice(host: Host) -> None:
    with pytest.raises(HomeserverError, match=f"{ALICE} is listed more than once"):
        host.run(users=[account("alice"), account(ALICE)])
    assert host.synapse.users == {}


def test_a_homeserver_that_goes_away_is_one_sentence(host: Host) -> None:
    host.run()
    host.synapse.patience = 10
    with pytest.raises(UnreachableError, match=r"^Synapse does not answer$"):
        host.run(users=MANY)
    assert len(host.synapse.users) < 11
    host.synapse.patience = None
    assert host.run(users=MANY)["changed"]
    assert len(host.synapse.users) == 41


@pytest.mark.parametrize("kind", ["password", "password_secret", "generate_password"])
def test_each_account_has_at_most_one_origin_of_its_password(kind: str) -> None:
    validator = ArgumentSpecValidator(user.ARGUMENTS, **user.RELATIONS)
    given = {"name": "alice", kind: "yes"}
    assert validator.validate({"users": [given, {"name": "bob"}]}).error_messages == []
    assert validator.validate(given).error_messages == []
    both = {**given, "password": "p", "password_secret": "q"}
    for wrong in ({"users": [both]}, both):
        (message,) = validator.validate(wrong).error_messages
        assert "mutually exclusive" in message


def test_either_one_account_or_several() -> None:
    validator = ArgumentSpecValidator(user.ARGUMENTS, **user.RELATIONS)
    assert validator.validate({"name": "alice", "users": []}).error_messages
    assert validator.validate({}).error_messages


def test_the_hosts_log_has_no_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever characters are in it; Ansible itself would log some as Python writes them."""
    logged: list[str] = []
    monkeypatch.setattr(user.AnsibleModule, "log", lambda _self, text, **_more: logged.append(text))
    password = "it's \"horse\\battery"
    wish = {"users": [{"name": "alice", "password": password}], "url": "http://127.0.0.1:9"}
    with patch_module_args(wish), pytest.raises(SystemExit):
        user.main()
    told = capsys.readouterr().out
    assert not [text for text in (told, *logged) if "horse" in text or "battery" in text]
    assert "failed" in told


def test_who_has_the_address_already_stays(host: Host) -> None:
    wish = {"email": "Alice@example.org"}
    assert host.run(**wish)["changed"]
    assert not host.run(**wish)["changed"]
    assert "password" not in host.synapse.users[ALICE]
    assert host.run(email="other@example.org", check_mode=True)["changed"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_an_address_is_taken_from_nobody(host: Host, check_mode: bool) -> None:
    host.run(email="a@example.org")
    with pytest.raises(HomeserverError, match=rf"^A@example\.org belongs to {ALICE} already"):
        host.run(name="bob", email="A@example.org", check_mode=check_mode)
    assert "@bob:example.com" not in host.synapse.users
