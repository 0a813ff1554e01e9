# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registration tokens: how many uses and how long are wished, and what differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Optional

from .interface import HomeserverError

UNLIMITED = -1
NEVER = "never"
TOKEN_LENGTH = 24
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

Limits = dict[str, Optional[int]]


@dataclass(frozen=True)
class Token:
    """A token as the homeserver tells it; None is no limit, times are milliseconds since 1970."""

    token: str
    uses_allowed: int | None = None
    expiry_time: int | None = None
    pending: int = 0
    completed: int = 0

    def describe(self) -> dict[str, object]:
        """Return the token in the words of the module."""
        return {
            "token": self.token or None,
            "uses_allowed": UNLIMITED if self.uses_allowed is None else self.uses_allowed,
            "expiry": expiry_text(self.expiry_time),
            "pending": self.pending,
            "completed": self.completed,
        }


def parse_wish(uses_allowed: int | None, expiry: str | None) -> Limits:
    """Return the limits that are wished; what is not mentioned stays as it is."""
    wish: Limits = {}
    if uses_allowed is not None:
        if uses_allowed < UNLIMITED:
            raise HomeserverError(
                f"uses_allowed must be a number of uses, or {UNLIMITED} for no limit"
            )
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
        raise HomeserverError(
            f"expiry {text!r} must be a time as 2030-12-31T23:59:59Z, or never"
        ) from None
    if time.tzinfo is None:
        raise HomeserverError(
            f"expiry {text!r} must name its time zone, as in 2030-12-31T23:59:59Z"
        )
    return (time - EPOCH) // timedelta(milliseconds=1)


def expiry_text(milliseconds: int | None) -> str:
    if milliseconds is None:
        return NEVER
    time = EPOCH + timedelta(milliseconds=milliseconds)
    return time.isoformat().replace("+00:00", "Z")


def changes(limits: Limits, current: Token) -> Limits:
    """Return the limits in which a token differs from the wish."""
    return {name: value for name, value in limits.items() if getattr(current, name) != value}


def outcome(state: str, token: str, wish: Limits, current: Token | None) -> Token | None:
    """Return the token as it is once the plan is carried out."""
    if state == "absent":
        return None
    before = vars(current) if current else {"token": token}
    return Token(**{**before, **wish})
