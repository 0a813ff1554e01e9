# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A provider of single sign-on that is down, and a real Synapse."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

from homeserver import ask, homeserver_of

REDIRECT = "/_matrix/client/v3/login/sso/redirect?redirectUrl=https%3A%2F%2Fapp.example.com"
AS_PROXIED = {
    "Host": "matrix.example.com",
    "X-Forwarded-For": "192.0.2.7",
    "X-Forwarded-Proto": "https",
}


def opened(url: str) -> tuple[int, str]:
    """Return status and text of a page that a browser asks for through the web server."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, headers=AS_PROXIED), timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def test_a_provider_that_is_down_hinders_nobody_else(tmp_path: Path) -> None:
    """Synapse starts and offers it, tells who chooses it, and lets others in with passwords."""
    with homeserver_of("closed with single sign-on", tmp_path) as homeserver:
        offered = ask(f"{homeserver.url}/_matrix/client/v3/login")["flows"]
        providers = [
            flow["identity_providers"] for flow in offered if flow["type"] == "m.login.sso"
        ]
        assert providers == [[{"id": "oidc-club", "name": "club"}]]
        status, page = opened(f"{homeserver.url}{REDIRECT}")
        assert status == 503
        assert "This login provider is unavailable right now." in page
        homeserver.user(name="alice", password="one password")
        assert homeserver.login("alice", "one password")["user_id"] == "@alice:example.com"
