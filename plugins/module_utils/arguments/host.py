# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of `homestead.matrix.host`."""

from __future__ import annotations

ARGUMENTS = {
    "server_name": {"type": "str", "required": True},
    "minimum_memory_mb": {"type": "int", "default": 900},
    "minimum_disk_mb": {"type": "int", "default": 3072},
    "ports": {"type": "list", "elements": "str", "default": ["tcp 80", "tcp 443"]},
    "tunnel": {"type": "list", "elements": "str", "default": []},
    "adopt": {"type": "bool", "default": False},
    "given": {"type": "list", "elements": "str", "default": []},
    "refuse": {"type": "bool", "default": True},
    "turn_credentials": {"type": "bool", "default": False},
}
