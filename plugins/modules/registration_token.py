#!/usr/bin/python

# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module `registration_token`: invitations to register an account."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registration_token
short_description: Hand out invitations to register an account
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Makes, changes and withdraws the tokens with which people may register on a Synapse whose
    C(matrix_registration) is V(invite).
  - Runs on the host of the homeserver. On first use it makes the account C(@homestead-admin)
    through Synapse's registration with a shared secret; the password and the access token of that
    account are secrets of the host, C(synapse_admin_password) and C(synapse_admin_token), and
    never leave it.
  - The token itself is the result, for you to hand on, and is shown.
attributes:
  check_mode:
    support: full
    description: >-
      Tells what would change. Where nothing may be asked yet, because the account or Synapse
      itself does not exist, it takes it that there are no tokens.
  diff_mode:
    support: full
    description: Shows the limits before and after.
options:
  name:
    description:
      - A name of yours for the token, under which the host remembers the token that it made.
      - The token is the secret C(registration_token_NAME) of the host.
      - Not used with O(token).
    type: str
    default: invite
  token:
    description:
      - The token, if it is to be a certain one; up to 64 letters, digits and C(._~-).
      - Without it the host makes one that cannot be guessed.
    type: str
  state:
    description: Whether the token shall exist.
    type: str
    choices: [present, absent]
    default: present
  uses_allowed:
    description:
      - How many accounts may be registered with it; V(-1) for no limit.
      - Without it a new token has no limit, and one that exists keeps its own.
    type: int
  expiry:
    description:
      - The time at which it ends, in ISO 8601 with a time zone, such as V(2030-12-31T23:59:59Z),
        or V(never).
      - Without it a new token never ends, and one that exists keeps its own time.
    type: str
  url:
    description: Where Synapse listens on the host.
    type: str
    default: http://127.0.0.1:8008
seealso:
  - module: homestead.matrix.user
"""

EXAMPLES = r"""
- name: Invite the members of the club
  homestead.matrix.registration_token:
    name: club
    uses_allowed: 40
    expiry: "2030-12-31T23:59:59Z"
  register: invitation

- name: Show the invitation
  ansible.builtin.debug:
    msg: "Register with the token {{ invitation.token }}"

- name: Withdraw the invitation
  homestead.matrix.registration_token:
    name: club
    state: absent
"""

RETURN = r"""
token:
  description: The token; null in check mode if the host would first have to make one.
  returned: always
  type: str
uses_allowed:
  description: >-
    How many accounts may be registered with it; V(-1) for no limit. Null if there is no token.
  returned: always
  type: int
expiry:
  description: The time at which it ends, or V(never). Null if there is no token.
  returned: always
  type: str
pending:
  description: How many registrations with it have begun but not ended.
  returned: always
  type: int
completed:
  description: How many accounts were registered with it.
  returned: always
  type: int
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.homeserver import connection, tokens
from ..module_utils.homeserver.host_secrets import HostSecrets
from ..module_utils.homeserver.interface import Connect, Homeserver, HomeserverError, Secrets
from ..module_utils.service.model import ServiceError
from ..module_utils.service.secrets import generate

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "default": "invite"},
    "token": {"type": "str", "no_log": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "uses_allowed": {"type": "int"},
    "expiry": {"type": "str"},
    "url": {"type": "str", "default": "http://127.0.0.1:8008"},
}
NOTHING: dict[str, object] = dict.fromkeys(("uses_allowed", "expiry", "pending", "completed"))


def run(
    params: dict[str, Any], connect: Connect, secrets: Secrets, *, check_mode: bool
) -> dict[str, Any]:
    """Make the token as wished, or in check mode only say what that would change."""
    state = params["state"]
    wish = tokens.parse_wish(params["uses_allowed"], params["expiry"])
    server = connect(secrets, check_mode=check_mode)
    remembered = f"registration_token_{params['name']}"
    token = params["token"] or secrets.read(remembered) or ""
    if not token and state == "present" and not check_mode:
        token = generate(tokens.TOKEN_LENGTH)
        secrets.write(remembered, token)
    current = _current(server, token)
    after = tokens.outcome(state, token, wish, current)
    if after != current and server and not check_mode:
        _make(server, current, after, wish)
    if state == "absent" and not params["token"] and not check_mode:
        secrets.write(remembered, "")
    return _result(token, current, after, changed=after != current)


def _current(server: Homeserver | None, token: str) -> tokens.Token | None:
    if server is None or not token:
        return None
    return next((one for one in server.tokens() if one.token == token), None)


def _make(
    server: Homeserver, before: tokens.Token | None, after: tokens.Token | None, wish: tokens.Limits
) -> None:
    """Make the token what it shall be, by the one call that does it."""
    if before is None and after is not None:
        server.make_token(after.token, wish)
    elif before is not None and after is not None:
        server.change_token(after.token, tokens.changes(wish, before))
    elif before is not None:
        server.withdraw_token(before.token)


def _result(
    token: str, before: tokens.Token | None, after: tokens.Token | None, *, changed: bool
) -> dict[str, Any]:
    described = [value.describe() if value else {} for value in (before, after)]
    diff = dict(zip(("before", "after"), described))
    return {**NOTHING, "token": token or None, **described[1], "changed": changed, "diff": diff}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        connect = connection.at(module.params["url"])
        result = run(module.params, connect, HostSecrets(), check_mode=module.check_mode)
    except (HomeserverError, ServiceError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
