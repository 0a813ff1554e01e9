# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `homestead.matrix.secret`."""

from __future__ import annotations

DOCUMENTATION = r"""
name: secret
short_description: Name a secret of the host inside a file
version_added: 0.1.0
description:
  - Returns the placeholder that M(homestead.matrix.service) replaces on the host by its secret.
  - The secret itself never reaches the controller.
positional: _input
options:
  _input:
    description: Name of the secret.
    type: str
    required: true
author:
  - The homestead.matrix founders (@homestead-matrix)
"""

EXAMPLES = r"""
- name: A configuration with a secret in it
  homestead.matrix.service:
    name: relay
    secrets: {turn: {length: 64}}
    files:
      - path: /etc/relay.json
        document:
          secret: "{{ 'turn' | homestead.matrix.secret }}"
"""

RETURN = r"""
_value:
  description: The placeholder.
  type: str
"""

from typing import Callable

from ansible.errors import AnsibleFilterError

from ..module_utils.service.secrets import (
    NAME,
    placeholder,
)


def secret(name: object) -> str:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise AnsibleFilterError(f"{name!r} is no name of a secret: use small letters and digits")
    return placeholder(name)


class FilterModule:
    def filters(self) -> dict[str, Callable[[object], str]]:
        return {"secret": secret}
