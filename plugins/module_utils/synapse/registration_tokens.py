# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registration tokens: how many uses and how long are wished, and the request that makes it so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

from .admin import (
    AdminError,
    Call,
    token_path,
)

UNLIMITED = -1
NEVER = "never"
TOKEN_LENGTH = 24
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

Wish = dict[str, Optional[int]]


@dataclass(frozen=True)
class Token:
    """A token as Synapse tells it; None is no limit, times are milliseconds since 1970."""

    token: str
    uses_allowed: int | None = None
    expiry_time: int | None = None
    pending: int = 0
    completed: int = 0

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Token:
        return cls(**{name: body[name] for name in cls.__dataclass_fields__})

    def describe(self) -> dict[str, object]:
        """Return the token in the words of the module."""
        return {
            "token": self.token or None,
            "uses_allowed": UNLIMITED if self.uses_allowed is None else self.uses_allowed,
            "expiry": expiry_text(self.expiry_time),
            "pending": self.pending,
            "completed": self.completed,
        }


def parse_wish(uses_allowed: int | None, expiry: str | None) -> Wish:
    """Return the limits that are wished; what is not mentioned stays as it is."""
    wish: Wish = {}
    if uses_allowed is not None:
        if uses_allowed < UNLIMITED:
            raise AdminError(f"uses_allowed must be a number of uses, or {UNLIMITED} for no limit")
        wish["uses_allowed"] = None if uses_allowed == UNLIMITED else uses_allowed
    if expiry is not None:
        wish["expiry_time"] = parse_expiry(expiry)
    return wish


def parse_expiry(text: str) -> int | None:
    """Return a time with its time zone (ISO 8601) in milliseconds since 1970."""
    if text == NEVER:
        return None
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise AdminError(
            f"expiry {text!r} must be a time as 2030-12-31T23:59:59Z, or never"
        ) from None
    if time.tzinfo is None:
        raise AdminError(f"expiry {text!r} must name its time zone, as in 2030-12-31T23:59:59Z")
    return (time - EPOCH) // timedelta(milliseconds=1)


def expiry_text(milliseconds: int | None) -> str:
    if milliseconds is None:
        return NEVER
    time = EPOCH + timedelta(milliseconds=milliseconds)
    return time.isoformat().replace("+00:00", "Z")


def plan(state: str, token: str, wish: Wish, current: Token | None) -> Call | None:
    """Return the one request that makes the wish true, or nothing if it is true already."""
    if state == "absent":
        return Call("DELETE", token_path(token)) if current else None
    if current is None:
        return Call("POST", token_path("new"), {"token": token, **wish})
    changes = {name: value for name, value in wish.items() if getattr(current, name) != value}
    return Call("PUT", token_path(token), changes) if changes else None


def outcome(state: str, token: str, wish: Wish, current: Token | None) -> Token | None:
    """Return the token as it is once the plan is carried out."""
    if state == "absent":
        return None
    before = vars(current) if current else {"token": token}
    return Token(**{**before, **wish})
