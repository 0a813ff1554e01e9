#!/usr/bin/python
# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_report
short_description: Report what was seen of a Matrix server
version_added: 0.1.0
author:
  - The homestead.matrix founders (@homestead-matrix)
description:
  - Makes one report of what M(homestead.matrix.verify) returned, prints a table, and fails if
    something is wrong.
  - Several vantages make one report. What all of them saw alike stands there once, anything else
    names who saw it. What one could not know is left out where another one knew it.
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Can run in C(check_mode); it writes the report, and nothing makes it fail.
    support: full
  diff_mode:
    description: Nothing is changed on any host, so there is nothing to show in diff mode.
    support: none
  platform:
    description: Runs on the controller.
    platforms: posix
    support: full
options:
  looks:
    description:
      - What M(homestead.matrix.verify) returned on each vantage.
    type: list
    elements: dict
    required: true
  report_dir:
    description:
      - A directory on the controller. A directory in it, named like the server, gets the files
        C(report.json), C(report.html), C(junit.xml) and C(report.tap).
      - Without it nothing is written; the table is printed all the same.
    type: path
  handover:
    description:
      - What P(homestead.matrix.handover#filter) returns. With what was found it becomes the files
        C(handover.json), C(handover.html) and C(handover.md) in the same directory.
    type: dict
  fail_on:
    description:
      - What makes the task fail. In check mode nothing does.
      - With V(warning) errors count as well.
    type: str
    choices: [error, warning, never]
    default: error
seealso:
  - module: homestead.matrix.verify
"""

EXAMPLES = r"""
- name: Look at a server from two networks
  homestead.matrix.verify:
    server_name: example.com
    vantage: "{{ item }}"
  delegate_to: "{{ item }}"
  loop: [localhost, elsewhere]
  register: looked

- name: Report what both saw
  homestead.matrix.verify_report:
    looks: "{{ looked.results }}"
    report_dir: matrix-reports
"""

RETURN = r"""
server_name:
  description: The server name that was looked at.
  returned: success
  type: str
  sample: example.com
vantages:
  description: Who looked.
  returned: success
  type: list
  elements: str
  sample: [localhost, elsewhere]
summary:
  description: How many findings there are of each verdict.
  returned: success
  type: dict
  sample: {error: 1, warning: 0, unknown: 0, skipped: 1, info: 2, ok: 30}
verdict:
  description: The gravest verdict of all findings.
  returned: success
  type: str
  sample: error
report:
  description: The files that were written on the controller, empty without O(report_dir).
  returned: success
  type: dict
  contains:
    json:
      description: All findings as data, in the form of C(docs/report.schema.json).
      type: str
      sample: /home/alice/matrix-reports/example.com/report.json
    html:
      description: All findings as a page.
      type: str
      sample: /home/alice/matrix-reports/example.com/report.html
    junit:
      description: All findings as tests, for programs that show such.
      type: str
      sample: /home/alice/matrix-reports/example.com/junit.xml
    tap:
      description: All findings in the form of the Test Anything Protocol, version 14.
      type: str
      sample: /home/alice/matrix-reports/example.com/report.tap
handover:
  description: The files for the people of the server, empty without O(report_dir) or O(handover).
  returned: success
  type: dict
  contains:
    json:
      description: The same as data, in the form of C(docs/handover.schema.json).
      type: str
      sample: /home/alice/matrix-reports/example.com/handover.json
    html:
      description: A page.
      type: str
      sample: /home/alice/matrix-reports/example.com/handover.html
    markdown:
      description: The page as Markdown.
      type: str
      sample: /home/alice/matrix-reports/example.com/handover.md
"""
