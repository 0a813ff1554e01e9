# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys of /.well-known/matrix/client that clients read besides the homeserver."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..answers import stated
from ..evidence import excerpt, seen
from ..findings import Check, Finding
from ..redirect_chain import OK, ORIGIN
from ..strict_json import loads, text_at
from ..wire.hosts import is_address
from ..wire.transport import Exchange, Request, Transport
from .discovery import IDENTITY, judge_discovery, url_fault

CALLS = Check(
    "well_known.client.rtc_foci",
    "well-known",
    "MSC4143",
    "List each LiveKit service as "
    '{"type": "livekit", "livekit_service_url": "https://<host>/<path>"}.',
)
INTEGRATIONS = Check(
    "well_known.client.integrations",
    "well-known",
    "MSC1957",
    "List each integration manager under m.integrations.managers with https addresses as "
    "api_url and ui_url, or take the key out.",
)
JITSI = Check(
    "well_known.client.jitsi",
    "well-known",
    "Element Web, Jitsi",
    'Write {"preferredDomain": "<host>"}: a host name, no scheme, no path.',
)
ENCRYPTION = Check(
    "well_known.client.encryption",
    "well-known",
    "Element Web, End to end encryption",
    "Write true or false, without quotation marks.",
)
MAPS = Check(
    "well_known.client.tile_server",
    "well-known",
    "MSC3488",
    "Give the tile server an https address as map_style_url, or take the key out.",
)
ADMIN_PANEL = Check(
    "well_known.client.admin_panel",
    "well-known",
    "Documentation of Ketesa",
    "Write the settings of the admin panel as an object, and nothing secret among them.",
)
_MATRIX_IDENTITY = "/_matrix/identity/v2"
_FLAGS = ("default", "force_disable", "secure_backup_required")
_SHOWN = 5
_Judge = Callable[[str, Any], Iterator[Finding]]


async def check_identity_server(transport: Transport, value: Any) -> list[Finding]:
    """Ask the identity server whether it is one, as clients do."""
    url = text_at(value, "m.identity_server", "base_url")
    if url is None or url_fault(url):
        return []
    base = url.rstrip("/")
    request = Request(url=base + _MATRIX_IDENTITY, headers=(ORIGIN,))
    return [judge_identity(await transport.request(request), base)]


def judge_identity(exchange: Exchange, base: str) -> Finding:
    """Judge the answer, which must be an empty object (identity service API, Status check)."""
    evidence = {"exchange": seen(exchange), "excerpt": excerpt(exchange.body)}
    error = exchange.error
    if error and error.kind in ("no_route", "private"):
        message = f"Whether {base} is an identity server cannot be told from here: {error}."
        return IDENTITY.unknown(message, **evidence)
    if not error and exchange.status == OK and _is_object(exchange.body):
        return IDENTITY.ok(f"The identity server {base} answers.")
    reason = f"fails: {error}" if error else f"answers {stated(exchange)} instead of {{}}"
    message = f"Clients give up (FAIL_ERROR): the identity server {base} {reason}."
    return IDENTITY.error(message, **evidence)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(loads(body).value, dict)
    except ValueError:
        return False


def judge_client(value: dict[str, Any]) -> list[Finding]:
    """Judge the whole client document."""
    return [*judge_discovery(value), *judge_keys(value)]


def judge_keys(value: Mapping[str, Any]) -> list[Finding]:
    """Judge each key that is there; what is not there is not missed."""
    return [
        finding
        for key, judge in _JUDGES.items()
        if key in value
        for finding in judge(key, value[key])
    ]


def _calls(key: str, value: Any) -> Iterator[Finding]:
    if not isinstance(value, list):
        yield CALLS.warning(f"{key} is not a list, so calls in Element fail.")
        return
    faults = [fault for number, item in enumerate(value, 1) if (fault := _focus(number, item))]
    yield from _told(CALLS, key, faults)


def _focus(number: int, item: Any) -> str:
    """Say what is wrong with one entry; other types than LiveKit are not known."""
    kind = text_at(item, "type")
    if kind is None:
        return f"entry {number} has no type"
    return _url(item, "livekit_service_url") if kind == "livekit" else ""


def _integrations(key: str, value: Any) -> Iterator[Finding]:
    managers = value.get("managers") if isinstance(value, dict) else None
    if not isinstance(managers, list):
        yield INTEGRATIONS.warning(f"{key} has no list 'managers'.")
        return
    faults = [_url(item, name) for item in managers for name in ("api_url", "ui_url")]
    yield from _told(INTEGRATIONS, key, [fault for fault in faults if fault])


def _jitsi(key: str, value: Any) -> Iterator[Finding]:
    host = text_at(value, "preferredDomain")
    if host is None:
        fault = "preferredDomain is missing or not a text"
    else:
        fault = "preferredDomain is not a host name" if not _is_host(host) else ""
    yield from _told(JITSI, key, [fault] if fault else [])


def _is_host(text: str) -> bool:
    plain = "/" not in text and "@" not in text and "?" not in text and "#" not in text
    return plain and not url_fault(f"https://{text}") and (is_address(text) or "." in text)


def _encryption(key: str, value: Any) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield ENCRYPTION.warning(f"{key} is not an object.")
        return
    faults = [
        f"{name} is neither true nor false"
        for name in _FLAGS
        if name in value and not isinstance(value[name], bool)
    ]
    yield from _told(ENCRYPTION, key, faults)


def _maps(key: str, value: Any) -> Iterator[Finding]:
    fault = _url(value, "map_style_url")
    yield from _told(MAPS, key, [fault] if fault else [])


def _panel(key: str, value: Any) -> Iterator[Finding]:
    if isinstance(value, dict):
        yield ADMIN_PANEL.info(f"Everybody can read the settings of the admin panel in {key}.")
    else:
        yield ADMIN_PANEL.warning(f"{key} is not an object.")


def _url(item: Any, name: str) -> str:
    """Say what is wrong with an address in an object; nothing if browsers can use it."""
    url = text_at(item, name)
    if url is None:
        return f"{name} is missing or not a text"
    fault = url_fault(url.partition("?")[0])
    return f"{name} is {url[:100]!r}, but {fault}" if fault else ""


def _told(check: Check, key: str, faults: list[str]) -> Iterator[Finding]:
    if faults:
        yield check.warning(f"Clients cannot use {key}: {'; '.join(faults[:_SHOWN])}.")
    else:
        yield check.ok(f"Clients can use {key}.")


_JUDGES: Mapping[str, _Judge] = {
    "org.matrix.msc4143.rtc_foci": _calls,
    "m.integrations": _integrations,
    "io.element.jitsi": _jitsi,
    "im.vector.riot.jitsi": _jitsi,
    "io.element.e2ee": _encryption,
    "im.vector.riot.e2ee": _encryption,
    "m.tile_server": _maps,
    "org.matrix.msc3488.tile_server": _maps,
    "cc.etke.ketesa": _panel,
    "cc.etke.synapse-admin": _panel,
}
