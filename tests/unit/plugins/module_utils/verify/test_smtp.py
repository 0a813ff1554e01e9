# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replies of mail servers: read whole, or refused with one clear phrase."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.smtp import (
    REPLY_LIMIT,
    Reply,
    SmtpError,
    missing,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        pytest.param(b"220 mail\r\n", Reply(220, ("mail",)), id="one line"),
        pytest.param(b"250\r\n", Reply(250, ("",)), id="a code alone"),
        pytest.param(b"250-a\r\n250-B c\r\n250 d\r\n", Reply(250, ("a", "B c", "d")), id="lines"),
        pytest.param(b"220 mail\n", Reply(220, ("mail",)), id="without a carriage return"),
        pytest.param(b"550 \xff\r\n", Reply(550, ("\\xff",)), id="no UTF-8"),
    ],
)
def test_reply(data: bytes, reply: Reply) -> None:
    assert Reply.parse(data) == reply
    assert missing(data) == 0


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"220 mail", id="no end of line"),
        pytest.param(b"250-more\r\n", id="no last line"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", id="another protocol"),
        pytest.param(b"220mail\r\n", id="no space"),
        pytest.param(b"199 x\r\n", id="no such code"),
        pytest.param(b"250-a\r\n550 b\r\n", id="two codes"),
        pytest.param(b"220 go\r\n220 ahead\r\n", id="two replies"),
        pytest.param(b"220 go\r\nEHLO x\r\n", id="something after the reply"),
        pytest.param(b"220 go\r\n\x16\x03\x01", id="bytes after the reply"),
    ],
)
def test_what_is_no_reply(data: bytes) -> None:
    with pytest.raises(SmtpError):
        Reply.parse(data)


@pytest.mark.parametrize(
    ("data", "is_complete"),
    [
        pytest.param(b"", False, id="nothing yet"),
        pytest.param(b"220 mai", False, id="half a line"),
        pytest.param(b"250-more\r\n", False, id="more to come"),
        pytest.param(b"250-more\r\n25", False, id="half of the last line"),
        pytest.param(b"HTTP/1.1 400\r\n", True, id="another protocol"),
        pytest.param(b"x" * REPLY_LIMIT, True, id="a line without end"),
        pytest.param(b"250-x\r\n" * (REPLY_LIMIT // 7) + b"250-", True, id="lines without end"),
    ],
)
def test_when_to_stop_reading(data: bytes, is_complete: bool) -> None:
    assert (missing(data) == 0) is is_complete
    assert missing(data) <= max(0, REPLY_LIMIT - len(data))


@pytest.mark.parametrize(
    ("lines", "offered"),
    [
        pytest.param(("mail", "STARTTLS"), True, id="last"),
        pytest.param(("mail", "SIZE 10", "starttls", "HELP"), True, id="in small letters"),
        pytest.param(("STARTTLS",), False, id="the name of the host"),
        pytest.param(("mail", "XSTARTTLS"), False, id="another word"),
        pytest.param(("mail", "", "  "), False, id="empty lines"),
    ],
)
def test_extensions(lines: tuple[str, ...], offered: bool) -> None:
    assert Reply(250, lines).offers("STARTTLS") is offered


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        pytest.param(b"550 5.7.1 Relaying denied", True, id="for good"),
        pytest.param(b"530 5.7.0 Authentication required", True, id="log in first"),
        pytest.param(b"454 4.7.1 <a@b>: Relay access denied", True, id="Postfix's default"),
        pytest.param(b"454 TLS not available", False, id="another 454"),
        pytest.param(b"450 4.7.1 Greylisted", False, id="greylisted"),
        pytest.param(b"250 OK", False, id="taken"),
    ],
)
def test_refusals(line: bytes, refused: bool) -> None:
    assert Reply.parse(line + b"\r\n").is_refusal is refused


def test_what_is_shown_of_a_reply_is_short_and_printable() -> None:
    shown = str(Reply.parse(b"550 \x1b[31m" + b"x" * 400 + b"\r\n"))
    assert shown.startswith("550  [31mx")
    assert len(shown) <= 100


@given(st.binary(max_size=300))
def test_any_bytes_give_a_reply_or_the_one_error(data: bytes) -> None:
    assert 0 <= missing(data) <= REPLY_LIMIT
    with contextlib.suppress(SmtpError):
        assert 200 <= Reply.parse(data).code < 600
