#!/usr/bin/python
# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module homestead.matrix.redirects."""

from __future__ import annotations

DOCUMENTATION = r"""
module: redirects
short_description: See that the web server of this host serves redirects
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Asks the web server of this host for every path with the site's name, and fails with one
    sentence if an answer is not the redirect that it should be, or lacks
    C(Access-Control-Allow-Origin), or has it twice.
  - Does nothing in check mode, where the redirects may not be in place yet.
options:
  name:
    description: The name of the site.
    type: str
    required: true
  address:
    description: The address on which the web server answers.
    type: str
    default: 127.0.0.1
  port:
    description: The port on which the web server answers with TLS.
    type: int
    default: 443
  redirects:
    description: What must be served.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: The path to ask for.
        type: str
        required: true
      to:
        description: The URL it leads to.
        type: str
        required: true
      status:
        description: The status of the answer.
        type: int
        default: 302
  timeout:
    description: Seconds within which the web server must serve them.
    type: float
    default: 10
attributes:
  check_mode:
    description: Asks nothing in check mode.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: See that the redirects are served
  homestead.matrix.redirects:
    name: example.com
    redirects:
      - path: /.well-known/matrix/server
        to: https://matrix.example.com/.well-known/matrix/server
"""

RETURN = r"""
# nothing but what every module returns
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.base_domain.redirects import (
    OPTIONS,
    Redirect,
    asker,
    wait,
)

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "address": {"type": "str", "default": "127.0.0.1"},
    "port": {"type": "int", "default": 443},
    "redirects": {"type": "list", "elements": "dict", "required": True, "options": OPTIONS},
    "timeout": {"type": "float", "default": 10},
}


def main() -> None:
    """See that they are served."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    given = module.params
    if not module.check_mode:
        ask = asker(given["name"], given["address"], given["port"])
        fault = wait([Redirect(**each) for each in given["redirects"]], ask, given["timeout"])
        if fault:
            module.fail_json(
                msg=f"https://{given['name']}{fault}; another rule of the site may come first."
            )
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
