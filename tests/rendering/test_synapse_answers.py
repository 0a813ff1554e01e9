# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin modules with a real Synapse, configured by the role."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from email import message_from_bytes

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from ansible_collections.homestead.matrix.plugins.module_utils.homeserver.interface import (
    HomeserverError,
)
from ansible_collections.homestead.matrix.plugins.modules import user
from homeserver import REGISTER, TOKEN, Homeserver, ask, homeserver_of
from nginx_rendering import free_port


class Mailbox:
    """Takes every message, as a relay does (aiosmtpd calls this)."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 aiosmtpd's
        content = envelope.original_content or b""
        parts = message_from_bytes(content).walk()
        payloads = [bytes(part.get_payload(decode=True) or b"") for part in parts]
        self.texts.append("\n".join(payload.decode() for payload in payloads))
        return "250 OK"


@pytest.fixture(scope="module")
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    """Return a mailbox, and the port at which it takes messages."""
    box, port = Mailbox(), free_port()
    relay = Controller(box, hostname="127.0.0.1", port=port)
    relay.start()
    yield box, port
    relay.stop()


@pytest.fixture(scope="module")
def homeserver(
    tmp_path_factory: pytest.TempPathFactory, mailbox: tuple[Mailbox, int]
) -> Iterator[Homeserver]:
    mail = {"smtp_host": "127.0.0.1", "smtp_port": mailbox[1], "notif_from": "matrix@example.com"}
    with homeserver_of("invite", tmp_path_factory.mktemp("synapse"), email=mail) as running:
        yield running


def test_somebody_registers_with_a_token_of_ours(homeserver: Homeserver) -> None:
    token = homeserver.token(name="club", uses_allowed=1)["token"]
    wish = {"username": "carol", "password": "a long password"}
    session = ask(f"{homeserver.url}{REGISTER}", wish)["session"]
    for kind, more in ((TOKEN, {"token": token}), ("m.login.dummy", {})):
        auth = {"type": kind, "session": session, **more}
        answer = ask(f"{homeserver.url}{REGISTER}", {**wish, "auth": auth})
    assert answer["user_id"] == "@carol:example.com"
    used = homeserver.token(name="club")
    assert (used["completed"], used["usable"]) == (1, False)


def test_a_token_lives_and_goes(homeserver: Homeserver) -> None:
    made = homeserver.token(name="life", uses_allowed=3, expiry="2099-01-01")
    assert made["changed"]
    again = homeserver.token(name="life", uses_allowed=3, expiry="2099-01-01")
    assert (again["changed"], again["token"]) == (False, made["token"])
    listed = {one["name"]: one for one in homeserver.token(state="listed")["tokens"]}
    assert listed["life"]["token"] == made["token"]
    assert (listed["life"]["expiry"], listed["life"]["usable"]) == ("2099-01-01T23:59:59Z", True)
    lifted = homeserver.token(name="life", uses_allowed=-1, expiry="never")
    assert (lifted["changed"], lifted["uses_allowed"], lifted["expiry"]) == (True, -1, "never")
    assert homeserver.token(name="life", state="absent", check_mode=True)["changed"]
    assert homeserver.token(name="life", state="absent")["changed"]
    assert not homeserver.token(name="life", state="absent")["changed"]


def test_an_account_lives_and_goes(homeserver: Homeserver) -> None:
    wish = {"name": "alice", "displayname": "Alice", "admin": True, "password": "one password"}
    assert homeserver.user(**wish, check_mode=True)["changed"]
    assert homeserver.user(**wish)["changed"]
    assert not homeserver.user(**wish)["changed"]
    assert homeserver.login("alice", "one password")["user_id"] == "@alice:example.com"
    assert homeserver.user(name="alice", state="deactivated")["changed"]
    assert not homeserver.user(name="alice", state="deactivated")["changed"]
    assert homeserver.login("alice", "one password")["errcode"] == "M_FORBIDDEN"
    homeserver.finish_first_start()
    assert homeserver.user(**wish)["changed"]
    assert not homeserver.user(**wish)["changed"]
    assert homeserver.login("alice", "one password")["user_id"] == "@alice:example.com"


def test_a_password_is_set_again_and_sessions_stay(homeserver: Homeserver) -> None:
    homeserver.user(name="bob", password="one password")
    session = homeserver.login("bob", "one password")["access_token"]
    wish = {"name": "bob", "password": "another password", "update_password": "always"}
    assert homeserver.user(**wish)["changed"]
    whoami = f"{homeserver.url}/_matrix/client/v3/account/whoami?access_token={session}"
    assert ask(whoami)["user_id"] == "@bob:example.com"
    assert "access_token" in homeserver.login("bob", "another password")


def test_many_accounts_are_made_at_once_and_each_can_log_in(homeserver: Homeserver) -> None:
    names = [f"member{number}" for number in range(40)]
    common = {"state": "present", "update_password": "on_create"}
    nothing = dict.fromkeys(user.ACCOUNT)
    users = [{**nothing, **common, "name": name, "generate_password": True} for name in names]
    homeserver.user(name=names[0], state="deactivated")
    assert homeserver.user(users=users)["changed"]
    assert not homeserver.user(users=users)["changed"]
    for name in names[:3]:
        password = homeserver.passwords.read(name)
        assert password
        assert homeserver.login(name, password)["user_id"] == f"@{name}:example.com"


RESET = "/_matrix/client/v3/account/password"


def test_whoever_reads_the_mail_sets_a_password(
    homeserver: Homeserver, mailbox: tuple[Mailbox, int]
) -> None:
    wish = {"name": "erin", "email": "Erin@example.org"}
    assert homeserver.user(**wish)["changed"]
    assert not homeserver.user(**wish)["changed"]
    client = {"client_secret": "of-the-client"}
    asked = {**client, "email": "erin@example.org", "send_attempt": 1}
    sid = ask(f"{homeserver.url}{RESET}/email/requestToken", asked)["sid"]
    link = re.search(r"https://matrix\.example\.com(/\S+submit_token\?\S+)", mailbox[0].texts[-1])
    assert link
    page, _mark, query = link[1].replace("&amp;", "&").partition("?")
    with urllib.request.urlopen(f"{homeserver.url}{page}", query.encode()) as confirmed:
        assert confirmed.status == 200
    auth = {"type": "m.login.email.identity", "threepid_creds": {**client, "sid": sid}}
    assert ask(f"{homeserver.url}{RESET}", {"new_password": "chosen by erin", "auth": auth}) == {}
    assert homeserver.login("erin", "chosen by erin")["user_id"] == "@erin:example.com"


def test_an_address_is_added_to_others_and_taken_from_nobody(homeserver: Homeserver) -> None:
    first = {"name": "frank", "email": "frank@example.org"}
    homeserver.user(**first)
    assert homeserver.user(name="frank", email="f@example.org")["changed"]
    assert not homeserver.user(**first)["changed"]
    with pytest.raises(HomeserverError, match=r"^f@example\.org belongs to @frank:example\.com"):
        homeserver.user(name="grace", email="f@example.org")
    assert homeserver.user(name="frank", state="deactivated")["changed"]
    assert homeserver.user(name="grace", email="f@example.org")["changed"]


def test_a_lost_access_token_is_replaced(homeserver: Homeserver) -> None:
    homeserver.token(name="lost")
    homeserver.secrets.write("synapse_admin_token", "unknown")
    assert not homeserver.token(name="lost")["changed"]
    assert homeserver.secrets.read("synapse_admin_token") != "unknown"


def test_the_administrator_stays_one(homeserver: Homeserver) -> None:
    with pytest.raises(HomeserverError, match="demote"):
        homeserver.user(name="homestead-admin", admin=False)
