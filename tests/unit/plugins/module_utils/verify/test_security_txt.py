# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
from datetime import datetime, timezone

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.documents.security_txt import (  # noqa: E501 - one name
    LIMIT,
    judge_security_txt,
    judge_text,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding
from ansible_collections.homestead.matrix.plugins.module_utils.verify.redirect_chain import follow
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import Fault
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    NO_CONNECTION,
    FakeTransport,
    Reply,
)
from hypothesis import given
from hypothesis import strategies as st

URL = "https://example.com/.well-known/security.txt"
NOW = datetime(2030, 1, 1, tzinfo=timezone.utc)
CONTACT, EXPIRES = "Contact: mailto:security@example.com\n", "Expires: 2030-06-01T00:00:00.000Z\n"
WHOLE = f"""# Our security address
{CONTACT}Contact: https://example.com/report
{EXPIRES}Encryption: openpgp4fpr:5f2de5521c63a801ab59ccb603d49de44b29100f
Acknowledgments: https://example.com/thanks
Preferred-Languages: en, de
Canonical: {URL}
Policy: https://example.com/policy
Hiring: https://example.com/jobs
CSAF: https://example.com/csaf
"""
SIGNED = f"""-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA512

{CONTACT}{EXPIRES}- - a line with a hyphen: yes
-----BEGIN PGP SIGNATURE-----

iHUEARYKAB0WIQ
-----END PGP SIGNATURE-----
"""
PLAIN = (("Content-Type", "text/plain; charset=utf-8"),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(WHOLE, [], id="whole"),
        pytest.param(WHOLE.replace("\n", "\r\n"), [], id="with CRLF"),
        pytest.param(SIGNED.replace("- - a line with a hyphen: yes\n", ""), [], id="signed"),
        pytest.param(SIGNED, ["line 3 is neither"], id="signed, a line that is no field"),
        pytest.param(f"contact:tel:+1-201-555-0123\n{EXPIRES}", [], id="lower case, no space"),
        pytest.param(f"{CONTACT}Expires: 2030-06-01t00:00:00+02:00", [], id="no last line end"),
        pytest.param(EXPIRES, ["no Contact"], id="no contact"),
        pytest.param(CONTACT, ["no Expires"], id="no expiry"),
        pytest.param(CONTACT + EXPIRES * 2, ["2 Expires"], id="two expiries"),
        pytest.param(f"{CONTACT}Expires: 1 June 2030", ["not a date"], id="another date"),
        pytest.param(f"{CONTACT}Expires: 2030-06-31T00:00:00Z", ["not a date"], id="no such day"),
        pytest.param(f"{CONTACT}Expires: 2030-06-01T00:00:00", ["not a date"], id="no zone"),
        pytest.param(
            f"{CONTACT}Expires: 2029-12-31T23:59:59Z", ["expired on 2029-12-31"], id="expired"
        ),
        pytest.param(
            f"Contact: security@example.com\n{EXPIRES}", ["Contact is not a URI"], id="no mailto"
        ),
        pytest.param(
            f"Contact: http://example.com/\n{EXPIRES}", ["Contact is not https"], id="http"
        ),
        pytest.param(
            f"{CONTACT}{EXPIRES}Preferred-Languages: en\nPreferred-Languages: de\n",
            ["Preferred-Languages twice"],
            id="languages twice",
        ),
        pytest.param(
            f"{CONTACT}{EXPIRES}Canonical: https://example.org/.well-known/security.txt\n",
            ["Canonical does not list"],
            id="belongs elsewhere",
        ),
        pytest.param(
            f"{CONTACT}{EXPIRES}Canonical: https://a.org/\nCanonical: {URL}\n",
            [],
            id="belongs here too",
        ),
        pytest.param(f"{CONTACT}{EXPIRES}hello\n", ["line 3 is neither"], id="no field"),
        pytest.param(f"{CONTACT}{EXPIRES}Policy:\n", ["line 3 is neither"], id="no value"),
        pytest.param("x" * (LIMIT + 1), ["larger than 32 KiB"], id="large"),
        pytest.param("", ["no Contact", "no Expires"], id="empty"),
    ],
)
def test_text(text: str, words: list[str]) -> None:
    faults = judge_text(text.encode(), NOW, urls=[URL]).faults
    assert len(faults) == len(words), faults
    assert all(word in fault for word, fault in zip(words, faults))


def test_other_encodings_are_a_fault() -> None:
    assert judge_text("Contact: ü".encode("latin-1"), NOW, urls=[URL]).faults == (
        "it is not UTF-8",
    )


def judged(reply: Reply, *, target: str = URL) -> Finding:
    moved = Reply(302, headers=(("Location", target),))
    replies = {target: reply} if target == URL else {URL: moved, target: reply}
    chain = asyncio.run(follow(FakeTransport(replies=replies), URL))
    return judge_security_txt(chain, NOW)


def plain(text: str, kind: str = "text/plain; charset=utf-8") -> Reply:
    return Reply(body=text.encode(), headers=(("Content-Type", kind),))


@pytest.mark.parametrize(
    ("reply", "verdict", "words"),
    [
        pytest.param(plain(WHOLE), "ok", "expires on 2030-06-01", id="whole"),
        pytest.param(plain(WHOLE, "text/plain"), "ok", "", id="no charset"),
        pytest.param(plain(WHOLE, 'text/plain;charset="UTF-8"'), "ok", "", id="quoted charset"),
        pytest.param(plain(WHOLE, "text/html"), "warning", "Content-Type is text/html", id="type"),
        pytest.param(plain(WHOLE, "text/plain; charset=latin1"), "warning", "charset", id="latin"),
        pytest.param(plain("<html>", "text/html"), "info", "No security.txt", id="a page"),
        pytest.param(Reply(404), "info", "No security.txt", id="not published"),
        pytest.param(Reply(403), "info", "No security.txt", id="forbidden"),
        pytest.param(NO_CONNECTION, "skipped", "refused", id="no answer"),
        pytest.param(
            Reply(error=Fault("tls", "not trusted")), "skipped", "not trusted", id="not trusted"
        ),
        pytest.param(
            plain(f"{CONTACT}Expires: 2031-06-01T00:00:00Z"), "info", "2031-06-01", id="far ahead"
        ),
        pytest.param(plain(CONTACT), "warning", "no Expires", id="fault"),
    ],
)
def test_verdict(reply: Reply, verdict: str, words: str) -> None:
    finding = judged(reply)
    assert finding.verdict == verdict
    assert words in finding.message


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        pytest.param("https://www.example.com/security.txt", "ok", id="on https"),
        pytest.param("http://example.com/security.txt", "info", id="off https"),
    ],
)
def test_redirects(target: str, verdict: str) -> None:
    assert judged(plain(WHOLE), target=target).verdict == verdict


FIELDS = st.sampled_from(["Contact:", "Expires: ", "Canonical: https://[", "-----BEGIN PGP", "\r"])


@given(st.binary() | st.lists(FIELDS | st.text()).map(lambda parts: "\n".join(parts).encode()))
def test_any_text_is_judged(body: bytes) -> None:
    assert judge_text(body, NOW, urls=[URL]).faults


@given(st.from_regex(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)\Z"))
def test_any_date_is_judged(text: str) -> None:
    judged(plain(f"{CONTACT}Expires: {text}"))
