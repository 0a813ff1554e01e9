#!/usr/bin/python
# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: turn_credentials
short_description: Mint short-lived credentials for the TURN relay
version_added: 0.1.0
author:
  - The homestead.matrix founders (@homestead-matrix)
description:
  - Makes credentials as the homeserver gives them to its users, from the secret that it shares
    with the TURN relay.
  - The secret itself stays on the host. The credentials expire by themselves.
  - A pair that has expired comes with them, by which one sees that the relay looks at the time.
  - Register the result with C(no_log) set to V(true).
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the same, because nothing is written.
    support: full
  diff_mode:
    description: Nothing is changed, so there is nothing to show in diff mode.
    support: none
  platform:
    description: Runs on a host where M(homestead.matrix.service) keeps the secret.
    platforms: posix
    support: full
options:
  name:
    description:
      - The name of the secret.
    type: str
    default: turn
  ttl:
    description:
      - How many seconds the credentials are valid.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: Mint credentials for the TURN relay
  homestead.matrix.turn_credentials:
  register: turn
  no_log: true

- name: Verify the server with them
  homestead.matrix.verify:
    server_name: example.com
    turn_credentials: "{{ turn.credentials or omit }}"
  delegate_to: localhost
"""

RETURN = r"""
credentials:
  description: The credentials; empty if the host has no such secret.
  returned: success
  type: dict
  contains:
    username:
      description: The time of expiry and a name.
      type: str
      sample: "1700000000:homestead-verify"
    password:
      description: What the relay derives from the user name and the secret.
      type: str
      sample: yQa07DRsweg6MyAz4IGFxW2lMVI=
    ttl:
      description: How many seconds the credentials are valid.
      type: int
      sample: 600
    expired:
      description: Credentials whose time was over an hour ago, which the relay must refuse.
      type: dict
      contains:
        username:
          description: The time of expiry and a name.
          type: str
          sample: "1699996400:homestead-verify"
        password:
          description: What the relay derives from the user name and the secret.
          type: str
          sample: TBMTabqP6yxfMMzNjlQYRlHkRlY=
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.turn_credentials import (
    NAME,
    TTL,
    of_secret,
)

ARGUMENTS = {
    "name": {"type": "str", "default": NAME},
    "ttl": {"type": "int", "default": TTL},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        credentials = of_secret(module.params["name"], ttl=module.params["ttl"], now=time.time())
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"The secret cannot be read: {error}")
    module.exit_json(changed=False, credentials=credentials)


if __name__ == "__main__":
    main()
