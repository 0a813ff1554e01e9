# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail relay of others beside a finished server, and the e-mail that came by it."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, Lab
from ansible_collections.homestead.matrix.tests.lab.runs import wait_until

TOPOLOGY = Path(__file__).parent / "mail.toml"
HOST = "mail"
NAME = "relay.test"
PASSWORD = "correct-horse-battery"
"""Of the account that is made with the image."""
SENDER = f"matrix@{DOMAIN}"
SMTP = {"host": NAME, "from": f"Club <{SENDER}>", "user": "matrix", "password": PASSWORD}
LETTERS = "/home/letters/Maildir/new"
RECORD = "/etc/dnsmasq.d/relay.conf"
TRUSTED = "/usr/local/share/ca-certificates/lab.crt"


@dataclass(frozen=True)
class Relay:
    """Postfix, which keeps all e-mail for its own domain."""

    lab: Lab

    def letter(self, address: str) -> EmailMessage:
        """Wait for an e-mail to this address, take it, and return it."""
        found: list[str] = []

        def arrived() -> bool:
            search = f"grep -lsF 'To: {address}' {LETTERS}/* | head -1"
            found[:] = self.lab.shell(HOST, search).split()
            return bool(found)

        wait_until(arrived, seconds=20)
        text = self.lab.read(HOST, found[0])
        self.lab.run(HOST, "rm", found[0])
        letter = email.message_from_string(text, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        return letter

    def ask(self, port: int, tls: str, **more: Any) -> str:
        """Return what the Matrix host's own program says of it, nothing if it would send."""
        given = {"host": NAME, "user": "matrix", "password": PASSWORD, **more}
        words = ("--", given["host"], str(port), tls, SENDER, given["user"])
        program = ("env", f"RELAY_PASSWORD={given['password']}", "homestead-relay", *words)
        return self.lab.attempt("matrix", *program).stderr.decode().strip()


def link(letter: EmailMessage) -> str:
    """Return the link of an e-mail."""
    body = letter.get_body(("plain",))
    assert body is not None
    (found,) = set(re.findall(r"https://\S+", body.get_content()))
    return str(found)


@contextmanager
def relay(lab: Lab) -> Iterator[Relay]:
    """Add a relay that the Matrix host trusts, as its operator would; its host stays."""
    lab.up(only=(HOST,), topology=TOPOLOGY)
    lab.write("ns", RECORD, f"host-record={NAME},other.test,{lab.host_address(HOST)}\n")
    lab.read_names_again()
    authority = lab.authorities.read_text().partition("-----END CERTIFICATE-----")
    lab.write("matrix", TRUSTED, "".join(authority[:2]) + "\n")
    lab.run("matrix", "update-ca-certificates")
    try:
        yield Relay(lab)
    finally:
        lab.run("matrix", "rm", TRUSTED)
        lab.run("matrix", "update-ca-certificates", "--fresh")
        lab.run("ns", "rm", RECORD)
        lab.read_names_again()
