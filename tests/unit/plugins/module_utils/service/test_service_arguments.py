# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.service.arguments import (
    pack,
    unpack,
)
from ansible_collections.homestead.matrix.plugins.module_utils.service.model import (
    Reaction,
    ServiceError,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.service.paper import (
    service_of,
)
from hypothesis import given
from hypothesis import strategies as st


@given(st.dictionaries(st.text(), st.binary()))
def test_contents_survive_the_journey(contents: dict[str, bytes]) -> None:
    assert unpack(pack(contents)) == contents


@pytest.mark.parametrize(
    ("wish", "reaction"),
    [
        pytest.param("restart", Reaction(restart=("a.service", "b.timer")), id="restart all"),
        pytest.param("reload", Reaction(reload=("a.service", "b.timer")), id="reload all"),
        pytest.param("none", Reaction(), id="none"),
        pytest.param({"reload": ["nginx"]}, Reaction(reload=("nginx.service",)), id="foreign"),
        pytest.param({"reload": "nginx"}, Reaction(reload=("nginx.service",)), id="one foreign"),
    ],
)
def test_on_change(wish: Any, reaction: Reaction) -> None:
    files = [{"path": "/etc/a", "content": "a", "on_change": wish}]
    service = service_of(name="a", units=["a", "b.timer"], files=files)
    assert service.files[0].reaction == reaction


@pytest.mark.parametrize(
    ("entry", "mode"),
    [
        pytest.param({}, 0o644, id="plain"),
        pytest.param({"mode": "0640"}, 0o640, id="told"),
        pytest.param({"secret": True}, 0o600, id="secret"),
        pytest.param({"content": "@@homestead-secret:x@@"}, 0o600, id="holds a secret"),
    ],
)
def test_mode(entry: dict[str, Any], mode: int) -> None:
    service = service_of(name="a", files=[{"path": "/etc/a", "content": "a", **entry}])
    assert service.files[0].ownership.mode == mode


@pytest.mark.parametrize(
    ("task", "words"),
    [
        pytest.param({"name": "a/b"}, "name 'a/b' must be", id="name"),
        pytest.param({"files": [{"path": "etc", "content": ""}]}, "must be absolute", id="path"),
        pytest.param({"files": [{"path": "/a"}]}, "needs one of template", id="no source"),
        pytest.param(
            {"files": [{"path": "/a", "content": "", "mode": "rw"}]}, "octal digits", id="mode"
        ),
        pytest.param(
            {"files": [{"path": "/a", "content": ""}, {"path": "/a/", "link": "b"}]},
            "/a is listed twice",
            id="twice",
        ),
        pytest.param(
            {"files": [{"path": "/a", "content": "", "on_change": "stop"}]}, "'stop'", id="reaction"
        ),
        pytest.param(
            {"commands": [{"argv": ["login", "@@homestead-secret:x@@"]}]},
            "login: a secret must not stand on a command line",
            id="secret in argv",
        ),
        pytest.param({"secrets": {"x": {"length": 8}}}, "length of at least 16", id="short secret"),
        pytest.param({"secrets": {"x": {"size": 80}}}, "it has no size", id="unknown key"),
        pytest.param(
            {"secrets": {"x": {"given": True}}, "values": {"x": "two\nlines"}},
            "'x' must be one line",
            id="secret of two lines",
        ),
        pytest.param({"secrets": {"x": 3}}, "it is not 3", id="no secret"),
        pytest.param(
            {"secrets": {"x": {"kind": "ssh"}}},
            "'x' cannot be 'ssh'; its kind is one of text, wireguard, pem",
            id="unknown kind of secret",
        ),
        pytest.param(
            {"secrets": {"x": {"kind": "pem", "length": 1024}}}, "at least 2048", id="short key"
        ),
        pytest.param(
            {"programs": [{"path": "/opt/a", "version": "../1", "url": "x", "sha256": "0" * 64}]},
            "/opt/a: version '../1' must be a plain version",
            id="version that leads elsewhere",
        ),
        pytest.param(
            {"programs": [{"path": "/opt/a", "version": "1", "url": "https://example.com/a"}]},
            "/opt/a: sha256 must be the 64 small hexadecimal digits of its file",
            id="download without a checksum",
        ),
        pytest.param(
            {"databases": [{"name": 'a"b', "owner": "a", "version": 17}]},
            "database or owner 'a\"b' must be small letters",
            id="name of a database",
        ),
        pytest.param({"watch": [{"path": "/a", "on_change": ["b"]}]}, "['b']", id="bare list"),
        pytest.param(
            {"watch": [{"path": "/a", "on_change": {"reload": 3}}]}, "lists of units", id="no unit"
        ),
        pytest.param({"packages": ["nginx=1.2"]}, "a plain name", id="version of a package"),
        pytest.param({"packages": ["nginx:amd64"]}, "a plain name", id="architecture"),
    ],
)
def test_wrong_input_is_one_clear_sentence(task: dict[str, Any], words: str) -> None:
    with pytest.raises(ServiceError) as raised:
        service_of(**{"name": "a", **task})
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
