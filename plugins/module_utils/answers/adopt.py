# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module `adopt` does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..adoption.old import Old, not_taken_over
from ..adoption.reading import Reader
from ..request import ModuleRequest, Result
from ..service import nodes
from ..service.machine import Places
from ..service.nodes import Node

NAME = "adoption.json"
"""Where our own state lives: what the adoption is about, until it has succeeded."""


def answer(
    request: ModuleRequest, places: Places | None = None, reader: Reader | None = None
) -> Result:
    """Keep the secrets, and say what is not kept; what a killed run began is not begun again."""
    adoption: dict[str, Any] = request.arguments["adoption"]
    if adoption.get("begun"):
        return _result([])
    reader = reader or Reader()
    old = reader.old()
    if old.unreadable:
        return {**_result([]), "failed": True, "msg": old.unreadable}
    if not request.check:
        _begin(old, adoption, places or Places(), reader)
    names = not_taken_over(old.settings, request.arguments["settings"])
    return {**_result(names, old.files), "changed": True}


def _begin(old: Old, adoption: dict[str, Any], places: Places, reader: Reader) -> None:
    """Write the secrets, and then what the next run needs to go on if this one is killed."""
    _folder(places.secrets)
    for name, value in reader.secrets(old).items():
        nodes.write(str(places.secrets / name), _file(value))
    _folder(places.state)
    nodes.write(str(places.state / NAME), _file(json.dumps({**adoption, "begun": True})))


def _folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _file(text: str) -> Node:
    return Node("file", content=f"{text}\n".encode(), mode=0o600)


def _result(names: list[str], files: Sequence[str] = ()) -> Result:
    result: Result = {"changed": False, "not_taken_over": names}
    if names:
        result["warnings"] = [
            "Settings of the former homeserver.yaml that were not taken over: "
            f"{', '.join(names)}. To keep one, write it with its value into synapse_settings, or "
            f"set the variable that is named beside it. The values stand in {', '.join(files)}; "
            "what is replaced there has a copy below /var/lib/homestead/adopted."
        ]
    return result
