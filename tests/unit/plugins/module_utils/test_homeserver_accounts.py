# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.accounts import (
    Account,
    Wish,
    full_user_id,
    outcome,
    plan,
)
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.interface import (
    HomeserverError,
)

ALICE = "@alice:example.com"
EXISTING = Account(admin=False, deactivated=False, displayname="Alice")
DEACTIVATED = Account(deactivated=True)


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
    with pytest.raises(HomeserverError):
        full_user_id(name, "example.com")


@pytest.mark.parametrize(
    ("wish", "current", "changes"),
    [
        pytest.param(Wish(), None, {}, id="made"),
        pytest.param(
            Wish(admin=True, displayname="A", password="p"),
            None,
            {"admin": True, "displayname": "A", "password": "p"},
            id="made with everything",
        ),
        pytest.param(
            Wish(admin=True, displayname="Alice"),
            EXISTING,
            {"admin": True},
            id="only differences",
        ),
        pytest.param(
            Wish(password="p", always=True),
            EXISTING,
            {"password": "p"},
            id="password always",
        ),
        pytest.param(Wish(state="deactivated"), EXISTING, {"deactivated": True}, id="deactivated"),
        pytest.param(
            Wish(password="p"),
            DEACTIVATED,
            {"deactivated": False, "password": "p"},
            id="reactivated with its password",
        ),
    ],
)
def test_plan(wish: Wish, current: Account | None, changes: dict[str, Any]) -> None:
    assert plan(wish, current) == changes


@pytest.mark.parametrize(
    ("wish", "current"),
    [
        pytest.param(Wish(), EXISTING, id="no wish"),
        pytest.param(Wish(admin=False, displayname="Alice"), EXISTING, id="as wished"),
        pytest.param(Wish(password="p"), EXISTING, id="password only for a new account"),
        pytest.param(Wish(state="deactivated"), None, id="nobody to deactivate"),
        pytest.param(
            Wish(state="deactivated", password="p", always=True), DEACTIVATED, id="deactivated"
        ),
    ],
)
def test_what_is_true_needs_no_request(wish: Wish, current: Account | None) -> None:
    assert plan(wish, current) is None
    assert outcome(wish, current) == current


def test_an_address_is_given_once() -> None:
    wish = Wish(email="a@example.org")
    assert plan(wish, EXISTING) == {"email": "a@example.org"}
    assert plan(wish, EXISTING, has_email=True) is None
    assert plan(Wish(state="deactivated", email="a@example.org"), DEACTIVATED) is None


def test_the_outcome_keeps_what_was_not_mentioned() -> None:
    assert outcome(Wish(admin=True), EXISTING) == Account(admin=True, displayname="Alice")


def test_a_password_does_not_show() -> None:
    assert "hidden" not in repr(Wish(password="hidden"))
