# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""People who prove an e-mail address: by a link in a letter, opened in a browser."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

import aiohttp
import nio
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, HOSTNAME, Lab
from ansible_collections.homestead.matrix.tests.lab.relays import NAME, Relay, link
from people import PASSWORD, Gate, ok
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

CLIENT = f"https://{HOSTNAME}/_matrix/client/v3"
ANOTHER = "battery-horse-correct"
PROOF = "m.login.email.identity"


class Person:
    """Somebody with an address of e-mail and a client."""

    def __init__(self, lab: Lab, relay: Relay) -> None:
        self.lab, self.relay = lab, relay
        self.name = f"reader{secrets.token_hex(4)}"
        self.address = f"{self.name}@{NAME}"

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async def posted() -> dict[str, Any]:
            async with Gate(self.lab).client(self.name, DOMAIN) as client:
                assert isinstance(client.client_session, aiohttp.ClientSession)
                async with client.client_session.post(f"{CLIENT}{path}", json=body) as answer:
                    told: dict[str, Any] = await answer.json()
                    return told

        return asyncio.run(posted())

    def log_in(self, password: str) -> nio.LoginResponse | nio.LoginError:
        async def logged_in() -> nio.LoginResponse | nio.LoginError:
            async with Gate(self.lab).client(self.name, DOMAIN) as client:
                return await client.login(password)

        return asyncio.run(logged_in())

    def asks_for_a_letter(self, path: str) -> dict[str, str]:
        """Let the server send a link for a purpose; return what the client then shows of it."""
        secret = secrets.token_hex(8)
        body = {"client_secret": secret, "email": self.address, "send_attempt": 1}
        return {
            "sid": self.post(f"{path}/email/requestToken", body)["sid"],
            "client_secret": secret,
        }

    def registers(self, credentials: dict[str, str]) -> dict[str, Any]:
        """Try to register with these credentials."""
        account = {"username": self.name, "password": PASSWORD}
        session = self.post("/register", account)["session"]
        auth = {"type": PROOF, "session": session, "threepid_creds": credentials}
        return self.post("/register", {**account, "auth": auth})

    def sets_password(self, password: str, credentials: dict[str, str]) -> dict[str, Any]:
        auth = {"type": PROOF, "threepid_creds": credentials}
        return self.post("/account/password", {"new_password": password, "auth": auth})


def opened(page: WebDriver, url: str) -> str:
    """Open a link, and return what the page says once it is confirmed, if it wants that."""
    page.get(url)
    for button in page.find_elements(By.CSS_SELECTOR, "button, input[type=submit]"):
        button.click()
        WebDriverWait(page, 20).until(staleness_of(button))
        break
    return str(page.find_element(By.TAG_NAME, "body").text)


def prove(
    person: Person, page: WebDriver, purpose: str, act: Callable[[dict[str, str]], dict[str, Any]]
) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """Act before and after the link of a letter is opened; return both answers and the page."""
    credentials = person.asks_for_a_letter(purpose)
    early = act(credentials)
    letter = person.relay.letter(person.address)
    assert letter["From"] == "Club <matrix@homestead.test>"
    said = opened(page, link(letter))
    return early, said, act(credentials)


def sign_up_and_forget_the_password(person: Person, page: WebDriver) -> None:
    """Register by e-mail, then get a new password; nobody does either without the letter."""
    early, said, account = prove(person, page, "/register", person.registers)
    assert "access_token" not in early
    assert "validated" in said
    assert account["user_id"] == f"@{person.name}:{DOMAIN}"
    early, said, reset = prove(
        person,
        page,
        "/account/password",
        lambda credentials: person.sets_password(ANOTHER, credentials),
    )
    assert early["errcode"] == "M_UNAUTHORIZED"
    assert "validated" in said
    assert reset == {}
    assert isinstance(person.log_in(PASSWORD), nio.LoginError)
    ok(person.log_in(ANOTHER))
