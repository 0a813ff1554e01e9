# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter homestead.matrix.plan_text."""

from __future__ import annotations

DOCUMENTATION = r"""
name: plan_text
short_description: Write the plan of a Matrix server for people
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Writes a plan as text for a terminal. Programs read the plan itself.
positional: _input
options:
  _input:
    description: What P(homestead.matrix.plan#filter) returns.
    type: dict
    required: true
seealso:
  - plugin: homestead.matrix.plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the plan
  ansible.builtin.debug:
    msg: "{{ my_plan | homestead.matrix.plan_text }}"
"""

RETURN = r"""
_value:
  description: The plan as text.
  type: str
"""

from typing import Callable

from ..plugin_utils.plan.operators_plan import text


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return them by name."""
        return {"plan_text": text}
