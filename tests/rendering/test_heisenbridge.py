# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role writes for the IRC bridge, judged by systemd where that can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from exposure import assert_low, needs_systemd_analyze
from nginx_rendering import Role, described

CAPABILITY = "AmbientCapabilities=CAP_NET_BIND_SERVICE"


def role(**inputs: Any) -> Role:
    given = {"components": ["heisenbridge"], "bridge_admins": ["@alice:example.com"], **inputs}
    return Role("heisenbridge", matrix_site=described(**given))


def unit(**inputs: Any) -> str:
    return role(**inputs).render("heisenbridge.service.j2")


@needs_systemd_analyze
@pytest.mark.parametrize("identd", [True, False])
def test_its_exposure_is_low(identd: bool, tmp_path: Path) -> None:
    assert_low("heisenbridge.service", unit(heisenbridge_identd=identd), tmp_path)


def test_a_low_port_is_only_asked_for_where_ident_is_wanted() -> None:
    assert "    --identd \\\n    http://" in unit()
    assert CAPABILITY in unit()
    assert "--identd" not in unit(heisenbridge_identd="no")
    assert CAPABILITY not in unit(heisenbridge_identd="no")


def test_its_registration_is_that_of_synapse_and_where_media_are() -> None:
    (entry,) = role().value("_heisenbridge_registration")
    document = entry["document"]
    assert document.pop("heisenbridge") == {"media_url": "https://matrix.example.com"}
    (other,) = Role("synapse", matrix_site=role().value("matrix_site")).value(
        "_synapse_registrations"
    )
    assert document == other["document"]
    assert (entry["mode"], entry["group"]) == ("0640", "heisenbridge")


def test_it_listens_on_the_loopback_address_only() -> None:
    (entry,) = role().value("_heisenbridge_registration")
    assert entry["document"]["url"] == "http://127.0.0.1:9898"


def test_all_administrators_reach_it() -> None:
    admins = ["@alice:example.com", "@Bob:other.example"]
    (entry,) = [
        file
        for file in role(bridge_admins=admins).value("_heisenbridge_files")
        if file["path"].endswith("administrators.json")
    ]
    assert entry["document"] == admins
