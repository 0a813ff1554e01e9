# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The administration page: an administrator's browser opens it, and strangers find nothing."""

from __future__ import annotations

import re

from ansible_collections.homestead.matrix.tests.lab.browsers import HOST, browser, hindered
from ansible_collections.homestead.matrix.tests.lab.components.together import Everything
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, HOSTNAME, Lab
from people import PASSWORD
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

ADMIN, OTHER = "pageadmin", "pageuser"
PAGE = f"https://{HOSTNAME}/admin/"
USERS = f"https://{HOSTNAME}/_synapse/admin/v2/users"
PRIVATE = (PAGE, f"{PAGE}config.json", f"{PAGE}index.html", USERS, f"https://{HOSTNAME}/admin/x/")
ELSEWHERE = f"https://{DOMAIN}/.well-known/matrix/client"
"""Where the real page looks for other settings, which it may not: the web server is another one."""
NOWHERE = f"https://{HOSTNAME}/nowhere/"


ASK = """
import socket, ssl, sys, urllib.error, urllib.request
url, family = sys.argv[1:]
every = socket.getaddrinfo
socket.getaddrinfo = lambda host, port, *_more, **_names: every(
    host, port, getattr(socket, family), socket.SOCK_STREAM)
try:
    context = ssl.create_default_context(cafile="/etc/ssl/lab.pem")
    answer = urllib.request.urlopen(url, context=context)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, answer.headers["Content-Security-Policy"], answer.read().decode())
"""


def asked(lab: Lab, host: str, url: str, *options: str) -> str:
    """Return what a host is told: the headers but for the date, and the body."""
    curl = ["curl", "--silent", "--include", "--cacert", "/etc/ssl/lab.pem", *options, url]
    return re.sub(r"(?im)^date:.*$", "", lab.run(host, *curl))


def opened(lab: Lab, url: str, family: str) -> str:
    """Return what the browser's host is told, which has no curl: status, policy, body."""
    return lab.run(HOST, "python3", "-c", ASK, url, family)


def log_in(page: WebDriver) -> str:
    """Log in as an administrator, and return what the page shows when it lists the users."""
    page.get(PAGE)
    waiting = WebDriverWait(page, 30)
    waiting.until(lambda it: it.find_elements(By.NAME, "username"))
    page.find_element(By.NAME, "username").send_keys(ADMIN)
    page.find_element(By.NAME, "password").send_keys(PASSWORD)
    button = page.find_element(By.CSS_SELECTOR, "button[type=submit]")
    waiting.until(lambda _it: button.is_enabled())
    button.click()
    waiting.until(lambda it: f"@{OTHER}:{DOMAIN}" in it.find_element(By.TAG_NAME, "body").text)
    return str(page.find_element(By.TAG_NAME, "body").text)


def assert_shut(lab: Lab) -> None:
    """See that a stranger is told what he is told where nothing is, with a token too."""
    for family in ("-4", "-6"):
        for options in ((), ("--header", "Authorization: Bearer x"), ("--request", "POST")):
            nothing = asked(lab, "vantage", NOWHERE, family, *options)
            assert " 404" in nothing.splitlines()[0]
            assert {asked(lab, "vantage", url, family, *options) for url in PRIVATE} == {nothing}


def test_the_administration_page(everything: Everything) -> None:
    """It lists the users in a browser, and is not there for others."""
    lab = everything.lab
    lab.module("matrix", "homestead.matrix.user", name=ADMIN, password=PASSWORD, admin=True)
    assert_shut(lab)
    with browser(lab) as page:
        assert f"@{ADMIN}:{DOMAIN}" in log_in(page)
        assert all(ELSEWHERE in line for line in hindered(page))
    for family in ("AF_INET", "AF_INET6"):
        assert opened(lab, PAGE, family).startswith("200 default-src 'self'")
        assert "M_MISSING_TOKEN" in opened(lab, USERS, family)
        assert "M_UNRECOGNIZED" in opened(lab, f"{PAGE}assets/", family)
