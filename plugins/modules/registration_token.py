#!/usr/bin/python

# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module `registration_token`: invitations to register an account."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registration_token
short_description: Make, change, list and withdraw invitations to register an account
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Makes, changes, lists and withdraws the tokens with which people may register on a homeserver
    whose C(matrix_registration) is V(invite).
  - Runs on the host of the homeserver. On first use it makes the account C(@homestead-admin)
    through Synapse's registration with a shared secret; the password and the access token of that
    account are secrets of the host, C(synapse_admin_password) and C(synapse_admin_token), and
    never leave it.
  - A token is shown to nobody who does not ask for it with O(return_token), and is in no log.
  - To invite one person, C(ansible-playbook homestead.matrix.invite) is the shorter way.
attributes:
  check_mode:
    support: full
    description: >-
      Tells what would change. Where nothing may be asked yet, because the account or Synapse
      itself does not exist, it takes it that there are no tokens.
  diff_mode:
    support: full
    description: Shows the limits before and after, never the token.
options:
  name:
    description:
      - A name of yours for the token, of small letters, digits and C(._-), under which the host
        remembers the token that it made, as its secret C(registration_token_NAME).
      - Not together with O(token). Without both, each run makes another token, which the host
        does not remember.
    type: str
  token:
    description:
      - The token, if it is to be a certain one; up to 64 letters, digits and C(._~-).
      - Without it the host makes one that cannot be guessed.
    type: str
  state:
    description:
      - Whether the token shall exist.
      - With V(listed) nothing changes, and all tokens of the homeserver are returned.
    type: str
    choices: [present, absent, listed]
    default: present
  return_token:
    description:
      - Whether the result holds a token that the host has made, and with O(state=listed) all of
        them. Then the task needs C(no_log), or its output shows them.
      - Without it, and without O(token), no token is made, because nobody would know it.
    type: bool
    default: false
  uses_allowed:
    description:
      - How many accounts may be registered with it; V(-1) for no limit.
      - Without it a new token has no limit, and one that exists keeps its own.
    type: int
  expiry:
    description:
      - Until when it holds. A duration from now, as V(30m), V(12h), V(7d) or V(2w); a day to its
        end, as V(2030-12-31), in UTC unless it says another time zone, as V(2030-12-31+01:00);
        a time with its time zone, as V(2030-12-31T18:00:00+01:00); or V(never).
      - A duration is that of a token which has no end yet, so a second run does not push it on.
        See O(extend).
      - Without it a new token never ends, and one that exists keeps its own time.
    type: str
  extend:
    description: >-
      Whether a duration in O(expiry) begins now for a token that has an end already. Then every
      run is a change.
    type: bool
    default: false
  url:
    description: Where Synapse listens on the host.
    type: str
    default: http://127.0.0.1:8008
seealso:
  - module: homestead.matrix.invite
  - module: homestead.matrix.user
"""

EXAMPLES = r"""
- name: Invite the members of the club
  homestead.matrix.registration_token:
    name: club
    uses_allowed: 40
    expiry: 2030-12-31
    return_token: true
  register: invitation
  no_log: true

- name: Invite with a token of our own, for a week from its first run
  homestead.matrix.registration_token:
    token: "{{ vault_token }}"
    expiry: 7d

- name: See how many have come
  homestead.matrix.registration_token:
    state: listed
  register: invitations

- name: Withdraw the invitation
  homestead.matrix.registration_token:
    name: club
    state: absent
"""

RETURN = r"""
token:
  description: >-
    The token that the host has made; null if there is none, or in check mode if it would first
    have to be made.
  returned: if O(return_token) is true, O(token) is not given and O(state) is not V(listed)
  type: str
uses_allowed:
  description: >-
    How many accounts may be registered with it; V(-1) for no limit. Null if there is no token.
  returned: if O(state) is not V(listed)
  type: int
expiry:
  description: The time at which it ends, or V(never). Null if there is no token.
  returned: if O(state) is not V(listed)
  type: str
pending:
  description: How many registrations with it have begun but not ended.
  returned: if O(state) is not V(listed)
  type: int
completed:
  description: How many accounts were registered with it.
  returned: if O(state) is not V(listed)
  type: int
usable:
  description: Whether another account can be registered with it now. Null if there is no token.
  returned: if O(state) is not V(listed)
  type: bool
tokens:
  description: >-
    All tokens, each with the values above and with the C(name) under which the host remembers it,
    or null.
  returned: if O(state=listed)
  type: list
  elements: dict
  sample:
    - {name: club, uses_allowed: 40, expiry: "2030-12-31T23:59:59Z", pending: 0, completed: 12,
       usable: true}
"""

from datetime import datetime, timezone
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.homeserver import connection, tokens
from ..module_utils.homeserver.host_secrets import HostSecrets
from ..module_utils.homeserver.interface import Connect, Homeserver, HomeserverError, Secrets
from ..module_utils.service.model import ServiceError
from ..module_utils.service.secrets import NAME, generate

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str"},
    "token": {"type": "str", "no_log": True},
    "state": {"type": "str", "choices": ["present", "absent", "listed"], "default": "present"},
    "return_token": {"type": "bool", "default": False, "no_log": False},
    "uses_allowed": {"type": "int"},
    "expiry": {"type": "str"},
    "extend": {"type": "bool", "default": False},
    "url": {"type": "str", "default": "http://127.0.0.1:8008"},
}
NOTHING: dict[str, object] = dict.fromkeys(
    ("uses_allowed", "expiry", "pending", "completed", "usable")
)
SECRET = "registration_token_"


def run(
    params: dict[str, Any],
    connect: Connect,
    secrets: Secrets,
    now: datetime,
    *,
    check_mode: bool,
) -> dict[str, Any]:
    """Make the token as wished, or in check mode only say what that would change."""
    _refuse(params)
    wish = tokens.parse_wish(params["uses_allowed"], params["expiry"], now)
    server = connect(secrets, check_mode=check_mode)
    if params["state"] == "listed":
        return _listed(server, secrets, now, with_tokens=params["return_token"])
    token = params["token"] or _remembered(params["name"], secrets)
    current = _current(server, token)
    limits = _limits(params, wish, current, now)
    if not token and params["state"] == "present" and not check_mode:
        token = _new(params["name"], secrets)
    after = tokens.outcome(params["state"], token, limits, current)
    if server and not check_mode:
        _make(server, current, after, limits)
        _forget(params, secrets)
    described = [value.describe(now) if value else {} for value in (current, after)]
    return {
        **NOTHING,
        **({"token": token or None} if params["return_token"] and not params["token"] else {}),
        **described[1],
        "changed": after != current,
        "diff": dict(zip(("before", "after"), described)),
    }


def _refuse(params: dict[str, Any]) -> None:
    """Refuse what makes no sense together, before anybody is asked."""
    name, token, state = params["name"], params["token"], params["state"]
    if name is not None and not NAME.fullmatch(name):
        raise HomeserverError(f"name {name!r} must be small letters, digits and ._-")
    if token is not None:
        tokens.parse_token(token)
    if state == "absent" and name is None and token is None:
        raise HomeserverError("say by its name or token which invitation shall be absent")
    if state == "present" and token is None and not params["return_token"]:
        raise HomeserverError(
            "nobody would know the token that the host makes: ask for it with return_token=true, "
            "or give one with token"
        )


def _remembered(name: str | None, secrets: Secrets) -> str:
    return (secrets.read(SECRET + name) if name else None) or ""


def _new(name: str | None, secrets: Secrets) -> str:
    """Return a new token; one with a name is remembered first, so no run loses it."""
    token = generate(tokens.TOKEN_LENGTH)
    if name:
        secrets.write(SECRET + name, token)
    return token


def _current(server: Homeserver | None, token: str) -> tokens.Token | None:
    if server is None or not token:
        return None
    return next((one for one in server.tokens() if one.token == token), None)


def _limits(
    params: dict[str, Any], wish: tokens.Limits, current: tokens.Token | None, now: datetime
) -> tokens.Limits:
    """Return the limits that are wished of this token; a duration is that of one without an end."""
    if current and tokens.is_duration(params["expiry"]) and not params["extend"]:
        wish = tokens.without_a_new_end(wish, current)
    tokens.refuse_the_past(tokens.changes(wish, current), now)
    return wish


def _make(
    server: Homeserver,
    before: tokens.Token | None,
    after: tokens.Token | None,
    limits: tokens.Limits,
) -> None:
    """Make the token what it shall be, by the one call that does it, if it is not yet."""
    if after == before:
        return
    if before is None and after is not None:
        server.make_token(after.token, limits)
    elif before is not None and after is not None:
        server.change_token(after.token, tokens.changes(limits, before))
    elif before is not None:
        server.withdraw_token(before.token)


def _forget(params: dict[str, Any], secrets: Secrets) -> None:
    if params["state"] == "absent" and params["name"]:
        secrets.write(SECRET + params["name"], "")


def _listed(
    server: Homeserver | None, secrets: Secrets, now: datetime, *, with_tokens: bool
) -> dict[str, Any]:
    """Return all tokens, those first that the host remembers."""
    kept = (name for name in secrets.names() if name.startswith(SECRET))
    names = {secrets.read(name): name[len(SECRET) :] for name in kept}
    found = [
        {
            "name": names.get(one.token),
            **({"token": one.token} if with_tokens else {}),
            **one.describe(now),
        }
        for one in (server.tokens() if server else [])
    ]
    return {"changed": False, "tokens": sorted(found, key=lambda one: one["name"] or "~")}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        mutually_exclusive=[("name", "token")],
        supports_check_mode=True,
    )
    try:
        result = run(
            module.params,
            connection.at(module.params["url"]),
            HostSecrets(),
            datetime.now(timezone.utc),
            check_mode=module.check_mode,
        )
    except (HomeserverError, ServiceError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
