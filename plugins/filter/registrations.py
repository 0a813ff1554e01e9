# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter homestead.matrix.registrations."""

from __future__ import annotations

DOCUMENTATION = r"""
name: registrations
short_description: Make the registrations of application services files
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Takes C(matrix_site) and returns the registration of each application service (Application
    Service API, Registration) as an entry for O(homestead.matrix.service#module:files).
  - The tokens are secrets of the host with the names C(appservice_ID_as) and C(appservice_ID_hs).
    Both sides have their own file with the same tokens, readable by their own group.
positional: _input
options:
  _input:
    description: The variable C(matrix_site).
    type: dict
    required: true
  directory:
    description: Where the files are, each with the name of its application service.
    type: path
    required: true
  group:
    description: The group that may read them.
    type: str
    required: true
  only:
    description: The one application service that is wanted; all of them unless told.
    type: str
"""

EXAMPLES = r"""
- name: Let Synapse know its application services
  homestead.matrix.service:
    name: synapse
    files: "{{ matrix_site | homestead.matrix.registrations(directory='/etc/x', group='synapse') }}"
"""

RETURN = r"""
_value:
  description: A list of dictionaries with C(path), C(document), C(group) and C(mode).
  type: list
  elements: dict
"""

from collections.abc import Mapping
from typing import Any, Callable

from .secret import secret

Data = dict[str, Any]


def registration(service: Mapping[str, Any]) -> Data:
    """Return a registration, its tokens as placeholders."""
    tokens = {
        f"{side}_token": secret(f"appservice_{service['id']}_{side}") for side in ("as", "hs")
    }
    return {
        "id": service["id"],
        "url": service["url"],
        **tokens,
        "sender_localpart": service["sender"],
        "rate_limited": False,
        "namespaces": {
            "users": [{"exclusive": True, "regex": service["users"]}],
            "aliases": [],
            "rooms": [],
        },
    }


def registrations(
    site: Mapping[str, Any], directory: str, group: str, only: str = ""
) -> list[Data]:
    """Return a file for each application service, or for one."""
    return [
        {
            "path": f"{directory}/{service['id']}.yaml",
            "document": registration(service),
            "group": group,
            "mode": "0640",
        }
        for service in site["application_services"]
        if only in ("", service["id"])
    ]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return them by name."""
        return {"registrations": registrations}
