# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain values of the description: read into a type, or refused with one sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Callable, TypeGuard, TypeVar

T = TypeVar("T")
Word = TypeVar("Word", bound=str)

HIGHEST_PORT = 65535
_YES = ("true", "yes", "on", "1")
_NO = ("false", "no", "off", "0")


class Faults:
    """Runs readers one after the other and keeps what each of them refuses."""

    def __init__(self) -> None:
        self._sentences: list[str] = []

    def read(self, reader: Callable[..., T], *arguments: object) -> T | None:
        """Return what the reader returns, or None if it refuses."""
        try:
            return reader(*arguments)
        except ValueError as error:
            self._sentences.append(str(error))
            return None

    def add(self, sentences: Sequence[str]) -> None:
        """Keep these sentences as well."""
        self._sentences.extend(sentences)

    def check(self) -> None:
        """Raise one ValueError with every sentence that was kept."""
        refuse(self._sentences)


def refuse(sentences: Iterable[str]) -> None:
    """Raise a ValueError that holds all the sentences, one a line, if there are any."""
    said = [sentence for sentence in sentences if sentence]
    if said:
        raise ValueError("\n".join(said))


def listed(names: Collection[str]) -> str:
    """Write names for a sentence: a, b or c."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def choice(variable: str, value: object, choices: Collection[Word]) -> Word:
    """Read one of the choices."""
    for each in choices:
        if value == each:
            return each
    raise ValueError(f"{variable} cannot be {value!r}; choose {listed(choices)}.")


def number(variable: str, value: object, first: int, last: int) -> int:
    """Read a whole number, which inventories in INI form write as text."""
    text = str(value).strip() if isinstance(value, (int, str)) else ""
    digits = not isinstance(value, bool) and text.isascii() and text.isdigit()
    if digits and first <= int(text) <= last:
        return int(text)
    raise ValueError(f"{variable} cannot be {value!r}; write a number from {first} to {last}.")


def port(variable: str, value: object) -> int:
    """Read a port number."""
    return number(variable, value, 1, HIGHEST_PORT)


def boolean(variable: str, value: object) -> bool:
    """Read a truth value, which the command line writes as text."""
    text = str(value).lower()
    if text in _YES or text in _NO:
        return text in _YES
    raise ValueError(f"{variable} cannot be {value!r}; write true or false.")


def items(variable: str, value: object) -> list[object]:
    """Read a list."""
    if value is None:
        return []
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return list(value)
    raise ValueError(f"{variable} must be a list, not {_kind(value)}.")


def mapping(variable: str, value: object) -> dict[str, object]:
    """Read a dictionary."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    raise ValueError(f"{variable} must be a dictionary, not {_kind(value)}.")


def is_line(value: object) -> TypeGuard[str]:
    """Tell whether a value is a text without line breaks, which may be empty."""
    return isinstance(value, str) and len(value.splitlines()) <= 1


def secret_fault(name: str, value: object) -> str:
    """Return what is wrong with a secret, without showing it."""
    return "" if is_line(value) else f"{name} must be one line of text; put it in quotes."


def _kind(value: object) -> str:
    """Name what a value is without showing what is in it, which may be secret."""
    kinds = {str: "a text", Mapping: "a dictionary", Sequence: "a list"}
    return next((word for kind, word in kinds.items() if isinstance(value, kind)), repr(value))
