# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single sign-on in a browser, by the documented example: one Workspace comes in, others do not."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.homestead.matrix.tests.lab import identity
from ansible_collections.homestead.matrix.tests.lab.browsers import browser
from ansible_collections.homestead.matrix.tests.lab.components.together import Everything
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, HOSTNAME, Lab
from people import PASSWORD
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

CLIENT = f"https://{HOSTNAME}/_matrix/client/v3"
LOGIN = f"https://{HOSTNAME}/_matrix/static/client/login/"
"""Synapse's own page, for clients that have none for a way to log in."""
LOGGED_IN = "onLogin"
"""What that page says in the browser's log once it has an access token."""
REFUSED = "You are not allowed to log in here."
ACCOUNTS = "runuser -u matrix-synapse -- psql -At synapse -c 'select name from users'"


def shown(page: WebDriver) -> str:
    return str(page.find_element(By.TAG_NAME, "body").text)


def said(page: WebDriver) -> str:
    """Return what pages have said in the browser's log since it was last asked for."""
    return str(page.execute("getLog", {"type": "browser"})["value"])


def go_on(page: WebDriver) -> None:
    page.find_element(By.CSS_SELECTOR, "[type=submit]").click()


def choose_the_provider(page: WebDriver) -> None:
    page.get(LOGIN)
    button = page.find_element(By.CSS_SELECTOR, "#sso_form [type=submit]")
    WebDriverWait(page, 30).until(lambda _it: button.is_displayed())
    button.click()


def come_as(page: WebDriver, email: str) -> None:
    """Log in as whoever has this address at the provider, up to where the server has its say."""
    waiting = WebDriverWait(page, 30)
    choose_the_provider(page)
    waiting.until(lambda it: it.find_elements(By.NAME, "login"))
    assert identity.NAME in page.current_url
    page.find_element(By.NAME, "login").send_keys(email)
    page.find_element(By.NAME, "password").send_keys(PASSWORD)
    go_on(page)
    waiting.until(lambda it: "Authorize" in shown(it))
    go_on(page)
    waiting.until(lambda it: HOSTNAME in it.current_url)


def posted(lab: Lab, url: str, body: dict[str, Any]) -> dict[str, Any]:
    curl = ["curl", "--silent", "--cacert", "/etc/ssl/lab.pem", "--data", json.dumps(body), url]
    answer: dict[str, Any] = json.loads(lab.run("vantage", *curl))
    return answer


def test_the_people_of_one_workspace_come_in(everything: Everything) -> None:
    """An account appears, once; others read that they may not; for all else it stays closed."""
    lab = everything.lab
    before = lab.shell("matrix", ACCOUNTS).split()
    with browser(lab) as page:
        come_as(page, f"workspace@{DOMAIN}")
        WebDriverWait(page, 30).until(lambda it: LOGGED_IN in said(it))
        choose_the_provider(page)  # which knows them now, and asks nothing
        WebDriverWait(page, 30).until(lambda it: LOGGED_IN in said(it))
    with browser(lab) as page:
        come_as(page, f"workspace@elsewhere.{DOMAIN}")
        WebDriverWait(page, 30).until(lambda it: REFUSED in shown(it))
    after = lab.shell("matrix", ACCOUNTS).split()
    assert sorted(after) == sorted([*before, f"@workspace:{DOMAIN}"])
    body = {"username": "nobody", "password": PASSWORD, "auth": {"type": "m.login.dummy"}}
    assert posted(lab, f"{CLIENT}/register", body)["errcode"] == "M_FORBIDDEN"
    assert everything.first.status == 0  # and the verifier has seen that mode
