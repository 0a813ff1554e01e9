# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name server of the private network in the lab; the network itself is WireGuard's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.homestead.matrix.tests.lab.labs import Lab

BLOCKED = "ads.example.net"


def variables(lab: Lab) -> dict[str, Any]:
    """Return what the inventory says: a list of one name."""
    path = lab.state / "blocked"
    path.write_text(f"# a list of the lab's\n0.0.0.0 {BLOCKED}\n", encoding="ascii")
    return {"dnsmasq_block_lists": [str(path)]}


@contextmanager
def surroundings(lab: Lab) -> Iterator[None]:
    """Leave the lab as it is."""
    del lab
    yield
