# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module `host` does."""

from __future__ import annotations

import time
from typing import Any

from ..host.judging import (
    Requirements,
    facts,
    faults,
    others_synapse,
    told,
)
from ..host.reading import observe
from ..request import ModuleRequest, Result


def answer(request: ModuleRequest) -> Result:
    """Judge the host, and tell of it what the roles want to know."""
    arguments = request.arguments
    needed = Requirements(
        server_name=arguments["server_name"],
        memory_mb=arguments["minimum_memory_mb"],
        disk_mb=arguments["minimum_disk_mb"],
        ports=frozenset(arguments["ports"]),
        adopt=arguments["adopt"],
        tunnel=tuple(arguments["tunnel"]),
        secrets=tuple(arguments["given"]),
    )
    seen = observe(ports=needed.ports)
    found = faults(seen, needed)
    result: dict[str, Any] = {"changed": False, "faults": found, **facts(seen, needed)}
    if needed.adopt and others_synapse(seen):
        # Only the one run that adopts reads all of this.
        from ..adoption.reading import Reader

        speaking_against, result["adoption"] = Reader().judged(needed.server_name)
        found += speaking_against
    if found and arguments["refuse"]:
        return {**result, "failed": True, "msg": told(found)}
    return {**result, **_minted()} if arguments["turn_credentials"] else result


def _minted() -> Result:
    # Half of what this module costs, and most tasks do not ask for it.
    from .. import turn_credentials

    try:
        return {"credentials": turn_credentials.of_secret(now=time.time())}
    except OSError as error:
        return {"failed": True, "msg": f"The secret cannot be read: {error}"}
