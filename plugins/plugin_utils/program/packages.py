# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way in which the collection installs Debian's packages."""

from __future__ import annotations

from typing import Any, Callable

APT = "ansible.builtin.apt"
_HOW = {
    "state": "present",
    "install_recommends": False,
    "update_cache": True,
    "lock_timeout": 300,  # seconds: the first boot's upgrades hold the lock for minutes
}
_FRESH = (3600, 0)
"""How old the lists may be, in seconds; after a failure, not at all."""

Call = Callable[[str, dict[str, Any]], dict[str, Any]]


def install(names: list[str], call: Call, *, archives: bool = False, **more: Any) -> str:
    """Install packages by calling Ansible's module; return why that failed, or nothing.

    With new `archives` no list is fresh.
    """
    result: dict[str, Any] = {}
    for age in _FRESH[archives:]:
        result = call(APT, {"name": names, "cache_valid_time": age, **_HOW, **more})
        if not result.get("failed"):
            return ""
    return last_words(APT, result)


def last_words(module: str, result: dict[str, Any]) -> str:
    """Return what a module that failed said, and the end of what its program said."""
    words = (result.get("stderr") or "").strip().splitlines()[-5:]
    return "\n".join([f"{module}: {result.get('msg', 'failed')}", *words])
