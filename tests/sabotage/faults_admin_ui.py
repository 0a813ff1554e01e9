# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the administration page: whoever is no administrator gets to see some of it."""

from __future__ import annotations

from damage import Edit, Edits
from fault import SITE, fault

PRIVATE, API = "error exposure.private", "error exposure.admin_api"
LOCAL = "        allow 127.0.0.0/8;\n"


def answered(location: str, rule: str = "allow all;") -> Edit:
    """Let the web server answer strangers at a private address."""
    block = f"    location {location} {{\n"
    return Edit("matrix", SITE, f"{block}{LOCAL}", f"{block}        {rule}\n{LOCAL}")


FAULTS = [
    fault("everybody may open the administration page", answered("/admin/"), PRIVATE),
    fault(
        "everybody may read the administration page's settings",
        answered("= /admin/config.json"),
        PRIVATE,
    ),
    fault("everybody may use the admin API", answered("/_synapse/admin/"), API),
    fault(
        "everybody may open the administration page and use the admin API",
        Edits((answered("/admin/"), answered("/_synapse/admin/"))),
        PRIVATE,
        API,
    ),
    fault(
        "strangers are asked for a password of the administration page",
        answered("/admin/", 'satisfy any; auth_basic "Page"; auth_basic_user_file /dev/null;'),
        PRIVATE,
    ),
    fault(
        "strangers are led from the administration page to another one",
        answered("/admin/", "error_page 403 =302 https://$host/_matrix/static/;"),
        PRIVATE,
    ),
]
