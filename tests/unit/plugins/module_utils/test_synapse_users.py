# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.synapse.admin import AdminError
from ansible_collections.homestead.matrix.plugins.module_utils.synapse.users import (
    Account,
    User,
    full_user_id,
    outcome,
    plan,
)

ALICE = "@alice:example.com"
EXISTING = User(admin=False, deactivated=False, displayname="Alice")
DEACTIVATED = User(deactivated=True)


@pytest.mark.parametrize(
    ("name", "user_id"),
    [
        pytest.param("alice", ALICE, id="local name"),
        pytest.param(ALICE, ALICE, id="Matrix ID"),
        pytest.param("@alice:example.com:8448", "@alice:example.com:8448", id="with a port"),
    ],
)
def test_user_id(name: str, user_id: str) -> None:
    assert full_user_id(name, user_id.partition(":")[2]) == user_id


@pytest.mark.parametrize("name", ["", "@alice", "alice:example.com", "@:example.com", "@a:b.org"])
def test_a_wrong_name_is_refused(name: str) -> None:
    with pytest.raises(AdminError):
        full_user_id(name, "example.com")


@pytest.mark.parametrize(
    ("wish", "current", "changes"),
    [
        pytest.param(Account(), None, {}, id="made"),
        pytest.param(
            Account(admin=True, displayname="A", password="p"),
            None,
            {"admin": True, "displayname": "A", "password": "p", "logout_devices": False},
            id="made with everything",
        ),
        pytest.param(
            Account(admin=True, displayname="Alice"),
            EXISTING,
            {"admin": True},
            id="only differences",
        ),
        pytest.param(
            Account(password="p", always=True),
            EXISTING,
            {"password": "p", "logout_devices": False},
            id="password always",
        ),
        pytest.param(
            Account(state="deactivated"), EXISTING, {"deactivated": True}, id="deactivated"
        ),
        pytest.param(
            Account(password="p"),
            DEACTIVATED,
            {"deactivated": False, "password": "p", "logout_devices": False},
            id="reactivated with its password",
        ),
    ],
)
def test_plan(wish: Account, current: User | None, changes: dict[str, Any]) -> None:
    request = plan(ALICE, wish, current)
    assert request is not None
    assert request.method == "PUT"
    assert request.body == changes


@pytest.mark.parametrize(
    ("wish", "current"),
    [
        pytest.param(Account(), EXISTING, id="no wish"),
        pytest.param(Account(admin=False, displayname="Alice"), EXISTING, id="as wished"),
        pytest.param(Account(password="p"), EXISTING, id="password only for a new account"),
        pytest.param(Account(state="deactivated"), None, id="nobody to deactivate"),
        pytest.param(
            Account(state="deactivated", password="p", always=True), DEACTIVATED, id="deactivated"
        ),
    ],
)
def test_what_is_true_needs_no_request(wish: Account, current: User | None) -> None:
    assert plan(ALICE, wish, current) is None
    assert outcome(wish, current) == current


def test_the_outcome_keeps_what_was_not_mentioned() -> None:
    assert outcome(Account(admin=True), EXISTING) == User(admin=True, displayname="Alice")


def test_synapse_may_say_yes_with_a_number() -> None:
    assert User.parse({"admin": 1, "deactivated": 0, "displayname": None}) == User(admin=True)


def test_a_password_does_not_show() -> None:
    assert "hidden" not in repr(Account(password="hidden"))
