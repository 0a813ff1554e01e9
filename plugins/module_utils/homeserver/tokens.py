# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registration tokens: how many uses and how long are wished, and what differs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Optional

from .interface import HomeserverError

UNLIMITED = -1
NEVER = "never"
TOKEN_LENGTH = 24
TOKEN = re.compile(r"[A-Za-z0-9._~-]{1,64}")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

Limits = dict[str, Optional[int]]

_DURATION = re.compile(r"([0-9]+)([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?")
_FORMS = (
    "must be a duration as 7d or 12h, a day as 2030-12-31, "
    "a time as 2030-12-31T18:00:00+01:00, or never"
)


@dataclass(frozen=True)
class Token:
    """A token as the homeserver tells it; None is no limit, times are milliseconds since 1970."""

    token: str
    uses_allowed: int | None = None
    expiry_time: int | None = None
    pending: int = 0
    completed: int = 0

    def describe(self, now: datetime) -> dict[str, object]:
        """Return the token in the words of the module, without itself."""
        return {
            "uses_allowed": UNLIMITED if self.uses_allowed is None else self.uses_allowed,
            "expiry": expiry_text(self.expiry_time),
            "pending": self.pending,
            "completed": self.completed,
            "usable": self.is_usable(now),
        }

    def is_usable(self, now: datetime) -> bool:
        """Tell whether somebody may begin to register with it."""
        if self.expiry_time is not None and self.expiry_time < milliseconds(now):
            return False
        return self.uses_allowed is None or self.pending + self.completed < self.uses_allowed


def parse_token(text: str) -> str:
    """Return a token that may be one; the message does not repeat what is none."""
    if not TOKEN.fullmatch(text):
        raise HomeserverError("token must be 1 to 64 letters of a to z, digits and ._~-")
    return text


def parse_wish(uses_allowed: int | None, expiry: str | None, now: datetime) -> Limits:
    """Return the limits that are wished; what is not mentioned stays as it is."""
    wish: Limits = {}
    if uses_allowed is not None:
        if uses_allowed < 1 and uses_allowed != UNLIMITED:  # to Synapse 0 is no limit, too
            raise HomeserverError(
                f"uses_allowed {uses_allowed} must be a number of uses, or {UNLIMITED} for no limit"
            )
        wish["uses_allowed"] = None if uses_allowed == UNLIMITED else uses_allowed
    if expiry is not None:
        wish["expiry_time"] = parse_expiry(expiry, now)
    return wish


def is_duration(expiry: str | None) -> bool:
    return _DURATION.fullmatch(expiry or "") is not None


def parse_expiry(text: str, now: datetime) -> int | None:
    """Return a time, the end of a day, or that of a duration from now, or None for never."""
    if text == NEVER:
        return None
    try:
        time = _time(text, now)
    except (ValueError, OverflowError):
        raise HomeserverError(f"expiry {text!r} {_FORMS}") from None
    if time.tzinfo is None:
        raise HomeserverError(f"expiry {text!r} must name its time zone, as in {text}+01:00")
    return milliseconds(time)


def _time(text: str, now: datetime) -> datetime:
    if found := _DURATION.fullmatch(text):
        lasts = timedelta(**{_UNITS[found[2]]: int(found[1])})
        return now.replace(microsecond=0) + lasts
    if found := _DAY.fullmatch(text):
        day, zone = date.fromisoformat(found[1]), found[2] or "Z"
        text = f"{day}T23:59:59{zone}"
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def milliseconds(time: datetime) -> int:
    """Return a time in milliseconds since 1970."""
    return (time - EPOCH) // timedelta(milliseconds=1)


def expiry_text(expiry_time: int | None) -> str:
    if expiry_time is None:
        return NEVER
    time = EPOCH + timedelta(milliseconds=expiry_time)
    return time.isoformat().replace("+00:00", "Z")


def refuse_the_past(limits: Limits, now: datetime) -> None:
    """Refuse limits that nobody could use any more; homeservers do, with less to say."""
    ends = limits.get("expiry_time")
    if ends is not None and ends <= milliseconds(now):
        raise HomeserverError(f"expiry {expiry_text(ends)} is past")


def without_a_new_end(limits: Limits, current: Token) -> Limits:
    """Return limits that leave a token's end where it is, if it has one."""
    kept = {"expiry_time": current.expiry_time} if current.expiry_time is not None else {}
    return {**limits, **kept}


def changes(limits: Limits, current: Token | None) -> Limits:
    """Return the limits in which a token differs from the wish; one that is not there in all."""
    return {
        name: value
        for name, value in limits.items()
        if current is None or getattr(current, name) != value
    }


def outcome(state: str, token: str, wish: Limits, current: Token | None) -> Token | None:
    """Return the token as it is once the plan is carried out."""
    if state == "absent":
        return None
    before = vars(current) if current else {"token": token}
    return Token(**{**before, **wish})
