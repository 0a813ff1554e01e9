# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets an account from a real Synapse in each mode, and what the verifier says of it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.api.registration import (
    check_registration,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import Request
from homeserver import REGISTER, TERMS, TOKEN, Homeserver, ask, homeserver_of

if TYPE_CHECKING:
    from pathlib import Path

Stage = dict[str, Any]
DUMMY: Stage = {"type": "m.login.dummy"}
ACCEPTED: Stage = {"type": "m.login.terms"}
CREDENTIALS = {"sid": "made-up", "client_secret": "made-up"}
EMAIL = "m.login.email.identity"
UNVERIFIED: Stage = {"type": EMAIL, "threepid_creds": CREDENTIALS}
EXPIRED, FOREIGN, ONCE = "expired", "of-another-server", "once"


def with_token(token: str) -> list[Stage]:
    return [{"type": TOKEN, "token": token}, DUMMY]


WAYS: dict[str, list[Stage]] = {
    "nothing": [],
    "a step that asks for nothing": [DUMMY],
    "an unverified address": [UNVERIFIED],
    "a token of another server": with_token(FOREIGN),
    "an expired token": with_token(EXPIRED),
    "a good token": with_token(ONCE),
    "a token that is used up": with_token(ONCE),
}
ALLOWED = {
    "invite": {"a good token"},
    "closed": set(),
    "closed with single sign-on": set(),
    # Whatever else somebody sends, in the end nothing is asked of them.
    "open": {name for name, stages in WAYS.items() if DUMMY in stages},
    "email of one domain": set(),
}
FLOWS = {
    "invite": [[TOKEN, "m.login.dummy"]],
    "closed": [],
    "closed with single sign-on": [],
    "open": [["m.login.dummy"]],
    "email of one domain": [[EMAIL]],
    "open with conditions": [["m.login.recaptcha", "m.login.terms", "m.login.dummy"]],
}
SEEN = {"invite": "token", "open with conditions": "captcha"}
"""The verifier's words for modes; each other mode is called as it is."""


def sign_up(url: str, name: str, stages: list[Stage]) -> dict[str, Any]:
    """Take one stage after the other, as a client does, and return the last answer."""
    wish: dict[str, Any] = {"username": name, "password": "a long password"}
    answer = ask(f"{url}{REGISTER}", wish)
    for stage in stages if "session" in answer else []:
        auth = {**stage, "session": answer["session"]}
        answer = {**answer, **ask(f"{url}{REGISTER}", {**wish, "auth": auth})}
    return answer


def assert_verified(homeserver: Homeserver, mode: str) -> None:
    """Let the verifier tell the mode, and compare the flows that it has seen."""
    network = Network(Guard.parse(["127.0.0.0/8"]), nameservers=["127.0.0.1:9"])
    metadata = network.request(
        Request(f"{homeserver.url}/_matrix/client/v1/auth_metadata", address="127.0.0.1")
    )
    word = mode.split()[0]
    found, *_others = asyncio.run(check_registration(network, homeserver.url, word, metadata))
    assert (found.id, found.verdict) == ("registration.mode", "ok")
    assert found.evidence["mode"] == SEEN.get(mode, word)
    assert found.evidence["flows"] == FLOWS[mode]


def asked_for_a_message(url: str, address: str) -> str:
    """Return the error: nobody reaches the relay here, and some addresses do not get so far."""
    body = {"client_secret": "secret", "send_attempt": 1, "email": address}
    return str(ask(f"{url}{REGISTER}/email/requestToken", body)["errcode"])


def make_tokens(homeserver: Homeserver) -> float:
    """Make two tokens, and return when the one is past that expires."""
    expiry = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=2)
    homeserver.token(name="expired", token=EXPIRED, expiry=expiry.strftime("%Y-%m-%dT%H:%M:%SZ"))
    homeserver.token(name="once", token=ONCE, uses_allowed=1)
    return expiry.timestamp()


@pytest.mark.parametrize("mode", ALLOWED)
def test_who_gets_an_account(mode: str, tmp_path: Path) -> None:
    with homeserver_of(mode, tmp_path) as homeserver:
        expired = make_tokens(homeserver)
        assert_verified(homeserver, mode)
        if mode == "invite":  # where else it would be a good one
            time.sleep(max(0, expired - time.time()))
        answers = {
            way: sign_up(homeserver.url, f"person{number}", stages)
            for number, (way, stages) in enumerate(WAYS.items())
        }
        guest = ask(f"{homeserver.url}{REGISTER}?kind=guest", {})
        assert {way for way, answer in answers.items() if "access_token" in answer} == ALLOWED[mode]
        assert guest["error"] == "Guest access is disabled"
        denied = "M_THREEPID_DENIED" if mode.startswith("email") else "M_UNKNOWN"
        assert asked_for_a_message(homeserver.url, "alice@example.org") == "M_UNKNOWN"
        assert asked_for_a_message(homeserver.url, "mallory@example.net") == denied


class Judge(BaseHTTPRequestHandler):
    """Stands in for reCAPTCHA's service, which says whether somebody has solved a captcha.

    https://developers.google.com/recaptcha/docs/verify
    """

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = {name: values[0] for name, values in urllib.parse.parse_qs(form).items()}
        solved = (given["secret"], given["response"]) == ("made-captcha", "solved")
        answer = json.dumps({"success": solved, "hostname": "matrix.example.com"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_arguments: object) -> None:
        return


@contextmanager
def judge() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Judge) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"


def test_terms_and_a_captcha_are_asked_of_everybody(tmp_path: Path) -> None:
    """The terms are shown as they were written, whatever Synapse's templates make of such text."""
    mode = "open with conditions"
    solved, guessed = (
        {"type": "m.login.recaptcha", "response": answer} for answer in ("solved", "guessed")
    )
    with (
        judge() as url,
        homeserver_of(mode, tmp_path, recaptcha_siteverify_api=url) as homeserver,
    ):
        assert_verified(homeserver, mode)
        refused = [
            sign_up(homeserver.url, "mallory", stages)
            for stages in ([DUMMY], [ACCEPTED, DUMMY], [solved, DUMMY], [guessed, ACCEPTED, DUMMY])
        ]
        assert not [answer for answer in refused if "access_token" in answer]
        assert "access_token" in sign_up(homeserver.url, "alice", [solved, ACCEPTED, DUMMY])
        (policy,) = refused[0]["params"]["m.login.terms"]["policies"].values()
        assert policy["version"] == TERMS["version"]
        address = policy["en"]["url"].replace("https://matrix.example.com", homeserver.url)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(address) as page:
            assert TERMS["text"] in page.read().decode()
