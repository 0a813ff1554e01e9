# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module `verify` does."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from importlib import metadata

from ..request import ModuleRequest, Result
from ..verify.catalogue import (
    refuse_unknown,
)
from ..verify.look import look

LIBRARIES = {"cryptography": (42, 0), "dnspython": (2, 6), "h11": (0, 14)}


def answer(request: ModuleRequest) -> Result:
    """Look at the server, or say why nobody can."""
    arguments = request.arguments
    if missing := missing_libraries():
        return {
            "failed": True,
            "msg": f"The verifier needs {', '.join(missing)}: "
            "run 'python -m pip install -r requirements.txt'.",
        }
    who = {
        "vantage": arguments["vantage"] or platform.node(),
        "python": sys.executable,
        "daily": os.path.exists(arguments["timer"] or ""),
    }
    try:
        refuse_unknown(arguments["ignore"])
        return {"changed": False, **who, **asyncio.run(look(arguments))}
    except ValueError as error:
        return {"failed": True, "msg": f"Nothing was verified: {error}."}


def missing_libraries() -> list[str]:
    """Return what has to be installed or renewed before anything can be looked at."""
    return [
        f"{name} {'.'.join(map(str, oldest))} or newer"
        for name, oldest in LIBRARIES.items()
        if installed(name) < oldest
    ]


def installed(package: str) -> tuple[int, ...]:
    """Return the version of a package, empty if there is none."""
    try:
        return tuple(int(part) for part in metadata.version(package).split(".")[:2])
    except (metadata.PackageNotFoundError, ValueError):
        return ()
