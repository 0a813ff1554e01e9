# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON from strangers: UTF-8 without a byte order mark, bounded depth and numbers (RFC 8259)."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

DEPTH_LIMIT = 64


@dataclass(frozen=True)
class Document:
    """A JSON value, and the keys that some object in it names twice."""

    value: Any
    duplicates: tuple[str, ...] = ()


def loads(body: bytes) -> Document:
    """Read JSON or raise a ValueError that says in one phrase what is wrong with it."""
    duplicates: list[str] = []
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=partial(_object, duplicates),
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_decimal,
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError:
        raise ValueError("it is not valid UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(_explained(body, error)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if _is_deep(value):
        raise ValueError("it is nested too deeply")
    return Document(value, tuple(duplicates))


def text_at(value: Any, *keys: str) -> str | None:
    """Return the text that keys lead to, or None if anything on the way is missing or another."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def _is_deep(value: Any) -> bool:
    level = [value]
    for _unused in range(DEPTH_LIMIT):
        level = [inner for item in level for inner in _inside(item)]
    return bool(level)


def _inside(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return list(item.values())
    return item if isinstance(item, list) else []


def _object(duplicates: list[str], pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs, noting the keys that come twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        counted = Counter(key for key, _unused in pairs)
        duplicates.extend(sorted(key for key in counted if counted[key] > 1))
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(text: str) -> int:
    _decimal(text)
    return int(text)


def _decimal(text: str) -> float:
    """Refuse what becomes infinite, as Go's programs do (RFC 8259 section 6)."""
    number = float(text)
    if math.isinf(number):
        raise ValueError("it has a number that is too large")
    return number


def _explained(body: bytes, error: json.JSONDecodeError) -> str:
    if not body.strip():
        return "it is empty"
    if body.startswith(b"\xef\xbb\xbf"):
        return "it begins with a byte order mark"
    if body.lstrip().startswith(b"<"):
        return "it is an HTML or XML page"
    return f"{error.msg} at line {error.lineno}, column {error.colno}"
