# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets: born on the host, named by placeholders everywhere else."""

from __future__ import annotations

import re
import secrets as random
import string
from dataclasses import dataclass
from pathlib import Path

from .model import ServiceError

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
PLACEHOLDER = re.compile(rb"@@homestead-secret:([a-z0-9][a-z0-9_.-]*)@@")
ALPHABET = string.ascii_letters + string.digits


def placeholder(name: str) -> str:
    return f"@@homestead-secret:{name}@@"


def generate(length: int) -> str:
    return "".join(random.choice(ALPHABET) for _ in range(length))


@dataclass(frozen=True)
class Vault:
    """The secrets of this host: those that exist, and those this task would make."""

    known: dict[str, str]
    made: dict[str, str]

    def reveal(self, content: bytes) -> bytes:
        """Return the content with every placeholder replaced by its secret."""
        return PLACEHOLDER.sub(self._value, content)

    def _value(self, match: re.Match[bytes]) -> bytes:
        name = match.group(1).decode()
        value = self.made.get(name) or self.known.get(name)
        if value is None:
            raise ServiceError(f"the secret {name!r} does not exist on this host: list it")
        return value.encode()

    def mask(self, text: str) -> str:
        """Return the text with every secret replaced by its placeholder."""
        for values in (self.known, self.made):
            for name, value in values.items():
                text = text.replace(value, placeholder(name))
        return text


def open_vault(folder: Path, wished: tuple[tuple[str, int], ...]) -> Vault:
    """Read all secrets (they are masked in any output) and make those that are missing."""
    files = (path for path in sorted(folder.glob("*")) if not path.name.startswith("."))
    known = {path.name: path.read_text().strip() for path in files if path.is_file()}
    known = {name: value for name, value in known.items() if value}
    made = {name: generate(length) for name, length in wished if name not in known}
    return Vault(known, made)
