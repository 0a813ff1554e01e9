# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts: what is wished of one, and the changes that make it so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .interface import HomeserverError


@dataclass(frozen=True)
class Account:
    """An account as the homeserver tells it."""

    admin: bool = False
    deactivated: bool = False
    displayname: str | None = None


@dataclass(frozen=True)
class Wish:
    """What is wished; None is whatever it is."""

    state: str = "present"
    admin: bool | None = None
    displayname: str | None = None
    password: str | None = field(default=None, repr=False)
    always: bool = False
    email: str | None = None

    def sets_password(self, current: Account | None) -> bool:
        """Tell whether this is the moment for a password: a new account, or one that comes back."""
        if self.state == "deactivated":
            return False
        return self.always or current is None or current.deactivated

    def settings(self) -> dict[str, Any]:
        """Return what the account must be, without its password."""
        if self.state == "deactivated":
            return {"deactivated": True}
        wished = {"admin": self.admin, "displayname": self.displayname, "deactivated": False}
        return {name: value for name, value in wished.items() if value is not None}


def full_user_id(name: str, server_name: str) -> str:
    """Return the Matrix ID of a name, which may be one already."""
    localpart, colon, domain = name.partition(":")
    if domain not in ("", server_name):
        raise HomeserverError(f"{name!r} is no account of {server_name}")
    if bool(colon) != name.startswith("@") or localpart in ("", "@"):
        raise HomeserverError(
            f"{name!r} must be a local name, or a Matrix ID as @name:{server_name}"
        )
    return name if colon else f"@{name}:{server_name}"


def plan(wish: Wish, current: Account | None, *, has_email: bool = False) -> dict[str, Any] | None:
    """Return the changes that make the wish true, or nothing if it is true already."""
    if wish.state == "deactivated" and current is None:
        return None
    before = vars(current) if current else {}
    changes = {name: value for name, value in wish.settings().items() if before.get(name) != value}
    if current is None:
        changes.pop("deactivated", None)
    if wish.password is not None and wish.sets_password(current):
        changes["password"] = wish.password
    if wish.email and wish.state == "present" and not has_email:
        changes["email"] = wish.email
    return changes if changes or current is None else None


def outcome(wish: Wish, current: Account | None) -> Account | None:
    """Return the account as it is once the plan is carried out."""
    if wish.state == "deactivated" and current is None:
        return None
    return Account(**{**vars(current or Account()), **wish.settings()})
