# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registration modes and the admin modules with a real Synapse, configured by the role."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver import connection
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.host_secrets import (
    HostSecrets,
)
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.interface import (
    HomeserverError,
)
from ansible_collections.homestead.matrix.plugins.modules import registration_token, user
from homeserver import DATABASE, MODES, ask, running

REGISTER = "/_matrix/client/v3/register"
TOKEN = "m.login.registration_token"
FLOWS = {
    "invite": [[TOKEN, "m.login.dummy"]],
    "open": [["m.login.dummy"]],
    "email": [["m.login.email.identity"]],
    "email with an account": [["m.login.email.identity"]],
}


@dataclass(frozen=True)
class Homeserver:
    """A running Synapse, and the secrets of the host on which it runs."""

    url: str
    secrets: HostSecrets
    root: Path

    def token(self, *, check_mode: bool = False, **given: Any) -> dict[str, Any]:
        defaults = {"name": "invite", "token": None, "uses_allowed": None, "expiry": None}
        params = {**defaults, "state": "present", **given}
        connect = connection.at(self.url)
        return registration_token.run(params, connect, self.secrets, check_mode=check_mode)

    def user(self, *, check_mode: bool = False, **given: Any) -> dict[str, Any]:
        defaults = dict.fromkeys(("admin", "displayname", "password", "password_secret"))
        params = {**defaults, "state": "present", "update_password": "on_create", **given}
        connect = connection.at(self.url)
        return user.run(params, connect, self.secrets, check_mode=check_mode)

    def finish_first_start(self) -> None:
        """Wait until Synapse has made the indexes of a new database, which takes some seconds."""
        with closing(sqlite3.connect(self.root / DATABASE)) as database:
            while database.execute("SELECT count(*) FROM background_updates").fetchone()[0]:
                time.sleep(0.2)

    def login(self, name: str, password: str) -> dict[str, Any]:
        who = {"type": "m.id.user", "user": name}
        body = {"type": "m.login.password", "identifier": who, "password": password}
        return ask(f"{self.url}/_matrix/client/v3/login", body)


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homeserver]:
    root = tmp_path_factory.mktemp("synapse")
    secrets = HostSecrets(root / "secrets")
    secrets.write("synapse_registration", "made-synapse_registration")
    with running("invite", root) as url:
        yield Homeserver(url, secrets, root)


@pytest.mark.parametrize("mode", MODES)
def test_the_flows_are_those_of_the_mode(mode: str, tmp_path: Path) -> None:
    with running(mode, tmp_path) as url:
        answer = ask(f"{url}{REGISTER}", {})
    assert [flow["stages"] for flow in answer.get("flows", [])] == FLOWS.get(mode, [])
    assert (answer.get("errcode") == "M_FORBIDDEN") == (mode == "closed")


def test_somebody_registers_with_a_token_of_ours(homeserver: Homeserver) -> None:
    token = homeserver.token(name="club", uses_allowed=1)["token"]
    wish = {"username": "carol", "password": "a long password"}
    session = ask(f"{homeserver.url}{REGISTER}", wish)["session"]
    for kind, more in ((TOKEN, {"token": token}), ("m.login.dummy", {})):
        auth = {"type": kind, "session": session, **more}
        answer = ask(f"{homeserver.url}{REGISTER}", {**wish, "auth": auth})
    assert answer["user_id"] == "@carol:example.com"
    assert homeserver.token(name="club")["completed"] == 1


def test_a_token_lives_and_goes(homeserver: Homeserver) -> None:
    made = homeserver.token(uses_allowed=3, expiry="2099-01-01T00:00:00Z")
    assert made["changed"]
    again = homeserver.token(uses_allowed=3, expiry="2099-01-01T00:00:00Z")
    assert (again["changed"], again["token"]) == (False, made["token"])
    lifted = homeserver.token(uses_allowed=-1, expiry="never")
    assert (lifted["changed"], lifted["uses_allowed"], lifted["expiry"]) == (True, -1, "never")
    assert homeserver.token(state="absent", check_mode=True)["changed"]
    assert homeserver.token(state="absent")["changed"]
    assert not homeserver.token(state="absent")["changed"]


def test_synapse_says_what_is_wrong_with_a_token(homeserver: Homeserver) -> None:
    with pytest.raises(HomeserverError, match="must consist only of characters"):
        homeserver.token(token="with a space")


def test_an_account_lives_and_goes(homeserver: Homeserver) -> None:
    wish = {"name": "alice", "displayname": "Alice", "admin": True, "password": "one password"}
    assert homeserver.user(**wish, check_mode=True)["changed"]
    assert homeserver.user(**wish)["changed"]
    assert not homeserver.user(**wish)["changed"]
    assert homeserver.login("alice", "one password")["user_id"] == "@alice:example.com"
    assert homeserver.user(name="alice", state="deactivated")["changed"]
    assert not homeserver.user(name="alice", state="deactivated")["changed"]
    assert homeserver.login("alice", "one password")["errcode"] == "M_FORBIDDEN"
    homeserver.finish_first_start()
    assert homeserver.user(**wish)["changed"]
    assert not homeserver.user(**wish)["changed"]
    assert homeserver.login("alice", "one password")["user_id"] == "@alice:example.com"


def test_a_password_is_set_again_and_sessions_stay(homeserver: Homeserver) -> None:
    homeserver.user(name="bob", password="one password")
    session = homeserver.login("bob", "one password")["access_token"]
    wish = {"name": "bob", "password": "another password", "update_password": "always"}
    assert homeserver.user(**wish)["changed"]
    whoami = f"{homeserver.url}/_matrix/client/v3/account/whoami?access_token={session}"
    assert ask(whoami)["user_id"] == "@bob:example.com"
    assert "access_token" in homeserver.login("bob", "another password")


def test_a_lost_access_token_is_replaced(homeserver: Homeserver) -> None:
    homeserver.token(name="lost")
    homeserver.secrets.write("synapse_admin_token", "unknown")
    assert not homeserver.token(name="lost")["changed"]
    assert homeserver.secrets.read("synapse_admin_token") != "unknown"


def test_the_administrator_stays_one(homeserver: Homeserver) -> None:
    with pytest.raises(HomeserverError, match="demote"):
        homeserver.user(name="homestead-admin", admin=False)
