# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that is looked at below the base URL, at once; what serves several is asked once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from itertools import chain
from typing import Any

from ..findings import Finding
from ..scope import Scope
from ..wire.transport import Exchange, Transport
from .auth_metadata import fetch_metadata, judge_metadata
from .client import check_client, versions_request
from .exposure import check_exposure, check_private
from .media import check_media
from .registration import check_registration


async def check_api(
    transport: Transport, scope: Scope, base_url: str, document: dict[str, Any] | None
) -> list[Finding]:
    """Look at the base URL; `document` is the client document that led there, if there is one."""
    versions = asyncio.ensure_future(transport.request(versions_request(base_url)))
    metadata = asyncio.ensure_future(fetch_metadata(transport, base_url, document))
    expected = scope.expectations
    parts = await asyncio.gather(
        check_client(transport, base_url, versions),
        check_media(
            transport,
            base_url,
            versions=versions,
            server_name=scope.server_name,
            megabytes=expected.max_upload_mb,
        ),
        check_registration(transport, base_url, expected.registration, metadata),
        _metadata(metadata, document),
        check_exposure(transport, base_url, planned=bool(expected)),
        check_private(transport, expected.private),
    )
    return list(chain.from_iterable(parts))


async def _metadata(
    metadata: Awaitable[Exchange], document: dict[str, Any] | None
) -> list[Finding]:
    return judge_metadata(await metadata, document)
