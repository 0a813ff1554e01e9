# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON from strangers: UTF-8 without a byte order mark, bounded depth and numbers (RFC 8259)."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

DEPTH_LIMIT = 64


class _ConstantError(ValueError):
    """It has NaN or Infinity."""


@dataclass(frozen=True)
class Document:
    """A JSON value, and the keys that some object in it names twice."""

    value: Any
    duplicates: tuple[str, ...] = ()


def loads(body: bytes) -> Document:
    """Read JSON or raise a ValueError that says in one phrase what is wrong with it."""
    duplicates: list[str] = []
    try:
        value = _read(body.decode("utf-8"), duplicates)
    except UnicodeError:
        raise ValueError("it is not valid UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(_explained(body, error)) from None
    except _ConstantError:
        raise
    except ValueError:
        raise ValueError("it has a number that is too large") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if _is_deep(value):
        raise ValueError("it is nested too deeply")
    return Document(value, tuple(duplicates))


def _read(text: str, duplicates: list[str]) -> Any:
    """Read what can be written again: no half characters, no numbers that become infinite."""
    value = json.loads(
        text, object_pairs_hook=partial(_object, duplicates), parse_constant=_constant
    )
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    return value


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
    raise _ConstantError(f"{name} is not JSON")


def _explained(body: bytes, error: json.JSONDecodeError) -> str:
    if not body.strip():
        return "it is empty"
    if body.startswith(b"\xef\xbb\xbf"):
        return "it begins with a byte order mark"
    if body.lstrip().startswith(b"<"):
        return "it is an HTML or XML page"
    return f"{error.msg} at line {error.lineno}, column {error.colno}"
