# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking over the real network, as parameters from outside say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .expectations import Expectations
from .scope import Scope
from .verification import verify
from .wire.guard import EVERYWHERE, Guard
from .wire.network import Network

_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "y", "t", "1"), True),
    **dict.fromkeys(("false", "no", "off", "n", "f", "0", ""), False),
}


def allowed_networks(value: Any) -> list[str]:
    """Return the networks that `allow_private` names; true stands for all of them."""
    if isinstance(value, list):
        return [str(item) for item in value]
    known = _WORDS.get(str(value).lower())
    if known is None:
        return [str(value)]
    return list(EVERYWHERE) if known else []


async def look(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Run the verifier and return what it found as plain data."""
    allowed = allowed_networks(parameters["allow_private"])
    network = Network(
        Guard.parse(allowed),
        ca_file=parameters["ca_file"] or "",
        nameservers=parameters["nameservers"],
        seconds=parameters["timeout"],
    )
    scope = Scope(
        parameters["server_name"],
        expectations=Expectations.of(parameters["expectations"]),
        published=parameters["published"],
        credentials=parameters.get("turn_credentials") or {},
        allowed=allowed,
        ignore=parameters["ignore"],
    )
    return (await verify(network, scope)).as_dict()
