# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets: born on the host, named by placeholders everywhere else."""

from __future__ import annotations

import json
import re
import string
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .keys import PUBLIC, ToolError, make_private, public_half
from .machine import Run
from .model import Secret, ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
PLACEHOLDER = re.compile(rb"@@homestead-secret:([a-z0-9][a-z0-9_.-]*)@@")
QUOTED = re.compile(rb"""(['"])@@homestead-secret:([a-z0-9][a-z0-9_.-]*)@@\1""")
SHORTEST = 8
ALPHABET = string.ascii_letters + string.digits


def placeholder(name: str) -> str:
    return f"@@homestead-secret:{name}@@"


def generate(length: int) -> str:
    from secrets import choice  # it loads much, and few tasks make a secret

    return "".join(choice(ALPHABET) for _unused in range(length))


@dataclass(frozen=True)
class Vault:
    """The secrets of this host: those that exist, and those this task would make."""

    known: dict[str, str]
    made: dict[str, str]

    def reveal(self, content: bytes) -> bytes:
        """Return the content with every placeholder replaced by its secret, also in quotes."""
        content = QUOTED.sub(lambda found: self._quoted(*found.groups()), content)
        return PLACEHOLDER.sub(lambda found: self.value(found[1].decode()).encode(), content)

    def _quoted(self, quote: bytes, name: bytes) -> bytes:
        return quote + written(self.value(name.decode()), quote.decode()).encode() + quote

    def value(self, name: str) -> str:
        value = self.made.get(name) or self.known.get(name)
        if value is None:
            raise ServiceError(f"the secret {name!r} does not exist on this host: list it")
        return value

    def mask(self, text: str) -> str:
        """Return the text with every secret replaced by its placeholder."""
        for values in (self.known, self.made):
            for name, value in values.items():
                if len(value) >= SHORTEST:
                    forms = (value, written(value, "'"), written(value, '"'))
                    for form in sorted(forms, key=len, reverse=True):
                        text = text.replace(form, placeholder(name))
        return text


def written(value: str, quote: str) -> str:
    """Return a value as YAML has it between single quotes, or JSON and YAML between double ones."""
    if quote == "'":
        return value.replace("'", "''")
    return json.dumps(value, ensure_ascii=False)[1:-1]


def generation_path(folder: Path, name: str) -> Path:
    return folder / f".{name}.generation"


def _generation(folder: Path, name: str) -> int:
    path = generation_path(folder, name)
    try:
        return int(_text(path)) if path.exists() else 1
    except ValueError:
        raise ServiceError(f"{path} must hold a whole number, the secret's generation") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise ServiceError(
            f"{path} is not text; a secret is one line of UTF-8. Mend the file, or move it away "
            "and the next run makes another secret."
        ) from None


def open_vault(folder: Path, wished: tuple[Secret, ...], run: Run, *, check: bool) -> Vault:
    """Read all secrets (they are masked in any output), make missing and outdated ones anew.

    A check may do without the program that makes keys.
    """
    files = (path for path in sorted(folder.glob("*")) if not path.name.startswith("."))
    known = {path.name: _text(path) for path in files if path.is_file()}
    known = {name: value for name, value in known.items() if value}
    made: dict[str, str] = {}
    for secret in wished:
        made.update(_made(secret, folder, known, run, check=check))
    return Vault(known, {name: value for name, value in made.items() if value})


def _made(
    secret: Secret, folder: Path, known: Mapping[str, str], run: Run, *, check: bool
) -> dict[str, str]:
    try:
        new = _new(secret, folder, known, run)
        return dict(zip(names_of(secret), (new, _public(secret, new, known, run))))
    except ToolError:
        if not check:
            raise
        return dict.fromkeys(names_of(secret), generate(secret.length))


def names_of(secret: Secret) -> list[str]:
    """Return the names under which a secret, and the public half of a key, are kept."""
    return [secret.name] if secret.kind == "text" else [secret.name, secret.name + PUBLIC]


def _public(secret: Secret, new: str, known: Mapping[str, str], run: Run) -> str:
    """Return the public half of a key that is new or has lost it; else nothing."""
    if secret.kind == "text" or not (new or secret.name + PUBLIC not in known):
        return ""
    return public_half(secret, new or known[secret.name], run)


def _new(secret: Secret, folder: Path, known: Mapping[str, str], run: Run) -> str:
    """Return the value that a secret gets now, or nothing if it keeps the one it has."""
    present = known.get(secret.name)
    if secret.given:
        if not secret.value and not present:
            raise ServiceError(
                f"nobody has given the secret {secret.name!r}: set the variable that holds it, or "
                f"write it to {folder / secret.name} on the host, readable by root only"
            )
        return secret.value if secret.value != present else ""
    kept = present and _generation(folder, secret.name) == secret.generation
    if kept:
        return ""
    return generate(secret.length) if secret.kind == "text" else make_private(secret, run)


def hide_lines(text: str, contents: Iterable[bytes]) -> str:
    """Return the text without the lines and values of these secret files."""
    lines = {line.strip() for content in contents for line in _lines(content)}
    values = {re.split(r"[:=]", line, maxsplit=1)[-1].strip("\"' ,") for line in lines}
    for words in sorted(lines | values, key=len, reverse=True):
        if len(words) >= SHORTEST:
            text = text.replace(words, "(secret)")
    return text


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").splitlines()
