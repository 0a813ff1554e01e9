# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether browsers will use nothing but https from now on (RFC 6797)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..evidence import seen
from ..findings import Check, Finding
from ..wire.hosts import is_address
from ..wire.recorder import Taken
from ..wire.transport import Exchange
from .sites import Sites

HSTS = Check(
    "web.hsts",
    "web",
    "RFC 6797 section 6.1",
    "Send 'Strict-Transport-Security: max-age=31536000' with every answer, once, "
    "and from the web server only.",
)
_HEADER = "Strict-Transport-Security"
_EXCERPT = 100
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_DIRECTIVE = re.compile(
    rf"\s*(?:(?P<name>{_TOKEN})\s*(?:=\s*(?P<value>{_TOKEN}|\"(?:\\.|[^\"\\])*\")\s*)?)?(?:;|\Z)"
)
_SECONDS = re.compile(r"[0-9]+")


def judge_hsts(taken: Iterable[Taken], sites: Sites, *, planned: bool) -> list[Finding]:
    """Judge the answers of the base URL's server; browsers ignore the header of an address."""
    answers = [
        item.exchange
        for item in taken
        if item.answered and item.secure and (item.host, item.port) == (sites.host, sites.port)
    ]
    if not answers or is_address(sites.host):
        return []
    for answer in answers:
        if fault := hsts_fault(answer):
            values = [value[:_EXCERPT] for value in answer.header(_HEADER)[:_EXCERPT]]
            message = f"{answer.request.url}: {fault}."
            return [HSTS.warning(message, exchange=seen(answer), values=values)]
    return [_presence(answers, sites.host, planned=planned)]


def _presence(answers: list[Exchange], host: str, *, planned: bool) -> Finding:
    lacking = [answer for answer in answers if not answer.header(_HEADER)]
    if not lacking:
        value = answers[0].header(_HEADER)[0]
        return HSTS.ok(f"{host} tells browsers to use nothing but https.", value=value[:_EXCERPT])
    if len(lacking) < len(answers):
        message = f"{host} tells browsers to use nothing but https, though not with every answer."
        urls = sorted({answer.request.url for answer in lacking})
        return HSTS.info(message, without=urls[:_EXCERPT])
    note = HSTS.warning if planned else HSTS.info
    return note(f"{host} does not tell browsers to use nothing but https (no {_HEADER}).")


def hsts_fault(exchange: Exchange) -> str:
    """Say what is wrong with the header of an answer; nothing if it is right or not there."""
    lines = exchange.header(_HEADER)
    if not lines:
        return ""
    if len(lines) > 1:
        return f"the header {_HEADER} is there {len(lines)} times"
    directives = parse(lines[0])
    shown = lines[0][:_EXCERPT]
    if directives is None or not _SECONDS.fullmatch(directives.get("max-age", "")):
        return f"the header {_HEADER} is malformed: {shown!r}"
    if not directives["max-age"].strip("0"):
        return f"the header {_HEADER} is {shown!r}, which takes the protection away"
    return ""


def parse(value: str) -> dict[str, str] | None:
    """Return the directives by lower-case name; None if the value is malformed (section 6.1)."""
    found: dict[str, str] = {}
    position = 0
    while position < len(value):
        directive = _DIRECTIVE.match(value, position)
        if not directive:
            return None
        position = directive.end()
        name = (directive["name"] or "").lower()
        if name in found:
            return None
        if name:
            found[name] = (directive["value"] or "").strip('"')
    return found
