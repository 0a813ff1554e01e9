# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets of this host, one a file, for root only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..service import nodes
from ..service.machine import Places

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class HostSecrets:
    """The secrets below a folder."""

    folder: Path = Places().secrets

    def read(self, name: str) -> str | None:
        """Return a secret, None if there is none."""
        return nodes.read(str(self.folder / name)).content.decode().strip() or None

    def write(self, name: str, value: str) -> None:
        """Remember a secret; an empty one is forgotten."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        node = nodes.Node("file", content=f"{value}\n".encode(), mode=0o600)
        nodes.write(str(self.folder / name), node if value else nodes.ABSENT)

    def names(self) -> list[str]:
        """Return the names of all secrets."""
        return sorted(path.name for path in self.folder.glob("*"))
