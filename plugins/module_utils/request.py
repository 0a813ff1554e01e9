# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module is asked, however the question reaches the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

Result = dict[str, Any]


@dataclass(frozen=True)
class ModuleRequest:
    """The arguments, checked and with all defaults, and the mode of the run."""

    arguments: dict[str, Any]
    check: bool
    diff: bool


Answer = Callable[[ModuleRequest], Result]
"""Does what a module is for; a result that is no success has `failed` and `msg`."""
