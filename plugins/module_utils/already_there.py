# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host may have already, and what a run does with it.

Whatever decides says so beside its decision, in a tuple `ALREADY_THERE` of its file; from all of
these, wherever they stand in the plugins, follows the table of docs/already_there.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Deed = Literal["refuses", "adopts", "copies aside", "uses", "leaves alone"]


@dataclass(frozen=True)
class Found:
    """A kind of thing that others left on a host; each text is a phrase in Markdown."""

    what: str
    deed: Deed
    how: str = ""
    """What the operator can do, or what exactly happens."""
