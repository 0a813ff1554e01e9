# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter homestead.matrix.plan."""

from __future__ import annotations

DOCUMENTATION = r"""
name: plan
short_description: Take the plan of a Matrix server from its site
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Returns what the operator must know and do before there is a server,
    that is ports, DNS records, documents, redirects with ready text for web servers,
    what a stranger on the internet will see, and what the host publishes past its firewall.
  - The form is stable and described in C(docs/plan.md) and C(docs/plan.schema.json).
positional: _input
options:
  _input:
    description: What P(homestead.matrix.site#filter) returns.
    type: dict
    required: true
  published:
    description:
      - Ports that the host leads past its firewall, as RV(homestead.matrix.host#module:published)
        tells them.
      - Without a value nobody looked.
    type: list
    elements: dict
  keys:
    description:
      - The public halves of the host's keys, as RV(homestead.matrix.host#module:public_keys) has
        them.
      - A DNS record of a key that is not there yet has no value.
    type: dict
seealso:
  - plugin: homestead.matrix.site
    plugin_type: filter
  - plugin: homestead.matrix.plan_text
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write the plan
  ansible.builtin.copy:
    content: "{{ 'example.com' | homestead.matrix.site | homestead.matrix.plan | to_nice_json }}"
    dest: plan.json
    mode: "0644"
"""

RETURN = r"""
_value:
  description:
    - A dictionary with C(format), C(domain), C(hostname), C(ports), C(dns_records),
      C(well_known), C(redirects), C(expectations), C(bots), C(snippets) and C(published).
  type: dict
"""

from typing import Callable

from ..plugin_utils.plan.operators_plan import plan


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return them by name."""
        return {"plan": plan}
