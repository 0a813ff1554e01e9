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
    description:
      - The name of the account, alone (V(alice)) or as a Matrix ID (V(@alice:example.com)).
      - Either this or O(users) is required.
    type: str
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
  email:
    description:
      - An e-mail address that the account gets besides those it has, and that counts as proven.
      - Where Synapse sends e-mail (C(matrix_smtp)), whoever reads it sets a password by the link
        that clients offer to those who have forgotten theirs.
      - One that belongs to another account is refused.
    type: str
  password:
    description:
      - The password.
      - An account without one can be used by application services, and by people through single
        sign-on, but not by a password until it gets one.
    type: str
  generate_password:
    description:
      - Whether the host makes the password and leaves it in the file
        C(/var/lib/homestead/passwords/NAME), readable by root only.
      - Hand it on and remove the file; no run makes another one for an account that exists. The
        file goes if the account is deactivated.
    type: bool
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
  users:
    description:
      - Many accounts in one task, each with the options above, which then say nothing by
        themselves. The homeserver makes several at a time and is asked for all at once, so that
        hundreds take seconds where nothing changes.
      - What cannot be made keeps no other account from it; the task fails at the end, and the next
        run finishes the work, also that of a run which was killed.
    type: list
    elements: dict
    suboptions:
      name:
        description: As O(name).
        type: str
        required: true
      state:
        description: As O(state).
        type: str
        choices: [present, deactivated]
        default: present
      admin:
        description: As O(admin).
        type: bool
      displayname:
        description: As O(displayname).
        type: str
      email:
        description: As O(email).
        type: str
      password:
        description: As O(password).
        type: str
      generate_password:
        description: As O(generate_password).
        type: bool
      password_secret:
        description: As O(password_secret).
        type: str
      update_password:
        description: As O(update_password).
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

- name: Make the accounts of the members
  homestead.matrix.user:
    users:
      - {name: bob, displayname: Bob, generate_password: true}
      - {name: carol, admin: true, password: "{{ vault_carol_password }}"}

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
  returned: if O(name) is given
  type: str
admin:
  description: Whether it may use the admin API. Null if there is no account.
  returned: if O(name) is given
  type: bool
deactivated:
  description: Whether it is deactivated. Null if there is no account.
  returned: if O(name) is given
  type: bool
displayname:
  description: The name that others see, if one was set. Null if there is no account.
  returned: if O(name) is given
  type: str
password_file:
  description: The file that has the password which the host made, as long as it is there.
  returned: if O(name) is given
  type: str
users:
  description: For each of O(users) the values above, and whether it has C(changed).
  returned: if O(users) is given
  type: list
  elements: dict
  sample:
    - {user_id: "@bob:example.com", admin: false, deactivated: false, displayname: Bob,
       password_file: /var/lib/homestead/passwords/bob, changed: true}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.homeserver import connection
from ..module_utils.homeserver.accounts import Account, Wish
from ..module_utils.homeserver.host_secrets import HostSecrets
from ..module_utils.homeserver.interface import Connect, HomeserverError, Secrets
from ..module_utils.homeserver.people import PASSWORDS, Person, Registry, Settled
from ..module_utils.service.model import ServiceError

ACCOUNT: dict[str, Any] = {
    "name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "deactivated"], "default": "present"},
    "admin": {"type": "bool"},
    "displayname": {"type": "str"},
    "email": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "generate_password": {"type": "bool", "no_log": False},
    "password_secret": {"type": "str", "no_log": False},
    "update_password": {
        "type": "str",
        "choices": ["on_create", "always"],
        "default": "on_create",
        "no_log": False,
    },
}
ONE_PASSWORD = [("password", "password_secret", "generate_password")]
ARGUMENTS: dict[str, Any] = {
    **ACCOUNT,
    "users": {
        "type": "list",
        "elements": "dict",
        "options": {**ACCOUNT, "name": {"type": "str", "required": True}},
        "mutually_exclusive": ONE_PASSWORD,
    },
    "url": {"type": "str", "default": "http://127.0.0.1:8008"},
}
RELATIONS: dict[str, Any] = {
    "mutually_exclusive": [("name", "users"), *ONE_PASSWORD],
    "required_one_of": [("name", "users")],
}
NOTHING: dict[str, object] = dict.fromkeys(("admin", "deactivated", "displayname"))


def run(
    params: dict[str, Any],
    connect: Connect,
    secrets: Secrets,
    passwords: Secrets,
    *,
    check_mode: bool,
) -> dict[str, Any]:
    """Make the accounts as wished, or in check mode only say what that would change."""
    given = [params] if params["users"] is None else params["users"]
    server = connect(secrets, check_mode=check_mode)
    settled = Registry(server, secrets, passwords, check_mode).settle([_person(x) for x in given])
    if params["users"] is None:
        (one,) = settled
        return {**_told(one), "diff": _diff(_described(one.before), _described(one.after))}
    changed = [one for one in settled if one.changed]
    before = {one.user_id: _described(one.before) for one in changed}
    after = {one.user_id: _described(one.after) for one in changed}
    users = [_told(one) for one in settled]
    return {"users": users, "changed": bool(changed), "diff": _diff(before, after)}


def _person(given: dict[str, Any]) -> Person:
    always = given["update_password"] == "always"
    wish = Wish(
        given["state"],
        admin=given["admin"],
        displayname=given["displayname"],
        password=given["password"],
        always=always,
        email=given["email"],
    )
    secret, generated = given["password_secret"], bool(given["generate_password"])
    return Person(given["name"], wish, secret=secret, generated=generated)


def _told(one: Settled) -> dict[str, Any]:
    about = {"user_id": one.user_id, "password_file": one.file, "changed": one.changed}
    return {**NOTHING, **_described(one.after), **about}


def _described(account: Account | None) -> dict[str, Any]:
    return vars(account) if account else {}


def _diff(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {"before": before, "after": after}


class QuietModule(AnsibleModule):
    """A module that tells the host's log nothing of its arguments.

    Ansible hides the passwords of a list there as they are, but writes them as Python does, with a
    backslash before some characters.
    """

    def _log_invocation(self) -> None:
        return


def main() -> None:
    options = {"argument_spec": ARGUMENTS, "supports_check_mode": True, **RELATIONS}
    module = QuietModule(**options)  # type: ignore[no-untyped-call]  # Ansible's
    try:
        places = (connection.at(module.params["url"]), HostSecrets(), HostSecrets(PASSWORDS))
        result = run(module.params, *places, check_mode=module.check_mode)
    except (HomeserverError, ServiceError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
