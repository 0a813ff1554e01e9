# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way in which the collection installs Debian's packages."""

from __future__ import annotations

import re
from typing import Any, Callable

from ansible.utils.display import Display

APT = "ansible.builtin.apt"
_HOW = {
    "state": "present",
    "install_recommends": False,
    "update_cache": True,
}
_WAITS = (10, 300)
"""Seconds for the lock, which the first boot's upgrades hold for minutes; a word in between."""
_LOCKED = re.compile(r"Failed to lock |[Gg]et lock |lock \(/")
_FRESH = (3600, 0)
"""How old the lists may be, in seconds; after a failure, not at all."""

Call = Callable[[str, dict[str, Any]], dict[str, Any]]


def install(names: list[str], call: Call, *, archives: bool = False, **more: Any) -> str:
    """Install packages by calling Ansible's module; return why that failed, or nothing.

    With new `archives` no list is fresh.
    """
    result: dict[str, Any] = {}
    for age in _FRESH[archives:]:
        result = _patient(call, {"name": names, "cache_valid_time": age, **_HOW, **more})
        if not result.get("failed"):
            return ""
    return last_words(APT, result)


def _patient(call: Call, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call the module, and once more, for longer, if another program has the lock."""
    soon, late = _WAITS
    result = call(APT, {**arguments, "lock_timeout": soon})
    if not result.get("failed") or not _LOCKED.search(last_words(APT, result)):
        return result
    holder = re.search(r"held by process \d+ \([^)]+\)", result.get("stdout") or "")
    whose = f" ({holder[0]})" if holder else ""
    Display().display(
        f"Another program installs packages{whose}; waiting for up to {late} seconds."
    )
    return call(APT, {**arguments, "lock_timeout": late})


def last_words(module: str, result: dict[str, Any]) -> str:
    """Return what a module that failed said, and the end of what its program said."""
    words = (result.get("stderr") or "").strip().splitlines()[-5:]
    return "\n".join([f"{module}: {result.get('msg', 'failed')}", *words])
