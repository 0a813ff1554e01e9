# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several components at once, or all that there are: what the lab must have for them."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from ansible_collections.homestead.matrix.plugins.plugin_utils.description.components import (
    optional,
)
from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from ansible_collections.homestead.matrix.tests.lab.runs import Run

ALL = optional()


def module(name: str) -> ModuleType:
    return importlib.import_module(f"{__package__}.{name}")


@dataclass(frozen=True)
class Choices:
    """What each of the components needs; their surroundings are there."""

    lab: Lab
    needed: dict[str, dict[str, Any]]

    def variables(self, names: Iterable[str] = ALL) -> dict[str, Any]:
        """Return the variables of a server with these components."""
        chosen = [name for name in ALL if name in set(names)]
        merged: dict[str, Any] = {"matrix_components": chosen}
        for name in chosen:
            merged = _merged(merged, self.needed[name])
        return merged

    def is_possible(self, names: Iterable[str]) -> bool:
        """Tell whether a description may have these without the others."""
        try:
            self.lab.site(**self.variables(names))
        except ValueError:
            return False
        return True


@dataclass(frozen=True)
class Everything:
    """A server with all components at once, what its inventory says, and what others saw."""

    lab: Lab
    variables: dict[str, Any]
    first: Run
    command_lines: str

    @property
    def owner(self) -> str:
        """The Matrix ID that owns the bridges."""
        return str(self.variables["matrix_bridge_admins"][0])


@contextmanager
def surroundings(lab: Lab) -> Iterator[Choices]:
    """Set up what all components need around them, and take it away."""
    modules = {name: module(name) for name in ALL}
    with ExitStack() as stack:
        for each in modules.values():
            stack.enter_context(each.surroundings(lab))
        yield Choices(lab, {name: each.variables(lab) for name, each in modules.items()})


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return both; lists and dictionaries that both have become one."""
    merged = {**one, **other}
    for key in one.keys() & other.keys():
        if isinstance(one[key], list):
            merged[key] = one[key] + [item for item in other[key] if item not in one[key]]
        elif isinstance(one[key], dict):
            merged[key] = _merged(one[key], other[key])
        else:
            assert one[key] == other[key], f"two components want another {key}"
    return merged
