# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of `homestead.matrix.verify`."""

from __future__ import annotations

from typing import Any

ARGUMENTS: dict[str, Any] = {
    "server_name": {"type": "str", "required": True},
    "expectations": {"type": "dict", "default": {}},
    "published": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "protocol": {"type": "str", "choices": ["tcp", "udp"], "required": True},
            "first": {"type": "int", "required": True},
            "last": {"type": "int", "required": True},
            "to": {"type": "str", "required": True},
        },
    },
    "turn_credentials": {
        "type": "dict",
        "options": {
            "username": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
            "ttl": {"type": "int"},
            "expired": {
                "type": "dict",
                "options": {
                    "username": {"type": "str", "required": True},
                    "password": {"type": "str", "required": True, "no_log": True},
                },
            },
        },
    },
    "ca_file": {"type": "path"},
    "nameservers": {"type": "list", "elements": "str", "default": []},
    "allow_private": {"type": "raw", "default": False},
    "timeout": {"type": "float", "default": 5.0},
    "ignore": {"type": "list", "elements": "str", "default": []},
    "vantage": {"type": "str"},
    "timer": {"type": "path"},
}
