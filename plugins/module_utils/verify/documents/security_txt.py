# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where to report a security problem: /.well-known/security.txt (RFC 9116)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

from ..evidence import excerpt, hops
from ..findings import Check, Finding
from ..redirect_chain import Chain, follow
from ..wire.transport import KIB, Exchange, Transport

SECURITY_TXT = Check(
    "well_known.security_txt",
    "well-known",
    "RFC 9116",
    "Correct the file: text/plain in UTF-8, with Contact and with one Expires in the future.",
)
LIMIT = 32 * KIB
_LINES = 1000
_SHOWN = 5
_YEAR = timedelta(days=366)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"]+")
_FIELD = re.compile(r"(?P<name>[!-9;-~]+):(?P<value>.*)")
_WEB = frozenset({"acknowledgments", "canonical", "contact", "encryption", "hiring", "policy"})
_TIME = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[Tt](?P<time>\d\d:\d\d:\d\d)(?:\.\d+)?(?P<zone>[Zz]|[+-]\d\d:\d\d)"
)
_SIGNED, _SIGNATURE = "-----BEGIN PGP SIGNED MESSAGE-----", "-----BEGIN PGP SIGNATURE-----"


@dataclass(frozen=True)
class Judged:
    """What is wrong with a file, and when it expires if that can be told."""

    faults: tuple[str, ...]
    expires: datetime | None = None


async def check_security_txt(transport: Transport, host: str) -> list[Finding]:
    """Get the file and judge it."""
    chain = await follow(transport, f"https://{host}/.well-known/security.txt")
    return [judge_security_txt(chain, datetime.now(timezone.utc))]


def judge_security_txt(chain: Chain, now: datetime) -> Finding:
    """Judge what came back; nobody has to publish the file."""
    last, evidence = chain.last, {"hops": hops(chain)}
    if last.error:
        message = f"Whether there is a security.txt is not known: it fails: {last.error}."
        return SECURITY_TXT.skipped(message, **evidence)
    if not chain.answered or _is_page(last):
        message = "No security.txt is published; it would say where to report a security problem."
        return SECURITY_TXT.info(message, **evidence)
    judged = judge_text(last.body, now, urls=[hop.request.url for hop in chain.hops])
    faults = [*_type_faults(last), *judged.faults]
    if faults:
        message = f"security.txt has faults: {'; '.join(faults[:_SHOWN])}."
        return SECURITY_TXT.warning(message, excerpt=excerpt(last.body), **evidence)
    expires = judged.expires.date().isoformat() if judged.expires else ""
    if judged.expires and judged.expires - now > _YEAR:
        message = f"security.txt expires on {expires}; less than a year ahead is advised."
        return SECURITY_TXT.info(message, expires=expires)
    return SECURITY_TXT.ok(f"security.txt is published; it expires on {expires}.", expires=expires)


def _is_page(exchange: Exchange) -> bool:
    """Whether the site answers with its usual web page, as many do for every path."""
    kinds = [value.split(";")[0].strip().lower() for value in exchange.header("Content-Type")]
    return kinds in (["text/html"], ["application/xhtml+xml"]) and b"Contact:" not in exchange.body


def _type_faults(exchange: Exchange) -> Iterator[str]:
    """Judge the Content-Type (RFC 9116 section 3)."""
    kind, *parameters = [
        part.strip().lower() for part in ", ".join(exchange.header("Content-Type")).split(";")
    ]
    if kind != "text/plain":
        yield f"its Content-Type is {kind[:50] or 'missing'} instead of text/plain"
    elif any(part.startswith("charset=") and not _is_utf8(part) for part in parameters):
        yield "its charset is not utf-8"


def _is_utf8(parameter: str) -> bool:
    return parameter.partition("=")[2].strip('"') == "utf-8"


def judge_text(body: bytes, now: datetime, *, urls: Sequence[str]) -> Judged:
    """Judge a file by RFC 9116 sections 2 and 4; `urls` are those it was got from."""
    try:
        text = body.decode("utf-8")
    except UnicodeError:
        return Judged(("it is not UTF-8",))
    if len(body) > LIMIT:
        return Judged((f"it is larger than {LIMIT // KIB} KiB",))
    lines = [line.rstrip("\r") for line in text.split("\n")][:_LINES]
    fields, faults = _fields(_unsigned(lines))
    expires = _moment(fields)
    faults += [*_counts(fields), *_uris(fields), *_canonical(fields, urls)]
    if expires is None and len(_values(fields, "expires")) == 1:
        faults.append("Expires is not a date like 2030-01-31T12:00:00Z")
    if expires is not None and expires <= now:
        faults.append(f"it expired on {expires.date().isoformat()}")
    return Judged(tuple(faults), expires)


def _unsigned(lines: list[str]) -> list[str]:
    """Take the text out of a cleartext signature (RFC 9580 section 7)."""
    if lines[0].rstrip() != _SIGNED:
        return lines
    end = next((number for number, line in enumerate(lines) if line == _SIGNATURE), len(lines))
    start = lines.index("") + 1 if "" in lines[:end] else 1
    return [line[2:] if line.startswith("- ") else line for line in lines[start:end]]


Fields = list[tuple[str, str]]


def _fields(lines: list[str]) -> tuple[Fields, list[str]]:
    """Read the fields, their names in lower case, and say which lines are none."""
    fields: Fields = []
    faults: list[str] = []
    for number, line in enumerate(lines, 1):
        match = _FIELD.fullmatch(line)
        if match and (value := match["value"].strip(" \t")):
            fields.append((match["name"].lower(), value))
        elif line.strip() and not line.startswith("#"):
            faults.append(f"line {number} is neither a field nor a comment")
    return fields, faults[:1]


def _values(fields: Fields, name: str) -> list[str]:
    return [value for key, value in fields if key == name]


def _counts(fields: Fields) -> Iterator[str]:
    if not _values(fields, "contact"):
        yield "it has no Contact"
    if len(_values(fields, "expires")) != 1:
        yield f"it has {len(_values(fields, 'expires')) or 'no'} Expires instead of one"
    if len(_values(fields, "preferred-languages")) > 1:
        yield "it has Preferred-Languages twice"


def _uris(fields: Fields) -> Iterator[str]:
    for name, value in fields:
        if name in _WEB and not _URI.fullmatch(value):
            yield f"{name.capitalize()} is not a URI: {value[:80]}"
        elif name in _WEB and value.lower().startswith("http:"):
            yield f"{name.capitalize()} is not https: {value[:80]}"


def _canonical(fields: Fields, urls: Sequence[str]) -> Iterator[str]:
    """Judge that the file says it belongs where it was found (RFC 9116 section 2.5.2)."""
    listed = {_normal(value) for value in _values(fields, "canonical")}
    if listed and not listed & {_normal(url) for url in urls}:
        yield "Canonical does not list the address of the file"


def _normal(url: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(url)
        return parts.scheme.lower(), parts.netloc.lower(), parts.path
    except ValueError:
        return "", "", url


def _moment(fields: Fields) -> datetime | None:
    """Read the one Expires (RFC 3339 section 5.6)."""
    values = _values(fields, "expires")
    match = _TIME.fullmatch(values[0]) if len(values) == 1 else None
    if match is None:
        return None
    zone = "+00:00" if match["zone"] in "Zz" else match["zone"]
    try:
        return datetime.fromisoformat(f"{match['date']}T{match['time']}{zone}")
    except ValueError:
        return None
