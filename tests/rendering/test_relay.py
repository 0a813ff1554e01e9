# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run says of a relay: the program that it leaves on the host, and relays that are wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.authority import (
    Authority,
)
from homeserver import FILES, PLACEHOLDER, role
from nginx_rendering import free_port

PROGRAM = FILES / "relay.py"
AUTHORITY = Authority.make()
PASSWORD = "correct-horse-battery"
ACCOUNT = ("matrix", PASSWORD)
DENIED = "554 5.7.1 Relay access denied"


class Box:
    """Decides what the relay takes; nothing may be sent."""

    def __init__(self, recipient: str) -> None:
        self.recipient = recipient

    async def handle_RCPT(self, *_seen: Any) -> str:  # noqa: N802 - aiosmtpd's name
        return self.recipient

    async def handle_DATA(self, *_seen: Any) -> str:  # noqa: N802
        raise AssertionError


def authenticated(*seen: Any) -> AuthResult:
    account = LoginPassword(*(part.encode() for part in ACCOUNT))
    return AuthResult(success=seen[-1] == account, handled=False)


@contextmanager
def relay(
    folder: Path,
    *,
    name: str = "localhost",
    recipient: str = "250 OK",
    wrapped: bool = False,
    encrypts: bool = True,
    trusted: bool = True,
) -> Iterator[int]:
    """Run a relay on a free port."""
    authority = AUTHORITY if trusted else Authority.make("Somebody else")
    context = authority.issue(name).context(folder) if encrypts else None
    controller = Controller(
        Box(recipient),
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=authenticated,
        auth_require_tls=not wrapped,  # for which it would want STARTTLS
        **{"ssl_context" if wrapped else "tls_context": context},
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def ask(
    folder: Path,
    port: int,
    tls: str = "starttls",
    *,
    user: str = "matrix",
    password: str = PASSWORD,
) -> str:
    """Return what the program says, nothing if the relay would send."""
    command = [sys.executable, str(PROGRAM), "--", "localhost", str(port), tls, "m@a.test", user]
    trust = {"SSL_CERT_FILE": AUTHORITY.write(folder), "RELAY_PASSWORD": password}
    done = subprocess.run(
        command, env={**os.environ, **trust}, capture_output=True, text=True, check=False
    )
    assert not done.stdout
    assert (done.returncode == 0) == (done.stderr == "")
    return done.stderr.strip().replace(str(port), "PORT")


@pytest.mark.parametrize(
    ("given", "tls"),
    [
        pytest.param({}, "starttls", id="encryption by STARTTLS"),
        pytest.param({"wrapped": True}, "implicit", id="encryption at once"),
        pytest.param(
            {"recipient": "550 5.1.1 User unknown"}, "starttls", id="a sender that gets no e-mail"
        ),
    ],
)
def test_a_relay_that_would_send(given: dict[str, Any], tls: str, tmp_path: Path) -> None:
    with relay(tmp_path, **given) as port:
        assert ask(tmp_path, port, tls) == ""


HERE = "the relay localhost"
DIFFERENT = f"{HERE} does not begin encryption at port PORT in that way; look at port and tls"


@pytest.mark.parametrize(
    ("given", "asked", "said"),
    [
        pytest.param(
            {},
            {"password": "wrong"},
            f"{HERE} says: 535 5.7.8 Authentication credentials invalid",
            id="a wrong password",
        ),
        pytest.param(
            {"recipient": DENIED, "encrypts": False},
            {"user": "", "tls": "none"},
            f"{HERE} says: {DENIED}",
            id="no account",
        ),
        pytest.param(
            {"recipient": DENIED}, {"user": ""}, f"{HERE} says: {DENIED}", id="no account either"
        ),
        pytest.param(
            {"encrypts": False},
            {"tls": "none"},
            f"{HERE} takes no password at port PORT; look at port and tls, or leave the user out",
            id="an account that nobody asks for",
        ),
        pytest.param(
            {"encrypts": False},
            {},
            f"{HERE} offers no STARTTLS at port PORT; try port 465, tls implicit",
            id="no encryption",
        ),
        pytest.param({}, {"tls": "implicit"}, DIFFERENT, id="encryption in another way"),
        pytest.param(
            {"trusted": False},
            {},
            f"{HERE} shows a certificate that does not hold: unable to get local issuer "
            "certificate",
            id="a certificate of somebody else's",
        ),
        pytest.param(
            {"name": "other.test", "wrapped": True},
            {"tls": "implicit"},
            f"{HERE} shows a certificate that does not hold: Hostname mismatch, certificate is not "
            "valid for 'localhost'",
            id="a certificate for another name",
        ),
    ],
)
def test_what_is_wrong_with_a_relay(
    given: dict[str, Any], asked: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with relay(tmp_path, **given) as port:
        assert ask(tmp_path, port, **asked) == said


def test_a_relay_that_is_not_there(tmp_path: Path) -> None:
    said = ask(tmp_path, free_port())
    assert said == f"{HERE} does not answer at port PORT: Connection refused"


@pytest.mark.parametrize(
    ("mode", "connection", "words"),
    [
        pytest.param(
            "closed with e-mail",
            {"smtp_port": 25, "enable_tls": False, "force_tls": False},
            ["10.0.0.5", 25, "none", "matrix@example.com", ""],
            id="none",
        ),
        pytest.param(
            "email",
            {"smtp_port": 587, "enable_tls": True, "force_tls": False},
            ["mail.example.com", 587, "starttls", "matrix@example.com", ""],
            id="upgraded",
        ),
        pytest.param(
            "email with an account",
            {"smtp_port": 465, "enable_tls": True, "force_tls": True},
            ["mail.example.com", 465, "implicit", "matrix@example.com", "matrix"],
            id="at once",
        ),
    ],
)
def test_a_run_asks_as_synapse_does(
    mode: str, connection: dict[str, Any], words: list[Any]
) -> None:
    """The password is in the environment of the question, not among its words."""
    own = role(mode)
    email = own.value("_synapse_settings.email")
    assert {**email, **connection} == email
    assert email["require_transport_security"] == connection["enable_tls"]
    (command,) = own.value("_synapse_relay_commands")
    assert command["argv"] == ["/usr/local/sbin/homestead-relay", "--", *words]
    secret = {key: PLACEHOLDER.findall(text) for key, text in command["environment"].items()}
    assert secret == ({"RELAY_PASSWORD": ["smtp"]} if words[-1] else {})
    assert bool(command["inputs"]) == bool(words[-1])


def test_a_percent_sign_is_none_of_synapses_own() -> None:
    sender = role("closed with e-mail").value("_synapse_settings.email.notif_from")
    assert sender % {"app": "Matrix"} == "50% Club <matrix@example.com>"
