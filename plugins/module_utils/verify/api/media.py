# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files: that only users get them, that they can be sent, and that they may be large enough."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from ..answers import (
    FAILED,
    MISSING_TOKEN,
    TOO_MANY,
    UNRECOGNIZED,
    errcode,
    newest,
    object_of,
    stated,
)
from ..evidence import excerpt, seen
from ..findings import Check, Finding
from ..redirect_chain import OK, ORIGIN
from ..wire.transport import Exchange, Request, Transport

AUTHENTICATED = Check(
    "client.media",
    "client",
    "Client-Server API v1.11, GET /_matrix/client/v1/media/config",
    "Update the homeserver, and pass /_matrix/client/v1/media on to it.",
)
ROUTE = Check(
    "client.media_route",
    "client",
    "Client-Server API, Content repository",
    "Pass /_matrix/media on to the homeserver too, not only /_matrix/client: files are sent there.",
)
SIZE = Check(
    "client.upload_size",
    "client",
    "Client-Server API, POST /_matrix/media/v3/upload; RFC 9110 section 15.5.14",
    "Raise the limit of everything before the homeserver (in nginx: client_max_body_size) "
    "and its own max_upload_size.",
)
_SINCE = (1, 11)
_FROZEN = (
    "Whether files from before are still given to everybody cannot be told without knowing one."
)
_MIB = 1024 * 1024
_CONTINUE = 100
_TOO_LARGE = 413


async def check_media(
    transport: Transport,
    base_url: str,
    *,
    versions: Awaitable[Exchange],
    server_name: str,
    megabytes: int = 0,
) -> list[Finding]:
    """Ask for files and for room for one, without a token and without sending any."""
    unknown = f"/_matrix/media/v3/download/{server_name}/homestead_unknown?allow_remote=false"
    config, download, upload, offered = await asyncio.gather(
        transport.request(_get(f"{base_url}/_matrix/client/v1/media/config")),
        transport.request(_get(base_url + unknown)),
        _announced(transport, f"{base_url}/_matrix/media/v3/upload", megabytes * _MIB),
        versions,
    )
    listed = object_of(offered).get("versions")
    if offered.status != OK or not isinstance(listed, list) or not listed:
        message = "Nothing was looked at, because the API is not there."
        return [check.skipped(message) for check in (AUTHENTICATED, ROUTE)]
    findings = [judge_config(config, newest(listed)), judge_route(download)]
    return findings + ([judge_size(upload, megabytes)] if upload else [])


def _get(url: str) -> Request:
    return Request(url=url, headers=(ORIGIN,))


async def _announced(transport: Transport, url: str, size: int) -> Exchange | None:
    """Announce a file of the planned size, and wait for leave to send it; then send nothing."""
    if not size:
        return None
    return await transport.request(Request(url=url, method="POST", announced=size))


def judge_config(exchange: Exchange, version: tuple[int, int]) -> Finding:
    """Judge whether files need a token (v1.11, MSC3916)."""
    evidence = {"exchange": seen(exchange), "excerpt": excerpt(exchange.body)}
    code = errcode(exchange)
    if (exchange.status, code) == (401, MISSING_TOKEN):
        return AUTHENTICATED.ok(f"Files are given to users only. {_FROZEN}")
    if not exchange.status or exchange.status == TOO_MANY:
        return AUTHENTICATED.skipped(f"This is not known: {_reason(exchange)}.", **evidence)
    if code != UNRECOGNIZED:
        message = f"The API for files answers {stated(exchange)} instead of 401 {MISSING_TOKEN}."
    elif version < _SINCE:
        message = "The homeserver is too old to give files to users only."
    else:
        claimed = ".".join(map(str, version))
        message = f"The homeserver claims v{claimed}, but does not give files in the way of v1.11."
    return AUTHENTICATED.warning(message, **evidence)


def judge_route(exchange: Exchange) -> Finding:
    """Judge whether requests for /_matrix/media come to a homeserver."""
    evidence = {"exchange": seen(exchange), "excerpt": excerpt(exchange.body)}
    if not exchange.status or exchange.status == TOO_MANY:
        return ROUTE.skipped(f"This is not known: {_reason(exchange)}.", **evidence)
    if exchange.status >= FAILED or errcode(exchange) in ("", UNRECOGNIZED):
        message = f"No homeserver answers at /_matrix/media, only {stated(exchange)} comes back."
        return ROUTE.warning(message, **evidence)
    return ROUTE.ok("Requests for /_matrix/media come to the homeserver.")


def judge_size(exchange: Exchange, megabytes: int) -> Finding:
    """Judge what comes back for a file that is only announced (RFC 9110 section 10.1.1)."""
    size = f"{megabytes} MiB"
    if exchange.status == _TOO_LARGE:
        message = f"A file of {size} is refused as too large, although the plan allows it."
        return SIZE.error(message, exchange=seen(exchange), excerpt=excerpt(exchange.body))
    if exchange.status in (_CONTINUE, 401):
        return SIZE.ok(f"Nothing before the homeserver refuses a file of {size} for its size.")
    message = f"Whether a file of {size} may be sent is not known: {_reason(exchange)}."
    return SIZE.skipped(message, exchange=seen(exchange))


def _reason(exchange: Exchange) -> str:
    return f"the server answers {stated(exchange)}" if exchange.status else f"{exchange.error}"
