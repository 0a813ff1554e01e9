# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter homestead.matrix.accounts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: accounts
short_description: Return the accounts of a description, with their passwords
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Takes C(matrix_site), and returns who shall have an account or be an administrator, as
    M(homestead.matrix.user) has it. C(matrix_site) itself has only the names.
positional: _input
options:
  _input:
    description: The variable C(matrix_site).
    type: dict
    required: true
  admins:
    description: The variable C(matrix_admins).
    type: list
    elements: str
    default: []
  users:
    description: The variable C(matrix_users).
    type: list
    elements: dict
    default: []
  users_file:
    description: The variable C(matrix_users_file).
    type: path
    default: ""
"""

EXAMPLES = r"""
- name: Make the accounts
  homestead.matrix.user:
    users: "{{ matrix_site | homestead.matrix.accounts(admins=matrix_admins, users=matrix_users) }}"
"""

RETURN = r"""
_value:
  description: The accounts, each with C(name), C(state) and what the description says of it.
  type: list
  elements: dict
"""

from collections.abc import Mapping
from typing import Any, Callable

from ..plugin_utils.description.accounts import DEFAULTS, read_accounts
from ..plugin_utils.program.refusal import DescriptionError


def accounts(site: Mapping[str, Any], **given: object) -> list[dict[str, Any]]:
    """Return the accounts."""
    try:
        inputs = {**DEFAULTS, **given, "smtp": True}  # the filter site has judged that
        read = read_accounts(site["domain"], site["components"], inputs)
    except ValueError as error:
        raise DescriptionError(str(error)) from None
    return [account.as_user() for account in read]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return them by name."""
        return {"accounts": accounts}
