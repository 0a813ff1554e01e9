# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter homestead.matrix.blocked_names."""

from __future__ import annotations

DOCUMENTATION = r"""
name: blocked_names
short_description: Read which names a name server shall not look up
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Reads block lists, files of the controller, and returns the names in them, each once and in
    order.
  - Each line holds one name, or as in C(/etc/hosts) an address that leads nowhere, like C(0.0.0.0),
    and names. What follows a C(#) is left out, and so is C(localhost).
  - Other lines are left out with one warning for each list.
positional: _input
options:
  _input:
    description: The paths of the lists.
    type: list
    elements: path
    required: true
"""

EXAMPLES = r"""
- name: Show how many names are blocked
  ansible.builtin.debug:
    msg: "{{ [inventory_dir ~ '/ads.txt'] | homestead.matrix.blocked_names | length }}"
"""

RETURN = r"""
_value:
  description: The names.
  type: list
  elements: str
"""

from collections.abc import Sequence
from typing import Callable

from ansible.utils.display import Display

from ..plugin_utils.description.dnsmasq import BlockList, block_list


def blocked_names(paths: Sequence[str]) -> list[str]:
    """Return the names, and warn of lines that are left out."""
    found: set[str] = set()
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as lines:
            read = block_list(lines)
        found |= read.names
        if read.wrong:
            Display().warning(f"{path}: {left_out(read)}")
    return sorted(found)


def left_out(read: BlockList) -> str:
    """Say which lines hold no name to block."""
    (number, text), count = read.wrong[0], len(read.wrong)
    if count == 1:
        return f"line {number}, {text!r}, is left out: it holds no name to block."
    return (
        f"{count} lines are left out, because they hold no name to block; the first is line "
        f"{number}, {text!r}."
    )


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return them by name."""
        return {"blocked_names": blocked_names}
