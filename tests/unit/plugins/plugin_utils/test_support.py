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

PGP_KEY = "dev.zirco.msc4439.pgp_key"
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
            {"contacts": [ADMIN, {**ADMIN, "role": "com.example.billing"}]},
            {"contacts": [ADMIN, {**ADMIN, "role": "com.example.billing"}]},
            id="own role",
        ),
    ],
)
def test_what_is_published(given: object, document: object) -> None:
    assert read_support("matrix_support", given) == document


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        pytest.param([], "matrix_support must be a dictionary, not a list.", id="list"),
        pytest.param(
            {"contacts": []},
            "matrix_support: The document has neither contacts nor a support page. Publish a list",
            id="no contact",
        ),
        pytest.param(
            {"admins": [ADMIN]},
            "matrix_support has the unknown key 'admins'; write contacts or support_page.",
            id="unknown key",
        ),
        pytest.param(
            {"contacts": [{"matrix_id": "@admin:example.com"}]},
            "matrix_support: Contact 1 has no role. Give each contact a role (m.role.admin or ",
            id="no role",
        ),
        pytest.param(
            {"contacts": [{"role": "m.role.admin"}]},
            "matrix_support: Contact 1 has neither a matrix_id nor an email_address. Give each",
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
            "matrix_support: Contact 1: the specification has no role 'm.role.dpo'; write "
            "m.role.admin or m.role.security. Use m.role.admin",
            id="reserved role",
        ),
        pytest.param(
            {"contacts": [{**ADMIN, "matrix_id": "admin"}]},
            "matrix_support: Contact 1: 'admin' is not a Matrix ID like @user:example.com. Write",
            id="no Matrix ID",
        ),
        pytest.param(
            {"contacts": [{**ADMIN, "email_address": "admin at example.com"}]},
            "matrix_support: Contact 1: 'admin at example.com' is not an e-mail address like "
            "admin@example.com. Write a plain",
            id="no e-mail address",
        ),
        pytest.param(
            {"contacts": [ADMIN, ADMIN]},
            "matrix_support: A contact is listed twice. List each contact once.",
            id="twice",
        ),
        pytest.param(
            {"contacts": [ADMIN], "support_page": "/support"},
            "matrix_support: The document: '/support' is not an address like "
            "https://example.com/support. Write an absolute https address",
            id="relative page",
        ),
        pytest.param(
            {"contacts": [ADMIN], "support_page": "javascript:alert(1)"},
            "matrix_support: The document: the support page 'javascript:alert(1)' is not served "
            "by https. Write an absolute https address",
            id="a page that is a program",
        ),
        pytest.param(
            {"contacts": [{**ADMIN, PGP_KEY: "5F2D E552 1C63"}]},
            "matrix_support: Contact 1: '5F2D E552 1C63' is not the address of an OpenPGP key, "
            "like https://example.com/key.asc. Write where the key is",
            id="a key that is no address",
        ),
        pytest.param(
            {"contacts": [{**ADMIN, "role": "m.role.security"}]},
            "matrix_support: No contact has the catch-all role m.role.admin. Give one contact",
            id="nobody for everything",
        ),
        pytest.param(
            {"contacts": [ADMIN], "com.example.share": float("inf")},
            "matrix_support cannot be published: Infinity is not JSON.",
            id="no JSON",
        ),
        pytest.param(
            {"contacts": [ADMIN], "com.example.text": "x" * 60000},
            "matrix_support is too long; a document has at most 50 KiB.",
            id="too long",
        ),
        pytest.param(
            {"contacts": [{}]},
            "matrix_support: Contact 1 has no role. Give each contact a role (m.role.admin or "
            "m.role.security) and a matrix_id, an email_address or both.\nmatrix_support: "
            "Contact 1 has neither",
            id="two faults",
        ),
    ],
)
def test_what_is_refused(given: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        read_support("matrix_support", given)


def test_published_documents_are_stable() -> None:
    document = read_support(
        "matrix_support", {"support_page": "https://e.org/", "contacts": [ADMIN]}
    )
    assert list(document) == ["contacts", "support_page"]
    assert json.loads(json.dumps(document)) == document
