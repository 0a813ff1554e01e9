# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Synapse, asked for accounts and registration tokens by its admin API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..homeserver.accounts import Account
from ..homeserver.tokens import Token
from .admin import Administrator, Call, Send, session_for

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ..homeserver.interface import Secrets
    from ..homeserver.tokens import Limits

FEW = 5
"""So many accounts are asked for one by one."""
PAGE = 1000
CROWD = 20
"""All accounts are listed if they are at most so many times those that are asked for."""
TOKENS = "/_synapse/admin/v1/registration_tokens"
USERS = "/_synapse/admin/v2/users"
EMAILS = "/_synapse/admin/v1/threepid/email/users"


def sign_in(send: Send, secrets: Secrets, *, check_mode: bool) -> Synapse | None:
    """Return the homeserver; in check mode nothing where our account is still missing."""
    session = session_for(send, secrets, check_mode=check_mode)
    return Synapse(session) if session else None


@dataclass(frozen=True)
class Synapse:
    """The homeserver in the terms of Homeserver."""

    session: Administrator

    @property
    def server_name(self) -> str:
        return self.session.server_name

    @property
    def new_account(self) -> str:
        return self.session.new_account

    def accounts(self, user_ids: Collection[str]) -> dict[str, Account]:
        page = self._page(0) if len(user_ids) > FEW else {}
        if not page or page["total"] > CROWD * len(user_ids):
            return self._each(user_ids)
        listed = list(page["users"])
        while "next_token" in page:
            page = self._page(int(page["next_token"]))
            listed += page["users"]
        return {each["name"]: account(each) for each in listed if each["name"] in user_ids}

    def _page(self, first: int) -> dict[str, Any]:
        kinds = "guests=false&deactivated=true&locked=true"
        return self.session.ask(Call("GET", f"{USERS}?from={first}&limit={PAGE}&{kinds}")).body

    def _each(self, user_ids: Collection[str]) -> dict[str, Account]:
        answers = {name: self.session.ask(Call("GET", user_path(name))) for name in user_ids}
        found = {name: answer.body for name, answer in answers.items() if answer.status == 200}
        return {name: account(body) for name, body in found.items()}

    def email_owner(self, email: str) -> str | None:
        kept = quote(email.casefold(), safe="")
        return self.session.ask(Call("GET", f"{EMAILS}/{kept}")).body.get("user_id")

    def change_account(self, user_id: str, changes: Mapping[str, object]) -> None:
        body = dict(changes)
        if "password" in body:
            body["logout_devices"] = False
        if "email" in body:
            address = {"medium": "email", "address": body.pop("email")}
            body["threepids"] = [*self._threepids(user_id), address]
        self.session.ask(Call("PUT", user_path(user_id), body))

    def _threepids(self, user_id: str) -> list[dict[str, Any]]:
        """Return the addresses of an account, which Synapse calls third-party identifiers."""
        answer = self.session.ask(Call("GET", user_path(user_id)))
        return list(answer.body["threepids"]) if answer.status == 200 else []

    def tokens(self) -> list[Token]:
        answer = self.session.ask(Call("GET", TOKENS))  # a token in a path would be logged
        return [token(each) for each in answer.body["registration_tokens"]]

    def make_token(self, token: str, limits: Limits) -> None:
        self.session.ask(Call("POST", token_path("new"), {"token": token, **limits}))

    def change_token(self, token: str, limits: Limits) -> None:
        self.session.ask(Call("PUT", token_path(token), limits))

    def withdraw_token(self, token: str) -> None:
        self.session.ask(Call("DELETE", token_path(token)))


def account(body: Mapping[str, Any]) -> Account:
    """Read an account; some versions say 0 and 1 for no and yes."""
    return Account(bool(body["admin"]), bool(body["deactivated"]), body.get("displayname"))


def token(body: Mapping[str, Any]) -> Token:
    return Token(**{name: body[name] for name in Token.__dataclass_fields__})


def token_path(name: str) -> str:
    return f"{TOKENS}/{quote(name, safe='')}"


def user_path(user_id: str) -> str:
    return f"{USERS}/{quote(user_id, safe='')}"
