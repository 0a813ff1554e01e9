# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a Matrix API says in its answers (client-server API, API Standards)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .strict_json import loads, text_at
from .wire.transport import Exchange

UNRECOGNIZED = "M_UNRECOGNIZED"
MISSING_TOKEN = "M_MISSING_TOKEN"
TOO_MANY, FAILED = 429, 500


def object_of(exchange: Exchange) -> dict[str, Any]:
    """Return the JSON object of an answer; an empty one if there is none."""
    try:
        value = loads(exchange.body).value
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def errcode(exchange: Exchange) -> str:
    """Return the code of a Matrix error; empty if the answer is none."""
    return text_at(object_of(exchange), "errcode") or ""


def stated(exchange: Exchange) -> str:
    """Return the status of an answer, and the code of its error if it has one."""
    return f"{exchange.status} {errcode(exchange)[:50]}".rstrip()


def why_unknown(exchange: Exchange) -> str:
    """Say why an answer tells nothing; a connection closed without one is a refusal."""
    if exchange.status == TOO_MANY or exchange.status >= FAILED:
        return f"answers {stated(exchange)}"
    if exchange.status or (exchange.error and exchange.error.kind == "protocol"):
        return ""
    return f"fails: {exchange.error}"


def newest(versions: Iterable[object]) -> tuple[int, int]:
    """Return the highest released version of the API in a list, such as (1, 11) for v1.11."""
    found = [(0, 0)]
    for version in versions:
        major, _dot, minor = str(version)[1:].partition(".")
        if str(version).startswith("v") and _is_number(major) and _is_number(minor):
            found.append((int(major), int(minor)))
    return max(found)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len("1000")
