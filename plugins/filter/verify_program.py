# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `homestead.matrix.verify_program`."""

from __future__ import annotations

DOCUMENTATION = r"""
name: verify_program
short_description: List the files of the program that verifies a server every day
version_added: 0.1.0
description:
  - Returns the files that let a vantage run the verifier without Ansible, as
    O(homestead.matrix.service#module:files) takes them.
  - They are parts of this collection, and the directory is a program for Python.
positional: _input
options:
  _input:
    description: The directory that shall hold the program.
    type: path
    required: true
author:
  - The homestead.matrix founders (@homestead-matrix)
"""

EXAMPLES = r"""
- name: Bring the verifier
  homestead.matrix.service:
    name: verify
    files: "{{ '/usr/local/lib/verify' | homestead.matrix.verify_program }}"
"""

RETURN = r"""
_value:
  description: The files, each with C(path), C(content) and C(on_change).
  type: list
  elements: dict
"""

from typing import Callable

from ..plugin_utils.program.program import program

_MAIN = "plugins.plugin_utils.program.daily"


def verify_program(directory: str) -> list[dict[str, str]]:
    """Return the files below a directory; the next run reads them, so nobody is restarted."""
    return [
        {"path": f"{directory}/{path}", "content": text, "on_change": "none"}
        for path, text in program(_MAIN).items()
    ]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[[str], list[dict[str, str]]]]:
        """Return them by name."""
        return {"verify_program": verify_program}
