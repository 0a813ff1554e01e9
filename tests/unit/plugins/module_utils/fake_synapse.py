# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Synapse and a host's secrets in memory, for everything that asks its admin API."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any, Callable
from urllib.parse import parse_qs, unquote, urlsplit

from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.interface import (
    ADMINISTRATOR,
    UnreachableError,
)
from ansible_collections.homestead.matrix.plugins.module_utils.synapse.admin import Call, Response

SHARED_SECRET = "shared"
NONCE = "nonce"
TOKENS = "/_synapse/admin/v1/registration_tokens"
LISTS = "/_synapse/admin/v1"
USERS = "/_synapse/admin/v2/users"
EMAILS = "/_synapse/admin/v1/threepid/email/users"
ACCOUNTS = "/_synapse/admin/v2"
NEW_TOKEN = {"uses_allowed": None, "expiry_time": None, "pending": 0, "completed": 0}
NEW_USER = {"admin": False, "deactivated": False, "displayname": None, "threepids": []}

Known = dict[str, dict[str, Any]]


@dataclass
class MemorySecrets:
    """Secrets that were there, and those written since."""

    values: dict[str, str] = field(default_factory=lambda: {"synapse_registration": SHARED_SECRET})

    def read(self, name: str) -> str | None:
        return self.values.get(name)

    def write(self, name: str, value: str) -> None:
        self.values[name] = value
        if not value:
            del self.values[name]

    def names(self) -> list[str]:
        return list(self.values)


@dataclass
class FakeSynapse:
    """As much of Synapse's API as we use; it notes every request."""

    password: str | None = None
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    access_tokens: set[str] = field(default_factory=set)
    requests: list[Call] = field(default_factory=list)
    refuses: str = ""
    """The account that it does not make."""
    patience: int | None = None
    """After so many more requests it does not answer."""

    def __call__(self, request: Call) -> Response:
        self.requests.append(request)
        if self.patience is not None:
            self.patience -= 1
            if self.patience < 0:
                raise UnreachableError("Synapse does not answer")
        answers = {
            "/_matrix/client/v3/account/whoami": self._whoami,
            "/_synapse/admin/v1/register": self._register,
            "/_matrix/client/v3/login": self._login,
        }
        if request.path in answers:
            return answers[request.path](request)
        folder, _unused, name = request.path.rpartition("/")
        if request.method == "PUT" and unquote(name) == self.refuses:
            return Response(400, {"errcode": "M_INVALID_USERNAME", "error": "Wrong name"})
        if folder == EMAILS:
            return self._owner(unquote(name))
        change = _CHANGES[folder, request.method]
        places = {LISTS: self.tokens, TOKENS: self.tokens}
        known = places.get(folder, self.users)
        return change(known, unquote(name), dict(request.body or {}))

    @property
    def changes(self) -> list[str]:
        """The methods of all requests that change tokens or accounts."""
        asked = (request for request in self.requests if request.path.startswith((TOKENS, USERS)))
        return [request.method for request in asked if request.method != "GET"]

    def _owner(self, email: str) -> Response:
        known = {
            each["address"].casefold(): user_id
            for user_id, body in self.users.items()
            for each in body.get("threepids", [])
        }
        owner = known.get(email.casefold())
        return Response(200, {"user_id": owner}) if owner else Response(404)

    def _whoami(self, request: Call) -> Response:
        if request.token in self.access_tokens:
            return Response(200, {"user_id": f"@{ADMINISTRATOR}:example.com"})
        return Response(401, {"errcode": "M_UNKNOWN_TOKEN", "error": "Unknown token"})

    def _register(self, request: Call) -> Response:
        if request.method == "GET":
            return Response(200, {"nonce": NONCE})
        body: dict[str, Any] = dict(request.body or {})
        words = "\0".join([NONCE, body["username"], body["password"], "admin"])
        proof = hmac.new(SHARED_SECRET.encode(), words.encode(), hashlib.sha1).hexdigest()
        if body["mac"] != proof:
            return Response(403, {"errcode": "M_UNKNOWN", "error": "HMAC incorrect"})
        if self.password is not None:
            return Response(400, {"errcode": "M_USER_IN_USE", "error": "User ID already taken."})
        self.password = body["password"]
        return self._sign_in("registered")

    def _login(self, request: Call) -> Response:
        if (request.body or {})["password"] != self.password:
            return Response(403, {"errcode": "M_FORBIDDEN", "error": "Invalid password"})
        return self._sign_in("logged-in")

    def _sign_in(self, access_token: str) -> Response:
        self.access_tokens.add(access_token)
        return Response(200, {"access_token": access_token})


def _look(known: Known, name: str, _unused: dict[str, Any]) -> Response:
    return Response(200, known[name]) if name in known else Response(404)


def _make_token(known: Known, _unused: str, body: dict[str, Any]) -> Response:
    known[body["token"]] = {**NEW_TOKEN, **body}
    return Response(200, known[body["token"]])


def _change_token(known: Known, name: str, body: dict[str, Any]) -> Response:
    known[name].update(body)
    return Response(200, known[name])


def _forget(known: Known, name: str, _unused: dict[str, Any]) -> Response:
    del known[name]
    return Response(200)


def _put_user(known: Known, name: str, body: dict[str, Any]) -> Response:
    status = 200 if name in known else 201
    known[name] = {**NEW_USER, **known.get(name, {}), **body}
    return Response(status, known[name])


def _list(known: Known, _name: str, _body: dict[str, Any]) -> Response:
    return Response(200, {"registration_tokens": list(known.values())})


def _page(known: Known, name: str, _body: dict[str, Any]) -> Response:
    """Answer as List Accounts does, with all the accounts that it can be asked for."""
    asked = parse_qs(urlsplit(name).query)
    assert [asked[key] for key in ("guests", "deactivated", "locked")] == [
        ["false"],
        ["true"],
        ["true"],
    ]
    first, limit = int(asked["from"][0]), int(asked["limit"][0])
    users = [{"name": name, **body} for name, body in sorted(known.items())]
    body: dict[str, Any] = {"users": users[first : first + limit], "total": len(users)}
    if first + limit < len(users):
        body["next_token"] = str(first + limit)
    return Response(200, body)


_CHANGES: dict[tuple[str, str], Callable[[Known, str, dict[str, Any]], Response]] = {
    (LISTS, "GET"): _list,
    (TOKENS, "GET"): _look,
    (TOKENS, "POST"): _make_token,
    (TOKENS, "PUT"): _change_token,
    (TOKENS, "DELETE"): _forget,
    (ACCOUNTS, "GET"): _page,
    (USERS, "GET"): _look,
    (USERS, "PUT"): _put_user,
}
