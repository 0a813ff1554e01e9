# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts of the description: some in the inventory, some in a file."""

from __future__ import annotations

import json
from pathlib import Path

from canaries import given

GIVEN = {"listed": given("wren-lantern-orbit-19"), "filed": "mosaic-thimble-quarry-42"}
"""The passwords that the operator wrote."""
MADE = ("chief", "newcomer", "scribe")
"""Who gets one that the host makes."""
_FILE = f"name,displayname,password\nfiled,Filed,{GIVEN['filed']}\nscribe,A scribe,\n"


def written(folder: Path) -> str:
    """Write file and variables as an operator does, and return the option that takes them."""
    members = folder / "members.csv"
    members.write_text(_FILE, encoding="utf-8")
    users = [{"name": "listed", "password": GIVEN["listed"]}, {"name": "newcomer"}]
    variables = folder / "accounts.json"
    variables.write_text(
        json.dumps(
            {
                "matrix_admins": ["chief"],
                "matrix_users": [*users, {"name": "leaver", "state": "deactivated"}],
                "matrix_users_file": str(members),
            }
        ),
        encoding="utf-8",
    )
    return f"--extra-vars=@{variables}"
