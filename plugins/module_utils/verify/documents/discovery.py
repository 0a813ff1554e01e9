# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The meaning of /.well-known/matrix/client (client-server API, Server Discovery)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ..findings import Check, Finding
from ..strict_json import text_at

_REFERENCE = "Client-Server API, Server Discovery"
HOMESERVER = Check(
    "well_known.client.homeserver",
    "well-known",
    _REFERENCE,
    'Publish {"m.homeserver": {"base_url": "https://<host>"}}, https and without a path.',
)
IDENTITY = Check(
    "well_known.client.identity_server",
    "well-known",
    _REFERENCE,
    "Take m.identity_server out, or give it the https address of an identity server as base_url.",
)
OBSOLETE = Check(
    "well_known.client.obsolete",
    "well-known",
    "MSC3575",
    "Take the key out: homeservers speak simplified sliding sync themselves.",
)
KEYS = Check(
    "well_known.client.keys",
    "well-known",
    _REFERENCE,
    "Give keys of your own reverse-DNS names like com.example.key.",
)
_KNOWN = frozenset({"m.homeserver", "m.identity_server"})
_COMMON = frozenset({"m.integrations", "m.tile_server", "m.authentication"})
_PROXY = "org.matrix.msc3575.proxy"


def base_url(value: Any) -> str:
    """Return the base URL for clients without trailing slash; empty if clients find none."""
    url = text_at(value, "m.homeserver", "base_url") or ""
    return "" if url_fault(url) else url.rstrip("/")


def url_fault(url: str) -> str:
    """Say why clients cannot use a base URL; nothing if they can."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0 and url.isascii() and url.isprintable()
    except ValueError:
        usable = False
    if not usable or parts.scheme not in ("http", "https") or " " in url:
        return "it is not a URL"
    if parts.scheme == "http":
        return "it is not https, so browsers refuse it"
    if parts.query or parts.fragment or parts.username is not None:
        return "it has a query, a fragment or a user name"
    return ""


def judge_discovery(value: dict[str, Any]) -> list[Finding]:
    """Judge the document's value, naming what clients do (FAIL_PROMPT, FAIL_ERROR)."""
    return [*_homeserver(value), *_identity_server(value), *_keys(value)]


def _homeserver(value: dict[str, Any]) -> Iterator[Finding]:
    url = text_at(value, "m.homeserver", "base_url")
    if url is None:
        yield HOMESERVER.error(
            "Clients give up and ask the user (FAIL_PROMPT): "
            "m.homeserver.base_url is missing or not a text."
        )
    elif fault := url_fault(url):
        yield HOMESERVER.error(
            f"Clients give up (FAIL_ERROR): m.homeserver.base_url is {url[:200]!r}, but {fault}."
        )
    elif url.endswith("/"):
        yield HOMESERVER.info(
            f"Clients are sent to {url}; leave out the last slash, over which some of them trip."
        )
    else:
        yield HOMESERVER.ok(f"Clients are sent to {url}.", base_url=url)


def _identity_server(value: dict[str, Any]) -> Iterator[Finding]:
    if "m.identity_server" not in value:
        return
    url = text_at(value, "m.identity_server", "base_url")
    if url is None:
        yield IDENTITY.error(
            "Clients give up and ask the user (FAIL_PROMPT): m.identity_server has no base_url."
        )
    elif fault := url_fault(url):
        yield IDENTITY.error(
            f"Clients give up (FAIL_ERROR): the identity server is {url[:200]!r}, but {fault}."
        )


def _keys(value: dict[str, Any]) -> Iterator[Finding]:
    if _PROXY in value:
        yield OBSOLETE.warning(f"The key {_PROXY} announces an obsolete sliding sync proxy.")
    odd = sorted(key for key in set(value) - _KNOWN - _COMMON if "." not in key)
    if odd:
        yield KEYS.warning(f"Keys without a namespace are not allowed: {odd[:10]}.")
    reserved = sorted(key for key in set(value) - _KNOWN if key.startswith("m."))
    if reserved:
        yield KEYS.info(f"The specification has no keys {reserved[:10]}.")
