# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dnsmasq in the lab: it asks the lab's name server, and has a block list."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.homestead.matrix.tests.lab.labs import Lab

BLOCKED = "vantage.test"
"""A name that the name server of the lab knows."""


def variables(lab: Lab) -> dict[str, Any]:
    """Return what the inventory says besides the component's name."""
    return {"dnsmasq_block_lists": [str(_block_list(lab))]}


@contextmanager
def surroundings(lab: Lab) -> Iterator[None]:
    """Write a block list on the controller."""
    _block_list(lab).write_text(f"# of the lab\n0.0.0.0 {BLOCKED}\n", encoding="ascii")
    try:
        yield
    finally:
        _block_list(lab).unlink()


def _block_list(lab: Lab) -> Path:
    return lab.state / "blocked.txt"
