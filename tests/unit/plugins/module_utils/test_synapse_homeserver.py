# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Callable

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.accounts import Account
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.interface import (
    Homeserver,
)
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.tokens import (
    Token,
)
from ansible_collections.homestead.matrix.plugins.module_utils.synapse import homeserver
from ansible_collections.homestead.matrix.plugins.module_utils.synapse.homeserver import (
    account,
    sign_in,
    token_path,
    user_path,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.fake_synapse import (
    FakeSynapse,
    MemorySecrets,
)

ALICE = "@alice:example.com"
CLUB = {"token": "club", "uses_allowed": 3, "expiry_time": 9, "pending": 1, "completed": 2}
PATH = "/_synapse/admin/v1/registration_tokens"


@pytest.fixture
def synapse() -> FakeSynapse:
    return FakeSynapse(tokens={"club": dict(CLUB)})


@pytest.fixture
def server(synapse: FakeSynapse) -> Homeserver:
    server = sign_in(synapse, MemorySecrets(), check_mode=False)
    assert server is not None
    synapse.requests.clear()
    return server


def test_a_session_knows_its_server_and_that_it_made_its_account(server: Homeserver) -> None:
    made = "@homestead-admin:example.com"
    assert (server.server_name, server.new_account) == ("example.com", made)


def test_check_mode_has_no_session_where_the_account_is_missing() -> None:
    assert sign_in(FakeSynapse(), MemorySecrets(), check_mode=True) is None


def test_accounts(server: Homeserver) -> None:
    server.change_account(ALICE, {"admin": True, "displayname": "Alice"})
    known = Account(admin=True, displayname="Alice")
    assert server.accounts([ALICE, "@bob:example.com"]) == {ALICE: known}


@pytest.mark.parametrize(
    ("others", "questions"),
    [
        pytest.param(5, 1, id="one page"),
        pytest.param(50, 3, id="pages"),
        pytest.param(500, 13, id="a crowd, so each is asked for"),
    ],
)
def test_many_accounts_are_listed(
    server: Homeserver,
    synapse: FakeSynapse,
    monkeypatch: pytest.MonkeyPatch,
    others: int,
    questions: int,
) -> None:
    monkeypatch.setattr(homeserver, "PAGE", 20)
    known = {"admin": False, "deactivated": True, "displayname": None}
    names = [f"@{number}:example.com" for number in range(12)]
    synapse.users = {f"@o{number}:example.com": dict(known) for number in range(others)}
    synapse.users[names[7]] = dict(known)
    assert server.accounts(names) == {names[7]: Account(deactivated=True)}
    assert len(synapse.requests) == questions


def test_yes_may_be_a_number() -> None:
    assert account({"admin": 1, "deactivated": 0}) == Account(admin=True)


def test_a_new_password_ends_no_sessions(server: Homeserver, synapse: FakeSynapse) -> None:
    server.change_account(ALICE, {"password": "p"})
    assert synapse.requests[-1].body == {"password": "p", "logout_devices": False}


def test_an_address_is_one_more(server: Homeserver, synapse: FakeSynapse) -> None:
    known = [{"medium": "msisdn", "address": "4930"}, {"medium": "email", "address": "a@b.org"}]
    synapse.users[ALICE] = {"threepids": known}
    server.change_account(ALICE, {"email": "B@b.org"})
    assert synapse.users[ALICE]["threepids"] == [*known, {"medium": "email", "address": "B@b.org"}]
    assert (server.email_owner("A@b.org"), server.email_owner("c@b.org")) == (ALICE, None)


def test_tokens(server: Homeserver) -> None:
    assert server.tokens() == [Token("club", 3, 9, pending=1, completed=2)]


@pytest.mark.parametrize(
    ("act", "request_line"),
    [
        pytest.param(
            lambda server: server.make_token("a", {"uses_allowed": 1}), f"POST {PATH}/new", id="new"
        ),
        pytest.param(
            lambda server: server.change_token("club", {}), f"PUT {PATH}/club", id="changed"
        ),
        pytest.param(
            lambda server: server.withdraw_token("club"), f"DELETE {PATH}/club", id="withdrawn"
        ),
    ],
)
def test_requests(
    server: Homeserver, synapse: FakeSynapse, act: Callable[[Homeserver], None], request_line: str
) -> None:
    act(server)
    (asked,) = synapse.requests
    assert f"{asked.method} {asked.path}" == request_line


def test_paths_take_any_name() -> None:
    assert token_path("a/b") == f"{PATH}/a%2Fb"
    assert user_path("@a:b") == "/_synapse/admin/v2/users/%40a%3Ab"
