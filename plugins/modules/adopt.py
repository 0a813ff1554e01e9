#!/usr/bin/python
# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module homestead.matrix.adopt."""

from __future__ import annotations

DOCUMENTATION = r"""
module: adopt
short_description: Begin to take over the Synapse that others set up on a host
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Reads the configuration of a Synapse that M(homestead.matrix.host) has found and judged, and
    writes its secrets where M(homestead.matrix.service) keeps those of this host, so that the
    sessions of its users go on. They never leave the host.
  - Names the settings that are not taken over, in a warning; none of their values.
  - Notes what is to be taken over, so that a run which is killed is finished by the next one.
  - Nothing of the older Synapse is changed, and it runs on.
options:
  adoption:
    description: What is to be taken over, as RV(homestead.matrix.host#module:adoption) says it.
    type: dict
    required: true
  settings:
    description: The settings of the Synapse that takes its place, to compare them.
    type: dict
    required: true
attributes:
  check_mode:
    support: full
    description: Only reads and names the settings.
  diff_mode:
    support: none
    description: What it writes is secret.
"""

EXAMPLES = r"""
- name: Begin to take over the older Synapse
  homestead.matrix.adopt:
    adoption: "{{ matrix_host.adoption }}"
    settings: "{{ synapse_settings }}"
  when: matrix_host.adoption | length > 0
"""

RETURN = r"""
not_taken_over:
  description: Names of settings, some with the variable of the description that they follow.
  returned: always
  type: list
  elements: str
  sample: [max_upload_size (matrix_max_upload_mb), url_preview_enabled]
"""

from ..module_utils.answers.adopt import answer
from ..module_utils.arguments.adopt import ARGUMENTS
from ..module_utils.as_module import run


def main() -> None:
    run(answer, ARGUMENTS)


if __name__ == "__main__":
    main()
