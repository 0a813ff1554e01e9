# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run shall look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .expectations import Expectations


@dataclass(frozen=True)
class Scope:
    """What is to be verified, and what the operator expects to be seen."""

    server_name: str
    expectations: Expectations = field(default_factory=Expectations)
    published: Sequence[Mapping[str, Any]] = ()
    credentials: Mapping[str, Any] = field(default_factory=dict)
    allowed: Sequence[str] = ()
    ignore: Sequence[str] = ()
