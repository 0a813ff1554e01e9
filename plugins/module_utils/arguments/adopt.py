# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of `homestead.matrix.adopt`."""

from __future__ import annotations

ARGUMENTS = {
    "adoption": {"type": "dict", "required": True},
    "settings": {"type": "dict", "required": True, "no_log": True},
}
