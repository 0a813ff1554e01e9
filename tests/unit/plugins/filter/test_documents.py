# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.filter.documents import documents
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site

DIRECTORY = "/var/lib/homestead/well-known"
PAGE = {"support_page": "https://example.com/help"}


@pytest.mark.parametrize(
    ("given", "names"),
    [
        pytest.param({}, ["client", "server"], id="nobody to ask"),
        pytest.param({"support": PAGE}, ["client", "server", "support"], id="support"),
        pytest.param({"serve_base_domain": True}, ["client", "server"], id="served twice"),
    ],
)
def test_every_served_document_is_one_file(given: dict[str, object], names: list[str]) -> None:
    files = documents(site("example.com", given))
    assert [file["path"] for file in files] == [f"{DIRECTORY}/{name}" for name in names]


def test_a_file_holds_its_document() -> None:
    derived = site("example.com", {"support": PAGE})
    assert {file["path"]: file["document"] for file in documents(derived)} == {
        f"{DIRECTORY}/{name}": document for name, document in dict(derived["well_known"]).items()
    }
