# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator writes into documents is refused where our own verifier would warn of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import values
from .components import COMPONENTS

if TYPE_CHECKING:
    from ...module_utils.verify.findings import Finding

HOMESERVER = "m.homeserver"


def read_client(variable: str, value: object, components: Iterable[str]) -> dict[str, object]:
    """Read what the client document says besides what follows from the components."""
    given = values.mapping(variable, value)
    keys = (key for name in components for key, _unused in COMPONENTS[name].client)
    if taken := [key for key in (HOMESERVER, *keys) if key in given]:
        raise ValueError(
            f"{variable} cannot have the key {taken[0]!r}, which follows from the rest of the "
            "description; take it out."
        )
    if given:
        # It needs asyncio, and few operators need it.
        from ...module_utils.verify.documents.client_keys import judge_client

        homeserver = {HOMESERVER: {"base_url": "https://matrix.example.com"}}
        refuse_faulty(variable, {**homeserver, **given}, judge_client)
    return given


def refuse_faulty(
    variable: str,
    document: Mapping[str, object],
    judge: Callable[[dict[str, Any]], Iterable[Finding]],
) -> None:
    """Raise one ValueError with a sentence for each fault of a document."""
    # Only for those who write one: each start of a run reads descriptions.
    from ...module_utils.verify.redirect_chain import DOCUMENT_LIMIT
    from ...module_utils.verify.strict_json import loads
    from ...module_utils.verify.wire.transport import KIB

    body = json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        value = loads(body).value
    except ValueError as error:
        raise ValueError(f"{variable} cannot be published: {error}.") from None
    if len(body) > DOCUMENT_LIMIT:
        limit = DOCUMENT_LIMIT // KIB
        raise ValueError(f"{variable} is too long; a document has at most {limit} KiB.")
    found = (finding for finding in judge(value) if finding.verdict in ("error", "warning"))
    values.refuse(f"{variable}: {finding.message} {finding.remedy}" for finding in found)
