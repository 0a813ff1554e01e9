# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of `homestead.matrix.firewall`."""

from __future__ import annotations

from typing import Any

ARGUMENTS: dict[str, dict[str, Any]] = {
    "ports": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "protocol": {
                "type": "str",
                "choices": ["tcp", "udp", "ah", "esp", "gre", "ipv6", "vrrp"],
                "required": True,
            },
            "first": {"type": "int", "required": True},
            "last": {"type": "int", "required": True},
            "purpose": {"type": "str", "required": True},
            "component": {"type": "str"},
            "name": {"type": "str"},
            "sources": {"type": "list", "elements": "str", "default": []},
        },
    },
    "rules": {
        "type": "dict",
        "default": {},
        "options": {name: {"type": "dict"} for name in ("nftables", "ufw", "firewalld")},
    },
    "packages": {"type": "list", "elements": "str", "default": []},
    "rollback_seconds": {"type": "int", "default": 45},
    "phase": {"type": "str", "choices": ["apply", "confirm"], "default": "apply"},
    "token": {"type": "str", "default": "", "no_log": False},
    "over_ssh": {"type": "bool", "default": True},
}
