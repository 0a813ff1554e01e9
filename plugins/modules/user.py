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

from ..module_utils.service.machine import Places
from ..module_utils.service.model import ServiceError
from ..module_utils.service.secrets import generate
from ..module_utils.synapse import users
from ..module_utils.synapse.admin import (
    PASSWORD_LENGTH,
    AdminError,
    Administrator,
    Call,
    HostSecrets,
    Secrets,
    Send,
    http,
    session_for,
    user_path,
)

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
    params: dict[str, Any], send: Send, secrets: Secrets, *, check_mode: bool
) -> dict[str, Any]:
    """Make the account as wished, or in check mode only say what that would change."""
    session = session_for(send, secrets, check_mode=check_mode)
    user_id = users.full_user_id(params["name"], session.server_name) if session else params["name"]
    current = _current(session, user_id)
    secret = params["password_secret"]
    kept = _kept_password(user_id, secret, secrets, current, check_mode=check_mode)
    wish = users.Account(
        state=params["state"],
        admin=params["admin"],
        displayname=params["displayname"],
        password=params["password"] or kept,
        always=params["update_password"] == "always",
    )
    request = users.plan(user_id, wish, current)
    if request and session and not check_mode:
        session.ask(request)
    changed = request is not None or bool(session and session.new_account == user_id)
    return _result(user_id, current, users.outcome(wish, current), changed=changed)


def _kept_password(
    user_id: str,
    name: str | None,
    secrets: Secrets,
    current: users.User | None,
    *,
    check_mode: bool,
) -> str | None:
    """Return the password that this host keeps, made before the account: no run loses it."""
    if name is None:
        return None
    password = secrets.read(name)
    if password is None and current is not None and not current.deactivated:
        raise AdminError(
            f"{user_id} exists, and this host does not have its password: deactivate it if nobody "
            f"uses it, or write its password to {Places().secrets / name}, readable by root only"
        )
    if password is None:
        password = generate(PASSWORD_LENGTH)
        if not check_mode:
            secrets.write(name, password)
    return password


def _current(session: Administrator | None, user_id: str) -> users.User | None:
    if session is None:
        return None
    answer = session.ask(Call("GET", user_path(user_id)))
    return users.User.parse(answer.body) if answer.status == 200 else None


def _result(
    user_id: str, before: users.User | None, after: users.User | None, *, changed: bool
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
        send = http(module.params["url"])
        result = run(module.params, send, HostSecrets(), check_mode=module.check_mode)
    except (AdminError, ServiceError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
