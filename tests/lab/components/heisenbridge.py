# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Heisenbridge in the lab: it needs nobody but Synapse to run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, Lab


def variables(_lab: Lab) -> dict[str, Any]:
    """Return what switches it on, but for the list of components."""
    return {"matrix_bridge_admins": [f"@{name}:{DOMAIN}" for name in ("ircowner", "ircsecond")]}


@contextmanager
def surroundings(_lab: Lab) -> Iterator[None]:
    """Do nothing."""
    yield
