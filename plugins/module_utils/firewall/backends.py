# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall programs that can hold our rules."""

from __future__ import annotations

from .commit import Backend
from .firewalld import Firewalld
from .nftables import Nftables
from .system import System
from .ufw import Ufw


def backends(system: System) -> dict[str, Backend]:
    """Return every backend by the name that the variable ``matrix_firewall`` has for it."""
    return {"nftables": Nftables(system), "ufw": Ufw(system), "firewalld": Firewalld(system)}
