# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody is invited by the playbook and registers, in a browser on the homeserver's own page.

A client that has no field for a token opens that page, and finishes when its stage is done:
https://spec.matrix.org/v1.16/client-server-api/#fallback

`CINNY_BUNDLE` names the directory of a built Cinny (`npx vite build`), a real client; then somebody
follows a link to it as well.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import zxingcpp
from ansible_collections.homestead.matrix.tests.lab.browsers import browser, hindered
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, HOSTNAME, Lab
from ansible_collections.homestead.matrix.tests.lab.runs import Run
from people import PASSWORD, Gate, ok
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

PERSON = "visitor"
USER = f"{PERSON}{secrets.token_hex(4)}"
EXPIRED = f"expired-{secrets.token_hex(8)}"
REGISTER = f"https://{HOSTNAME}/_matrix/client/v3/register"
STAGE = "m.login.registration_token"
PAGE = f"https://{HOSTNAME}/_matrix/client/v3/auth/{STAGE}/fallback/web"
REFUSAL = "Error: Invalid registration token"
LOG = "invitation.log"
CINNY = os.environ.get("CINNY_BUNDLE")
SITE = "/var/www/site"
SNIPPET = "/etc/nginx/snippets/matrix-page.conf"
KEPT = f"/etc/homestead/secrets/registration_token_{PERSON}"
"""Where the host remembers the token, because the invitation has a name."""


@dataclass(frozen=True)
class Invited:
    """What the operator got."""

    run: Run
    qr: Path

    @property
    def token(self) -> str:
        """Return the token as the text shows it."""
        (server, token) = re.findall(r"^ +type: (\S+)$", self.run.output, re.MULTILINE)
        assert server == DOMAIN
        return str(token)


@pytest.fixture(scope="module")
def end(server: Lab) -> datetime:
    """Make a token that holds for some seconds, and return when it ends."""
    end = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=15)
    token = {"token": EXPIRED, "expiry": end.isoformat()}
    server.module("matrix", "homestead.matrix.registration_token", **token)
    return end


@pytest.fixture(scope="module")
def invited(server: Lab, end: datetime) -> Iterator[Invited]:
    """Invite one person, at the highest verbosity."""
    assert end
    qr = server.state / "visitor.png"
    qr.unlink(missing_ok=True)
    options = (f"-e person={PERSON}", "-e uses=1", "-e expires=7d", f"-e qr={qr.name}")
    log = {"ANSIBLE_LOG_PATH": str(server.state / LOG)}
    run = server.play_alone("invite", "-vvvv", "--diff", *options, environment=log)
    assert run.status == 0, run.output[-8000:]
    yield Invited(run, qr)
    qr.unlink()
    (server.state / LOG).unlink()


@dataclass(frozen=True)
class Client:
    """A client that knows nothing of tokens, and shows the homeserver's page for them."""

    lab: Lab
    page: WebDriver
    user: str

    def register(self, *tokens: str) -> tuple[list[str], dict[str, Any]]:
        """Type these tokens, one after the other; return what the page says, and the outcome."""
        session = self.ask({})["session"]
        self.page.get(f"{PAGE}?session={session}")
        said = [self.typed(token) for token in tokens]
        return said, self.ask({"auth": {"type": "m.login.dummy", "session": session}})

    def ask(self, more: dict[str, Any]) -> dict[str, Any]:
        return asyncio.run(self._ask({"username": self.user, "password": PASSWORD, **more}))

    async def _ask(self, body: dict[str, Any]) -> dict[str, Any]:
        async with Gate(self.lab).client(self.user, DOMAIN) as client:
            assert isinstance(client.client_session, aiohttp.ClientSession)
            async with client.client_session.post(REGISTER, json=body) as answer:
                told: dict[str, Any] = await answer.json()
                return told

    def typed(self, token: str) -> str:
        """Type a token into the page, and return what the next page says."""
        field = self.page.find_element(By.NAME, "token")
        field.send_keys(token)
        self.page.find_element(By.CSS_SELECTOR, "input[type=submit]").click()
        WebDriverWait(self.page, 20).until(staleness_of(field))
        return str(self.page.find_element(By.TAG_NAME, "body").text)


def test_somebody_registers_on_the_page_and_nobody_else(
    server: Lab, end: datetime, invited: Invited
) -> None:
    """A guessed and an expired token are refused, as the right one is once it is used."""
    with browser(server) as page:
        time.sleep(max(0, end.timestamp() + 1 - time.time()))
        said, outcome = Client(server, page, USER).register("guessed", EXPIRED, invited.token)
        assert [REFUSAL in text for text in said] == [True, True, False]
        assert "Thank you" in said[-1]
        assert outcome["user_id"] == f"@{USER}:{DOMAIN}"
        said, outcome = Client(server, page, f"{USER}too").register(invited.token)
        assert REFUSAL in said[0]
        assert "access_token" not in outcome
        assert hindered(page) == []


def test_the_token_is_shown_once_and_to_nobody_else(server: Lab, invited: Invited) -> None:
    assert invited.run.output.count(invited.token) == 1
    places = [server.state, Path.home() / ".ansible"]
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    assert LOG in {file.name for file in files}
    assert [file for file in files if invited.token.encode() in file.read_bytes()] == []
    find = "grep -rslF --file=- /etc /root /tmp /var/log /var/lib/homestead"
    assert server.shell("matrix", find, stdin=invited.token).split() == [KEPT]


def test_the_code_says_what_the_text_says(invited: Invited) -> None:
    (code,) = zxingcpp.read_barcodes(Image.open(invited.qr))
    assert f"\n{code.text}\n" in invited.run.output
    assert invited.qr.stat().st_mode & 0o777 == 0o600


def test_a_used_invitation_is_not_shown_again_and_is_withdrawn(
    server: Lab, invited: Invited
) -> None:
    again = server.play("invite", person=PERSON)
    assert again.status != 0
    assert f"The invitation of '{PERSON}' has been used" in again.output
    withdrawn = server.play("invite", person=PERSON, withdraw=True)
    assert (withdrawn.status, withdrawn.recap("matrix")["changed"]) == (0, 1)
    assert invited.token not in again.output + withdrawn.output
    assert server.attempt("matrix", "test", "-e", KEPT).returncode != 0
    assert invited.token not in server.run("matrix", "journalctl", "--no-pager")


@contextmanager
def cinny(lab: Lab) -> Iterator[None]:
    """Serve Cinny instead of the base domain's own page."""
    pack = ["tar", "--create", f"--directory={CINNY}", "."]
    bundle = subprocess.run(pack, check=True, capture_output=True).stdout
    reload = "systemctl reload nginx"
    lab.shell("base", f"cp -a {SITE} {SITE}.own && tar -xC {SITE}", stdin=bundle)
    lab.write("base", SNIPPET, "error_page 404 =200 /index.html;\n")
    lab.shell("base", reload)
    try:
        yield
    finally:
        lab.shell("base", f"rm -r {SITE} {SNIPPET}; mv {SITE}.own {SITE}; {reload}")


async def log_in(lab: Lab, user: str) -> None:
    async with Gate(lab).client(user, DOMAIN) as client:
        ok(await client.login(PASSWORD))


@pytest.mark.skipif(CINNY is None, reason="CINNY_BUNDLE is not set")
def test_somebody_follows_a_link_to_a_real_client(server: Lab) -> None:
    run = server.play("invite", cinny=f"https://{DOMAIN}")
    (link,) = re.findall(r"^https://\S+$", run.output, re.MULTILINE)
    user = f"{USER}link"
    with cinny(server), browser(server) as page:
        page.get(link)
        waiting = WebDriverWait(page, 60)
        waiting.until(lambda it: it.find_elements(By.NAME, "tokenInput"))
        typed = {"username": user, "password": PASSWORD, "confirmPassword": PASSWORD}
        for name, text in typed.items():
            page.find_element(By.NAME, f"{name}Input").send_keys(text)
        page.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
        waiting.until(lambda it: "/register/" not in it.current_url)
    asyncio.run(log_in(server, user))
