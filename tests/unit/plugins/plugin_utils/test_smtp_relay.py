# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay for e-mail to users: what may be written, and what it means."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site
from ansible_collections.homestead.matrix.plugins.plugin_utils.plan.operators_plan import (
    plan,
    text,
)

SMTP: dict[str, object] = {"host": "smtp.example.com", "from": "matrix@example.com"}
BRIDGE = {
    "components": ["postmoogle"],
    "bridge_admins": ["@alice:example.com"],
    "postmoogle_domains": ["example.com"],
    "postmoogle_sha256": "a" * 64,
}


def mail(**given: object) -> Any:
    return site("example.com", {"smtp": {**SMTP, **given}})["mail"]


@pytest.mark.parametrize(
    ("given", "connection"),
    [
        pytest.param({}, (587, "starttls"), id="nothing said"),
        pytest.param({"tls": "starttls"}, (587, "starttls"), id="upgraded"),
        pytest.param({"tls": "implicit"}, (465, "implicit"), id="at once"),
        pytest.param({"port": 465}, (465, "implicit"), id="its port alone"),
        pytest.param({"port": "2525"}, (2525, "starttls"), id="a port of its own"),
        pytest.param({"tls": "implicit", "port": 8465}, (8465, "implicit"), id="both"),
        pytest.param({"tls": "none", "host": "localhost"}, (25, "none"), id="on the host"),
        pytest.param({"tls": "none", "host": "10.0.0.5"}, (25, "none"), id="a private network"),
        pytest.param({"tls": "none", "host": "fd00::5"}, (25, "none"), id="one of IPv6"),
    ],
)
def test_port_and_encryption_follow_each_other(
    given: dict[str, object], connection: tuple[int, str]
) -> None:
    found = mail(**given)
    assert (found["port"], found["tls"]) == connection


@pytest.mark.parametrize(
    ("sender", "header"),
    [
        pytest.param("m@example.com", "m@example.com", id="an address"),
        pytest.param("Club <m@example.com>", "Club <m@example.com>", id="with a name"),
        pytest.param("Küche <m@example.com>", "=?utf-8?b?S8O8Y2hl?= <m@example.com>", id="umlaut"),
    ],
)
def test_the_sender_is_fit_for_a_header(sender: str, header: str) -> None:
    found = mail(**{"from": sender})
    assert (found["sender"].lower(), found["address"]) == (header.lower(), "m@example.com")


def test_its_password_is_not_in_what_follows_from_the_description() -> None:
    found = site("example.com", {"smtp": {**SMTP, "user": "m", "password": "correct horse"}})
    assert "correct horse" not in repr(found)


HOST = "write only its name, like smtp.example.com."
SENDER = "write from like matrix@example.com."
LINE = "The password of matrix_smtp must be one line of text; put it in quotes."
ENDING = (
    "write starttls or implicit, or as host localhost or an address of your private network, "
    "like 10.0.0.5."
)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        pytest.param(
            {"hots": "a"},
            "matrix_smtp has no key 'hots'; write host, port, tls, user, password or from.",
            id="a key that nobody knows",
        ),
        pytest.param(
            {"host": "smtp://smtp.example.com"},
            f"matrix_smtp cannot have the host 'smtp://smtp.example.com'; {HOST}",
            id="an address of the web for a host",
        ),
        pytest.param({"host": ""}, f"matrix_smtp cannot have the host ''; {HOST}", id="no host"),
        pytest.param(
            {"port": "smtp"},
            "The port of matrix_smtp cannot be 'smtp'; write a number from 1 to 65535.",
            id="a port that is no number",
        ),
        pytest.param(
            {"port": 65536},
            "The port of matrix_smtp cannot be 65536; write a number from 1 to 65535.",
            id="a port that there is not",
        ),
        pytest.param(
            {"tls": "ssl"},
            "The tls of matrix_smtp cannot be 'ssl'; choose starttls, implicit or none.",
            id="encryption of another name",
        ),
        pytest.param(
            {"tls": False, "host": "localhost"},
            "The tls of matrix_smtp cannot be False; choose starttls, implicit or none.",
            id="a word that YAML took for false",
        ),
        pytest.param(
            {"tls": "starttls", "port": 465},
            "matrix_smtp has the port 465 with tls 'starttls', but there encryption begins at "
            "once; write tls: implicit, or port: 587.",
            id="the port of the other encryption",
        ),
        pytest.param(
            {"tls": "none"},
            "matrix_smtp has tls 'none', with which everybody on the way to 'smtp.example.com' "
            f"reads passwords and links; {ENDING}",
            id="no encryption to a name",
        ),
        pytest.param(
            {"tls": "none", "host": "8.8.8.8"},
            "matrix_smtp has tls 'none', with which everybody on the way to '8.8.8.8' reads "
            f"passwords and links; {ENDING}",
            id="no encryption to a public address",
        ),
        pytest.param({"password": "a"}, "matrix_smtp has a password but no user.", id="no user"),
        pytest.param(
            {"user": 1234},
            "matrix_smtp cannot have the user 1234; write its name in quotes, or leave it out.",
            id="a user that is a number",
        ),
        pytest.param({"user": "a", "password": "correct\nhorse"}, LINE, id="two lines"),
        pytest.param({"user": "a", "password": None}, LINE, id="a password that is null"),
        pytest.param(
            {"from": "Matrix"},
            f"matrix_smtp cannot have the sender 'Matrix'; {SENDER}",
            id="a sender without an address",
        ),
        pytest.param(
            {"from": "A\nBcc: b@example.com <a@example.com>"},
            "matrix_smtp cannot have the sender 'A\\nBcc: b@example.com <a@example.com>'; "
            f"{SENDER}",
            id="a sender that is more than one header",
        ),
    ],
)
def test_what_is_refused(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=r".*") as refused:
        mail(**given)
    assert str(refused.value) == sentence


def hinted(**given: Any) -> dict[str, str]:
    return {hint["name"]: hint["hint"] for hint in plan(site("example.com", given))["mail_hints"]}


def test_the_plan_tells_what_the_dns_should_say() -> None:
    assert hinted() == {}
    found = hinted(smtp={**SMTP, "from": "Club <m@mail.example.org>"})
    assert list(found) == [
        "mail.example.org",
        "(selector)._domainkey.mail.example.org",
        "_dmarc.mail.example.org",
    ]
    assert "in the one record v=spf1" in found["mail.example.org"]
    assert "SPF: what the operator of smtp.example.com names" in text(
        plan(site("example.com", {"smtp": SMTP}))
    )


def test_the_plan_does_not_contradict_the_records_of_the_bridge_to_e_mail() -> None:
    """There is one record of SPF for a name, and one of DMARC; of DKIM there are many."""
    found = hinted(smtp=SMTP, **BRIDGE)
    assert list(found) == ["example.com", "(selector)._domainkey.example.com"]
    assert "into the record above, before its -all" in found["example.com"]
    assert len(hinted(smtp={**SMTP, "from": "m@example.org"}, **BRIDGE)) == 3
