# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils import names
from ansible_collections.homestead.matrix.plugins.module_utils.verify.documents.contacts import (
    CHECKS,
    judge_support,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.documents.discovery import (
    base_url,
    judge_discovery,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.peers.delegation import (
    judge_delegation,
)
from hypothesis import given
from hypothesis import strategies as st

URL = "https://matrix.example.com"
ADMIN = {"role": "m.role.admin", "email_address": "a@example.com"}
HOMESERVER = {"m.homeserver": {"base_url": URL}}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)


def named(findings: list[Any]) -> set[str]:
    return {f"{item.verdict} {item.id.rpartition('.')[2]}" for item in findings}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(HOMESERVER, {"ok homeserver"}, id="plain"),
        pytest.param({}, {"error homeserver"}, id="nothing"),
        pytest.param({"m.homeserver": URL}, {"error homeserver"}, id="not an object"),
        pytest.param({"m.homeserver": {"base_url": 1}}, {"error homeserver"}, id="a number"),
        pytest.param({"m.homeserver": {"base_url": ""}}, {"error homeserver"}, id="empty"),
        pytest.param(
            {"m.homeserver": {"base_url": "matrix.example.com"}}, {"error homeserver"}, id="no URL"
        ),
        pytest.param(
            {"m.homeserver": {"base_url": "http://a.org"}}, {"error homeserver"}, id="not https"
        ),
        pytest.param(
            {"m.homeserver": {"base_url": "https://a.org:x"}}, {"error homeserver"}, id="bad port"
        ),
        pytest.param(
            {"m.homeserver": {"base_url": "https://a.org?x"}}, {"error homeserver"}, id="query"
        ),
        pytest.param(
            {"m.homeserver": {"base_url": f"{URL}/"}}, {"info homeserver"}, id="last slash"
        ),
        pytest.param(
            {**HOMESERVER, "m.identity_server": {}},
            {"ok homeserver", "error identity_server"},
            id="identity server without URL",
        ),
        pytest.param(
            {**HOMESERVER, "m.identity_server": {"base_url": "vector.im"}},
            {"ok homeserver", "error identity_server"},
            id="identity server is no URL",
        ),
        pytest.param(
            {**HOMESERVER, "m.identity_server": {"base_url": "https://vector.im"}},
            {"ok homeserver"},
            id="identity server",
        ),
        pytest.param(
            {**HOMESERVER, "org.matrix.msc3575.proxy": {"url": URL}},
            {"ok homeserver", "warning obsolete"},
            id="sliding sync proxy",
        ),
        pytest.param({**HOMESERVER, "x": 1}, {"ok homeserver", "warning keys"}, id="odd key"),
        pytest.param({**HOMESERVER, "m.x": 1}, {"ok homeserver", "info keys"}, id="reserved key"),
        pytest.param({**HOMESERVER, "com.example.x": 1}, {"ok homeserver"}, id="own key"),
    ],
)
def test_discovery(value: dict[str, Any], expected: set[str]) -> None:
    assert named(judge_discovery(value)) == expected


@pytest.mark.parametrize(
    ("value", "url"),
    [
        (HOMESERVER, URL),
        ({"m.homeserver": {"base_url": f"{URL}/"}}, URL),
        ({"m.homeserver": {"base_url": f"{URL}/path/"}}, f"{URL}/path"),
        ({"m.homeserver": {"base_url": "x"}}, ""),
        (None, ""),
    ],
)
def test_base_url(value: Any, url: str) -> None:
    assert base_url(value) == url


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({"m.server": "a.org:443"}, {"ok m_server"}, id="plain"),
        pytest.param({"m.server": "https://a.org"}, {"error m_server"}, id="URL"),
        pytest.param({}, {"error m_server"}, id="nothing"),
        pytest.param({"m.server": "a.org", "x": 1}, {"ok m_server", "info keys"}, id="more keys"),
    ],
)
def test_delegation(value: dict[str, Any], expected: set[str]) -> None:
    assert named(judge_delegation(value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({"contacts": {}}, {"error contacts_type"}, id="contacts are an object"),
        pytest.param({"contacts": []}, {"error contacts_empty"}, id="nobody"),
        pytest.param({"contacts": ["x"]}, {"error contact_type"}, id="contact is a text"),
        pytest.param(
            {"contacts": [{"email_address": "a@b.org"}]},
            {"error contact_no_role"},
            id="no role",
        ),
        pytest.param(
            {"support_page": "https://a.org", "policies": {}},
            {"ok content", "warning key_reserved"},
            id="key of a proposal, stable name",
        ),
        pytest.param(
            {"support_page": "https://a.org", "com.example.x": 1},
            {"ok content", "info key_custom"},
            id="own key",
        ),
        pytest.param(
            {"contacts": [{**ADMIN, "dev.zirco.msc4439.pgp_key": "5F2D E552 1C63"}]},
            {"ok content", "warning pgp_key", "info msc4439"},
            id="a key that is no address",
        ),
    ],
)
def test_support(value: dict[str, Any], expected: set[str]) -> None:
    assert named(judge_support(value)) == expected


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        pytest.param("https://example.com/key.asc", False, id="https"),
        pytest.param("openpgp4fpr:5f2de5521c63a801ab59ccb603d49de44b29100f", False, id="print"),
        pytest.param("dns:5d2d37ab._openpgpkey.example.com?type=OPENPGPKEY", False, id="DNS"),
        pytest.param("http://example.com/key.asc", True, id="without TLS"),
        pytest.param("https:/key.asc", True, id="no host"),
        pytest.param("AB:CD:EF", True, id="a fingerprint"),
        pytest.param("-----BEGIN PGP PUBLIC KEY BLOCK-----\n" + "x" * 3000, True, id="the key"),
        pytest.param(None, True, id="nothing"),
    ],
)
def test_where_a_pgp_key_is(key: object, wrong: bool) -> None:
    contact = {**ADMIN, "dev.zirco.msc4439.pgp_key": key}
    assert ("warning pgp_key" in named(judge_support({"contacts": [contact]}))) is wrong


KEYS = st.sampled_from(
    [
        "m.homeserver",
        "base_url",
        "m.identity_server",
        "m.server",
        "contacts",
        "support_page",
        "role",
        "matrix_id",
        "email_address",
        "admins",
    ]
)
DOCUMENT = st.dictionaries(KEYS | TEXTS, JSON | st.dictionaries(KEYS, JSON), max_size=5)


@given(DOCUMENT)
def test_any_object_is_judged(value: dict[str, Any]) -> None:
    for judge in (judge_discovery, judge_delegation, judge_support):
        assert judge(value) is not None
    base_url(value)


def test_every_fault_of_a_name_has_a_check() -> None:
    source = Path(names.__file__).read_text(encoding="utf-8")
    codes = set(re.findall(r'"((?:mxid|email|role|page|pgp)_[a-z_]+)"', source))
    assert codes <= set(CHECKS)
    assert {f"well_known.support.{code}" for code in CHECKS} == {
        item.id for item in CHECKS.values()
    }
