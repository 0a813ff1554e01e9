# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of `homestead.matrix.nginx_site`."""

from __future__ import annotations

from ..base_domain.redirects import OPTIONS

WORDS = {"type": "str", "required": True}
ARGUMENTS = {
    "name": WORDS,
    "snippet": {"type": "path", "required": True},
    "include": WORDS,
    "redirects": {"type": "list", "elements": "dict", "required": True, "options": OPTIONS},
}
