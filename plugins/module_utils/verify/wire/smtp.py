# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A short talk with a mail server (RFC 5321), which never comes to a message."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from .transport import Channel

REPLY_LIMIT = 8192
_PIECE = 512
_LINE = re.compile(rb"(?P<code>[2-5][0-5][0-9])(?P<more>-|[ \t]|$)(?P<text>[^\r\n]*)")


class SmtpError(ValueError):
    """The server does not keep to the protocol; nothing else is ever raised here."""


@dataclass(frozen=True)
class Reply:
    """One reply: a code, and a text of one or more lines (RFC 5321 section 4.2)."""

    code: int
    lines: tuple[str, ...]

    @classmethod
    def parse(cls, data: bytes) -> Reply:
        """Read exactly one reply: all lines have one code, and only the last one has no hyphen."""
        if not data:
            raise SmtpError("no answer")
        *whole, rest = data.split(b"\n")
        found = [_LINE.fullmatch(line.rstrip(b"\r")) for line in whole]
        matches = [match for match in found if match]
        if rest or not matches or len(matches) < len(found):
            raise SmtpError("the answer is not one of SMTP")
        codes = {match["code"] for match in matches}
        ends = [match["more"] != b"-" for match in matches]
        if len(codes) > 1 or any(ends[:-1]) or not ends[-1]:
            raise SmtpError("the answer is not exactly one")
        texts = [match["text"].decode("utf-8", "backslashreplace") for match in matches]
        return cls(int(codes.pop()), tuple(texts))

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 300

    @property
    def is_refusal(self) -> bool:
        """Tell whether it says no for good (section 4.2.1), or "not authorized" (RFC 3463).

        Postfix answers 454 4.7.1 to strangers by default (defer_unauth_destination).
        """
        return self.code >= 500 or (self.code == 454 and self.lines[0].startswith("4.7.1 "))

    def offers(self, keyword: str) -> bool:
        """Tell whether an answer to EHLO names this extension (section 4.1.1.1)."""
        words = (line.split() for line in self.lines[1:])
        return any(word and word[0].upper() == keyword for word in words)

    def __str__(self) -> str:
        text = f"{self.code} {self.lines[-1] if self.lines else ''}"
        return "".join(mark if mark.isprintable() else " " for mark in text[:100]).strip()


def missing(received: bytes) -> int:
    """Return how many bytes to wait for; none once the reply ends, is too long, or is no reply."""
    for line in received.split(b"\n")[:-1]:
        match = _LINE.fullmatch(line.rstrip(b"\r"))
        if match is None or match["more"] != b"-":
            return 0
    return max(0, min(_PIECE, REPLY_LIMIT - len(received)))


class SmtpSession:
    """Speaks over one channel; whatever goes wrong is an SmtpError with one clear phrase."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def greeting(self, patience: float) -> Reply:
        """Listen for the greeting, which need not take as long as the channel would wait."""
        listening = self._channel.exchange(b"", missing=missing)
        try:
            return Reply.parse(await asyncio.wait_for(listening, patience or None))
        except asyncio.TimeoutError:
            raise SmtpError("no answer") from None

    async def say(self, command: str) -> Reply:
        payload = f"{command}\r\n".encode()
        return Reply.parse(await self._channel.exchange(payload, missing=missing))

    async def hello(self) -> Reply:
        """Say who we are, which is an address and no name (section 4.1.3)."""
        address = self._channel.local[0]
        literal = f"IPv6:{address}" if ":" in address else address
        reply = await self.say(f"EHLO [{literal}]")
        if not reply.is_positive:
            raise SmtpError(f"EHLO is answered with {reply}")
        return reply
