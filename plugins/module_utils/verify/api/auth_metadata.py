# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How clients log in by OAuth 2.0 (client-server API v1.15, Server metadata discovery)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..answers import UNRECOGNIZED, errcode, object_of, stated
from ..documents.discovery import url_fault
from ..evidence import excerpt, seen
from ..findings import Check, Finding
from ..redirect_chain import OK, ORIGIN
from ..strict_json import text_at
from ..wire.transport import Exchange, Request, Transport

METADATA = Check(
    "client.auth_metadata",
    "client",
    "Client-Server API, GET /_matrix/client/v1/auth_metadata",
    "Pass the path on to the homeserver, and let the authentication service say the whole of it.",
)
ISSUER = Check(
    "client.auth_issuer",
    "client",
    "MSC2965; RFC 8414 section 2",
    "Write the same issuer, letter by letter, into org.matrix.msc2965.authentication of "
    "/.well-known/matrix/client and into the authentication service, or take the key out.",
)
ANNOUNCED = "org.matrix.msc2965.authentication"
_PATHS = (
    "/_matrix/client/v1/auth_metadata",
    "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata",
)
_ENDPOINTS = (
    "authorization_endpoint",
    "token_endpoint",
    "revocation_endpoint",
    "registration_endpoint",
)
_NEEDED: Mapping[str, frozenset[str]] = {
    "response_types_supported": frozenset({"code"}),
    "grant_types_supported": frozenset({"authorization_code"}),
    "code_challenge_methods_supported": frozenset({"S256"}),
}
_REQUIRED: Mapping[str, frozenset[str]] = {
    "response_modes_supported": frozenset({"query", "fragment"}),
    "grant_types_supported": frozenset({"refresh_token"}),
}
_SHOWN = 5


async def fetch_metadata(transport: Transport, base_url: str, document: Any) -> Exchange:
    """Ask for the metadata; at its name of before v1.15 too, if the client document has it."""
    stable = await transport.request(Request(url=base_url + _PATHS[0], headers=(ORIGIN,)))
    if stable.status == OK or announced_issuer(document) is None:
        return stable
    unstable = await transport.request(Request(url=base_url + _PATHS[1], headers=(ORIGIN,)))
    return unstable if unstable.status == OK else stable


def announced_issuer(document: Any) -> str | None:
    """Return the issuer that the client document announces; empty if it is not a text."""
    if not isinstance(document, dict) or ANNOUNCED not in document:
        return None
    return text_at(document, ANNOUNCED, "issuer") or ""


def judge_metadata(exchange: Exchange, document: Any) -> list[Finding]:
    """Judge the metadata, and whether the client document names the same issuer."""
    value, announced = object_of(exchange), announced_issuer(document)
    if exchange.status == OK and value:
        return [_schema(value), *_issuer(announced, value)]
    evidence = {"exchange": seen(exchange), "excerpt": excerpt(exchange.body)}
    if exchange.status == OK:
        return [METADATA.error("The OAuth 2.0 metadata is not a JSON object.", **evidence)]
    if announced is not None and exchange.status:
        message = f"OAuth 2.0 is announced, but its metadata is missing: {stated(exchange)}."
        return [METADATA.warning(message, **evidence)]
    if errcode(exchange) == UNRECOGNIZED or (exchange.status == 404 and errcode(exchange)):
        return [METADATA.ok("The homeserver lets clients log in by itself, without OAuth 2.0.")]
    return []


def _schema(value: Mapping[str, Any]) -> Finding:
    """Judge the form: an error for what clients cannot do without, else a warning."""
    grave = [*_url_faults(value), *_lacking(value, _NEEDED)]
    slight = list(_lacking(value, _REQUIRED))
    faults = (grave + slight)[:_SHOWN]
    if grave:
        return METADATA.error(f"Clients cannot log in by OAuth 2.0: {'; '.join(faults)}.")
    if slight:
        return METADATA.warning(f"The OAuth 2.0 metadata is not complete: {'; '.join(faults)}.")
    if text_at(value, "account_management_uri") is None:
        message = "Clients can log in by OAuth 2.0; where users manage their account is not said."
        return METADATA.info(message, issuer=str(value["issuer"])[:500])
    return METADATA.ok("Clients can log in by OAuth 2.0.", issuer=str(value["issuer"])[:500])


def _url_faults(value: Mapping[str, Any]) -> Iterator[str]:
    for key in ("issuer", *_ENDPOINTS):
        url = value.get(key)
        if not isinstance(url, str):
            yield f"{key} is missing or not a text"
        elif key == "issuer" and (fault := url_fault(url)):
            yield f"issuer is {url[:100]!r}, but {fault}"
        elif not _is_https(url):
            yield f"{key} is not an https URL"


def _is_https(url: str) -> bool:
    """Whether it is one; an endpoint may have a query (RFC 6749 section 3.1)."""
    return not url_fault(url.partition("?")[0]) and not urlsplit(url).fragment


def _lacking(value: Mapping[str, Any], wanted: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for key, words in wanted.items():
        listed = value.get(key)
        texts = (
            [item for item in listed if isinstance(item, str)] if isinstance(listed, list) else []
        )
        if missing := sorted(words - set(texts)):
            yield f"{key} lacks {', '.join(missing)}"


def _issuer(announced: str | None, value: Mapping[str, Any]) -> Iterator[Finding]:
    """Compare byte for byte, as clients do with an issuer (RFC 8414 section 3.3)."""
    issuer = text_at(value, "issuer")
    if announced is None or issuer is None:
        return
    if announced == issuer:
        yield ISSUER.ok(f"The client document names the issuer {issuer}.")
    else:
        yield ISSUER.error(
            f"The client document names the issuer {announced[:150]!r}, "
            f"but the server says {issuer[:150]!r}."
        )
