# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter homestead.matrix.handover."""

from __future__ import annotations

DOCUMENTATION = r"""
name: handover
short_description: Take from the site of a Matrix server what its people must know
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Returns addresses, how to register, components, bots, ports, DNS records, what to do next and
    what else to know of a finished server.
  - M(homestead.matrix.verify_report) adds what it found and writes it for people and programs.
  - The form is stable and described in C(docs/handover.md) and C(docs/handover.schema.json).
positional: _input
options:
  _input:
    description: What P(homestead.matrix.site#filter) returns.
    type: dict
    required: true
  keys:
    description:
      - The public halves of the host's keys, as RV(homestead.matrix.host#module:public_keys) has
        them.
      - A DNS record of a key that is not there yet has no value.
    type: dict
seealso:
  - plugin: homestead.matrix.site
    plugin_type: filter
  - module: homestead.matrix.verify_report
"""

EXAMPLES = r"""
- name: Show what to do next
  ansible.builtin.debug:
    msg: "{{ ('example.com' | homestead.matrix.site | homestead.matrix.handover).next }}"
"""

RETURN = r"""
_value:
  description:
    - A dictionary with C(format), C(domain), C(hostname), C(parts), C(bots), C(ports),
      C(dns_records), C(addresses), C(registration), C(next), C(hints) and C(verification),
      which is null until somebody has looked.
  type: dict
"""

from typing import Callable

from ..plugin_utils.handover.handover import handover


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return them by name."""
        return {"handover": handover}
