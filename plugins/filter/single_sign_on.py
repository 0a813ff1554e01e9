# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter homestead.matrix.single_sign_on."""

from __future__ import annotations

DOCUMENTATION = r"""
name: single_sign_on
short_description: Make the providers of single sign-on settings, files and secrets of Synapse
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Takes C(matrix_site) and returns what Synapse's role gives to M(homestead.matrix.service).
  - The secret of each provider has a file of its own, so it is not in C(homeserver.yaml).
positional: _input
options:
  _input:
    description: The variable C(matrix_site).
    type: dict
    required: true
  providers:
    description: The variable C(matrix_oidc_providers), whose secrets are nowhere else.
    type: list
    elements: dict
    required: true
  directory:
    description: Where the files of the secrets are.
    type: path
    required: true
  group:
    description: The group that may read them.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: See what Synapse is told of the providers
  ansible.builtin.debug:
    msg: "{{ (matrix_site | homestead.matrix.single_sign_on(
      providers=matrix_oidc_providers, directory='/etc/x', group='synapse')).settings }}"
"""

RETURN = r"""
_value:
  description:
    - A dictionary with C(settings) for C(homeserver.yaml), C(files) for
      O(homestead.matrix.service#module:files) and C(secrets) for
      O(homestead.matrix.service#module:secrets).
    - All of them are empty if there is no provider.
  type: dict
"""

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from .secret import secret

Data = dict[str, Any]


def single_sign_on(
    site: Mapping[str, Any], providers: Sequence[Mapping[str, Any]], directory: str, group: str
) -> Data:
    """Return the settings, with paths in place of secrets, and what is at these paths."""
    known = site["single_sign_on"]
    entries = [
        {**each["settings"], "client_secret_path": f"{directory}/{each['secret']}"}
        for each in known
    ]
    return {
        "settings": {"oidc_providers": entries} if entries else {},
        "files": [
            {
                "path": entry["client_secret_path"],
                "content": f"{secret(each['secret'])}\n",
                "group": group,
                "mode": "0640",
                "secret": True,
            }
            for each, entry in zip(known, entries)
        ],
        "secrets": {
            each["secret"]: {"given": True, "value": given.get("client_secret") or ""}
            for each, given in zip(known, providers or ())
        },
    }


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return them by name."""
        return {"single_sign_on": single_sign_on}
