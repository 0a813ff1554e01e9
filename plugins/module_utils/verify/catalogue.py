# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every check there is, and which ids findings can have."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from types import ModuleType
from typing import get_args

from .documents.wellknown import NAMES
from .expectations import RouteKind
from .findings import Check

ROOMS = ("api", "calls", "documents", "peers", "ports", "web", "wire")
_PART = "{part}"
_PORT = r"(tcp|udp)-[0-9]{1,5}"
_WORDS = r"[a-z0-9_]+"
_PARTS = {
    "ports.": _PORT,
    "turn.": "|".join(get_args(RouteKind)),
    "well_known.support.": _WORDS,
    "well_known.": "|".join(NAMES),
}
"""What a part of an id may be, by the beginning of the id; the first that fits counts."""


def checks() -> dict[str, Check]:
    """Return every check of the verifier by its id."""
    found = {check.id: check for check in _checks()}
    return dict(sorted(found.items(), key=lambda item: (item[1].area, item[0])))


def _checks() -> Iterator[Check]:
    for module in _modules():
        for value in vars(module).values():
            named = value.values() if isinstance(value, dict) else [value]
            yield from (item for item in named if isinstance(item, Check))


def _modules() -> Iterator[ModuleType]:
    """Import the verifier's modules; a folder without __init__.py is found by its name only."""
    here = __name__.rpartition(".")[0]
    for room in (here, *(f"{here}.{name}" for name in ROOMS)):
        for module in pkgutil.iter_modules(importlib.import_module(room).__path__):
            yield importlib.import_module(f"{room}.{module.name}")


def refuse_unknown(ids: Iterable[str]) -> None:
    """Raise a ValueError that names every id that no finding has, and what may be meant."""
    wanted = list(ids)
    known = checks() if wanted else {}
    unknown = [identity for identity in wanted if not any(_fits(identity, name) for name in known)]
    if unknown:
        raise ValueError("; ".join(_told(identity, known) for identity in unknown))


def _fits(identity: str, name: str) -> bool:
    """Whether a finding of the check of this name may have the id."""
    before, part, after = name.partition(_PART)
    if not part:
        return identity == name
    form = next((form for start, form in _PARTS.items() if name.startswith(start)), _WORDS)
    return bool(re.fullmatch(f"{re.escape(before)}({form}){re.escape(after)}", identity))


def _told(identity: str, known: Iterable[str]) -> str:
    """Say that there is no such finding, and which one comes nearest."""
    parts = (*NAMES, identity.rpartition(".")[2])
    named = [(name, name.replace(_PART, part)) for name in known for part in parts]
    possible = [given for name, given in named if _fits(given, name)]
    near = get_close_matches(identity, dict.fromkeys(possible), n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"{identity!r} is not a finding{hint}"
