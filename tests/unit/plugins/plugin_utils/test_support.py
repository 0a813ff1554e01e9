# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import re

import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.support import (
    read_support,
)

ADMIN = {"role": "m.role.admin", "matrix_id": "@admin:example.com"}


@pytest.mark.parametrize(
    ("given", "document"),
    [
        pytest.param({}, {}, id="nothing said, nothing published"),
        pytest.param(None, {}, id="nothing at all"),
        pytest.param({"contacts": [ADMIN]}, {"contacts": [ADMIN]}, id="one contact"),
        pytest.param(
            {"support_page": "https://example.com/"},
            {"support_page": "https://example.com/"},
            id="only a page",
        ),
        pytest.param(
            {"contacts": [], "support_page": "https://example.com/"},
            {"support_page": "https://example.com/"},
            id="no empty list is published",
        ),
        pytest.param(
            {"contacts": [{**ADMIN, "email_address": None}]},
            {"contacts": [ADMIN]},
            id="no empty way is published",
        ),
        pytest.param(
            {"contacts": [{**ADMIN, "matrix_id": "@Old:example.com"}]},
            {"contacts": [{**ADMIN, "matrix_id": "@Old:example.com"}]},
            id="historical Matrix ID",
        ),
        pytest.param(
            {"contacts": [{**ADMIN, "dev.zirco.msc4439.pgp_key": "https://example.com/key"}]},
            {"contacts": [{**ADMIN, "dev.zirco.msc4439.pgp_key": "https://example.com/key"}]},
            id="extension",
        ),
        pytest.param(
            {"contacts": [{**ADMIN, "role": "com.example.billing"}]},
            {"contacts": [{**ADMIN, "role": "com.example.billing"}]},
            id="own role",
        ),
    ],
)
def test_what_is_published(given: object, document: object) -> None:
    assert read_support("matrix_support", given) == document


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        pytest.param([], "matrix_support must be a dictionary, not [].", id="list"),
        pytest.param(
            {"contacts": []},
            "matrix_support needs at least one contact or a support_page.",
            id="no contact",
        ),
        pytest.param(
            {"admins": [ADMIN]},
            "matrix_support has the unknown key 'admins'; write contacts or support_page.",
            id="unknown key",
        ),
        pytest.param(
            {"contacts": [{"matrix_id": "@admin:example.com"}]},
            "Contact 1 of matrix_support has no role; write m.role.admin or m.role.security.",
            id="no role",
        ),
        pytest.param(
            {"contacts": [{"role": "m.role.admin"}]},
            "Contact 1 of matrix_support cannot be reached; "
            "give it a matrix_id or an email_address.",
            id="no way",
        ),
        pytest.param(
            {"contacts": [ADMIN, {**ADMIN, "email": "admin@example.com"}]},
            "Contact 2 of matrix_support has the unknown key 'email'; "
            "write matrix_id, email_address or role.",
            id="mistyped way",
        ),
        pytest.param(
            {"contacts": [{**ADMIN, "role": "m.role.dpo"}]},
            "Contact 1 of matrix_support has a wrong role: the specification has no role "
            "'m.role.dpo'; write m.role.admin or m.role.security.",
            id="reserved role",
        ),
        pytest.param(
            {"contacts": [{**ADMIN, "matrix_id": "admin"}]},
            "Contact 1 of matrix_support is wrong: "
            "'admin' is not a Matrix ID like @user:example.com.",
            id="no Matrix ID",
        ),
        pytest.param(
            {"contacts": [{**ADMIN, "email_address": "admin at example.com"}]},
            "Contact 1 of matrix_support is wrong: "
            "'admin at example.com' is not an e-mail address like admin@example.com.",
            id="no e-mail address",
        ),
        pytest.param(
            {"contacts": [ADMIN, ADMIN]},
            "Contact 2 of matrix_support is listed twice; list it once.",
            id="twice",
        ),
        pytest.param(
            {"contacts": [ADMIN], "support_page": "/support"},
            "matrix_support.support_page is wrong: "
            "'/support' is not an address like https://example.com/support.",
            id="relative page",
        ),
        pytest.param(
            {"contacts": [{}]},
            "Contact 1 of matrix_support has no role; write m.role.admin or m.role.security.\n"
            "Contact 1 of matrix_support cannot be reached; "
            "give it a matrix_id or an email_address.",
            id="two faults",
        ),
    ],
)
def test_what_is_refused(given: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        read_support("matrix_support", given)


def test_published_documents_are_stable() -> None:
    document = read_support(
        "matrix_support", {"support_page": "https://e.org/", "contacts": [ADMIN]}
    )
    assert list(document) == ["contacts", "support_page"]
    assert json.loads(json.dumps(document)) == document
