#!/usr/bin/python

# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module `user`: the accounts of the homeserver."""

from __future__ import annotations

DOCUMENTATION = r"""
module: user
short_description: Make and deactivate accounts of the homeserver
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Makes accounts on a Synapse, changes their display name and rights, and deactivates them.
  - Runs on the host of the homeserver, with the account C(@homestead-admin) that
    M(homestead.matrix.registration_token) describes.
attributes:
  check_mode:
    support: full
    description: >-
      Tells what would change. Where nothing may be asked yet, because the administrator's account
      or Synapse itself does not exist, it takes it that there are no accounts.
  diff_mode:
    support: full
    description: Shows the account before and after, without the password.
options:
  name:
    description: >-
      The name of the account, alone (V(alice)) or as a Matrix ID (V(@alice:example.com)).
    type: str
    required: true
  state:
    description:
      - Whether the account shall be usable.
      - A deactivated account keeps its name, so that nobody else can take it, and can be made
        V(present) again.
    type: str
    choices: [present, deactivated]
    default: present
  admin:
    description: >-
      Whether it may use the admin API. Without it a new account may not, and one that exists
      stays as it is.
    type: bool
  displayname:
    description: >-
      The name that others see. Without it a new account shows its local name, and one that exists
      stays as it is.
    type: str
  password:
    description:
      - The password.
      - An account without one can be used by application services only, until it gets one.
    type: str
  password_secret:
    description:
      - The name of the secret of the host that is the password, instead of O(password), for a
        program on the same host. It is made if it does not exist, and never leaves the host.
      - An account in use whose secret does not exist is somebody else's, and refused.
    type: str
  update_password:
    description:
      - Whether the password is set only with a new or reactivated account (V(on_create)), or in
        every run (V(always)).
      - Nobody can see whether a password is the right one, so V(always) is a change in every run.
        It ends no sessions.
    type: str
    choices: [on_create, always]
    default: on_create
  url:
    description: Where Synapse listens on the host.
    type: str
    default: http://127.0.0.1:8008
seealso:
  - module: homestead.matrix.registration_token
"""

EXAMPLES = r"""
- name: Make the first account an administrator
  homestead.matrix.user:
    name: alice
    displayname: Alice
    admin: true
    password: "{{ vault_alice_password }}"

- name: Make an account for a program that reads its password on the host
  homestead.matrix.user:
    name: robot
    password_secret: robot_password

- name: Deactivate the account of somebody who has left
  homestead.matrix.user:
    name: "@bob:example.com"
    state: deactivated
"""

RETURN = r"""
user_id:
  description: The Matrix ID; in check mode the name as given if the server name is not known yet.
  returned: always
  type: str
admin:
  description: Whether it may use the admin API. Null if there is no account.
  returned: always
  type: bool
deactivated:
  description: Whether it is deactivated. Null if there is no account.
  returned: always
  type: bool
displayname:
  description: The name that others see, if one was set. Null if there is no account.
  returned: always
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.homeserver import accounts, connection
from ..module_utils.homeserver.host_secrets import HostSecrets
from ..module_utils.homeserver.interface import Connect, HomeserverError, Secrets
from ..module_utils.service.machine import Places
from ..module_utils.service.model import ServiceError
from ..module_utils.service.secrets import generate

PASSWORD_LENGTH = 64
ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "deactivated"], "default": "present"},
    "admin": {"type": "bool"},
    "displayname": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "password_secret": {"type": "str", "no_log": False},
    "update_password": {
        "type": "str",
        "choices": ["on_create", "always"],
        "default": "on_create",
        "no_log": False,
    },
    "url": {"type": "str", "default": "http://127.0.0.1:8008"},
}
NOTHING: dict[str, object] = dict.fromkeys(("admin", "deactivated", "displayname"))


def run(
    params: dict[str, Any], connect: Connect, secrets: Secrets, *, check_mode: bool
) -> dict[str, Any]:
    """Make the account as wished, or in check mode only say what that would change."""
    server = connect(secrets, check_mode=check_mode)
    name = params["name"]
    user_id = accounts.full_user_id(name, server.server_name) if server else name
    current = server.accounts([user_id]).get(user_id) if server else None
    secret = params["password_secret"]
    kept = _kept_password(user_id, secret, secrets, current, check_mode=check_mode)
    wish = accounts.Wish(
        state=params["state"],
        admin=params["admin"],
        displayname=params["displayname"],
        password=params["password"] or kept,
        always=params["update_password"] == "always",
    )
    changes = accounts.plan(wish, current)
    if changes is not None and server and not check_mode:
        server.change_account(user_id, changes)
    changed = changes is not None or bool(server and server.new_account == user_id)
    return _result(user_id, current, accounts.outcome(wish, current), changed=changed)


def _kept_password(
    user_id: str,
    name: str | None,
    secrets: Secrets,
    current: accounts.Account | None,
    *,
    check_mode: bool,
) -> str | None:
    """Return the password that this host keeps, made before the account: no run loses it."""
    if name is None:
        return None
    password = secrets.read(name)
    if password is None and current is not None and not current.deactivated:
        raise HomeserverError(
            f"{user_id} exists, and this host does not have its password: deactivate it if nobody "
            f"uses it, or write its password to {Places().secrets / name}, readable by root only"
        )
    if password is None:
        password = generate(PASSWORD_LENGTH)
        if not check_mode:
            secrets.write(name, password)
    return password


def _result(
    user_id: str, before: accounts.Account | None, after: accounts.Account | None, *, changed: bool
) -> dict[str, Any]:
    described = [vars(value) if value else {} for value in (before, after)]
    diff = dict(zip(("before", "after"), described))
    return {**NOTHING, **described[1], "user_id": user_id, "changed": changed, "diff": diff}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        mutually_exclusive=[("password", "password_secret")],
        supports_check_mode=True,
    )
    try:
        connect = connection.at(module.params["url"])
        result = run(module.params, connect, HostSecrets(), check_mode=module.check_mode)
    except (HomeserverError, ServiceError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
