#!/usr/bin/python
# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: show
short_description: Print a text on the terminal
version_added: 0.1.0
author:
  - The homestead.matrix founders (@homestead-matrix)
description:
  - Prints a text as it is, line by line, where M(ansible.builtin.debug) would quote it.
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Can run in C(check_mode) and print the same.
    support: full
  diff_mode:
    description: Nothing is changed, so there is nothing to show in diff mode.
    support: none
  platform:
    description: Runs on the controller.
    platforms: posix
    support: full
options:
  text:
    description:
      - The text to print.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Say what is to be done by hand
  homestead.matrix.show:
    text: |
      Create these DNS records:
      matrix.example.com  A  192.0.2.1
"""

RETURN = r"""#"""
