# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long peers keep /.well-known/matrix/server (server-server API, Resolving server names)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from email.utils import mktime_tz, parsedate_tz

from ..findings import Check, Finding
from ..wire.transport import Exchange

CACHE = Check(
    "well_known.server.cache",
    "well-known",
    "Server-Server API, Resolving server names; RFC 9111 sections 5.2 and 5.3",
    "Send a Cache-Control header with a max-age of at most 172800, or none, which means a day.",
)
HOUR = 3600
DEFAULT, HIGHEST, LOWEST = 24 * HOUR, 48 * HOUR, 300
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}")


def stated_seconds(headers: Iterable[tuple[str, str]], now: float) -> float | None:
    """Return what the headers ask for, read as Synapse reads them; None if it is nothing."""
    lines = [(name.lower(), value) for name, value in headers]
    directives = _directives(value for name, value in lines if name == "cache-control")
    if "no-store" in directives:
        return 0
    age = directives.get("max-age", "")
    if _NUMBER.fullmatch(age):
        return int(age)
    expires = [value for name, value in lines if name == "expires"]
    return _until(expires[-1], now) if expires else None


def _directives(lines: Iterable[str]) -> dict[str, str]:
    pairs = [item.partition("=") for line in lines for item in line.split(",")]
    return {name.strip().lower(): value.strip() for name, _sign, value in pairs}


def _until(expires: str, now: float) -> float:
    """Return the seconds until a date; one that cannot be read is past (RFC 9111 section 5.3)."""
    try:
        parsed = parsedate_tz(expires)
        return max(0.0, mktime_tz(parsed) - now) if parsed else 0
    except (ValueError, OverflowError, IndexError, TypeError):
        return 0


def kept_seconds(stated: float | None) -> float:
    """Return how long peers keep the document: a day by default, from 5 minutes to 48 hours."""
    return DEFAULT if stated is None else min(max(stated, LOWEST), HIGHEST)


def judge_cache(exchange: Exchange) -> Finding:
    """Judge how long a change of the document takes to reach every peer."""
    stated = stated_seconds(exchange.headers, time.time())
    hours = round(kept_seconds(stated) / HOUR, 2)
    evidence = {"hours": hours, "stated_seconds": None if stated is None else round(stated)}
    if stated is not None and stated > HIGHEST:
        return CACHE.warning(
            f"The document asks to be kept for {round(stated / HOUR)} hours; "
            "peers stop at 48, and a move takes that long.",
            **evidence,
        )
    return CACHE.ok(f"Peers keep the document for about {hours:g} hours.", **evidence)
