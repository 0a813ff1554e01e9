# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.documents.client_keys import (
    check_identity_server,
    judge_keys,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import Fault
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    NO_CONNECTION,
    FakeTransport,
    Reply,
)
from hypothesis import given
from hypothesis import strategies as st

FOCI, MANAGERS, JITSI = "org.matrix.msc4143.rtc_foci", "m.integrations", "io.element.jitsi"
E2EE, MAP, PANEL = "io.element.e2ee", "org.matrix.msc3488.tile_server", "cc.etke.ketesa"
KEYS = (FOCI, MANAGERS, JITSI, E2EE, MAP, PANEL, "im.vector.riot.e2ee", "m.tile_server")
LIVEKIT = {"type": "livekit", "livekit_service_url": "https://rtc.example.com/livekit/jwt"}
MANAGER = {"api_url": "https://dimension.example.com/api", "ui_url": "https://d.example.com/"}
URL = "https://vector.example"
STATUS = f"{URL}/_matrix/identity/v2"


@pytest.mark.parametrize(
    ("key", "value", "verdict"),
    [
        pytest.param(FOCI, [LIVEKIT], "ok", id="LiveKit"),
        pytest.param(FOCI, [], "ok", id="no focus"),
        pytest.param(FOCI, [{"type": "org.example.sfu"}], "ok", id="another kind of focus"),
        pytest.param(FOCI, LIVEKIT, "warning", id="focus not in a list"),
        pytest.param(FOCI, [{"livekit_service_url": URL}], "warning", id="focus without type"),
        pytest.param(FOCI, [{"type": "livekit"}], "warning", id="focus without address"),
        pytest.param(
            FOCI,
            [LIVEKIT, {**LIVEKIT, "livekit_service_url": "http://a.org"}],
            "warning",
            id="focus not https",
        ),
        pytest.param(FOCI, ["https://a.org"], "warning", id="focus is a text"),
        pytest.param(MANAGERS, {"managers": [MANAGER]}, "ok", id="integration manager"),
        pytest.param(MANAGERS, {"managers": [{}]}, "warning", id="manager without addresses"),
        pytest.param(MANAGERS, [MANAGER], "warning", id="managers are the list"),
        pytest.param(MANAGERS, {"managers": [{**MANAGER, "ui_url": "x"}]}, "warning", id="no URL"),
        pytest.param(JITSI, {"preferredDomain": "meet.example.com"}, "ok", id="Jitsi"),
        pytest.param(JITSI, {"preferredDomain": "meet.example.com:8443"}, "ok", id="with port"),
        pytest.param(JITSI, {"preferredDomain": "https://a.org"}, "warning", id="Jitsi as URL"),
        pytest.param(JITSI, {"preferredDomain": "a.org/x"}, "warning", id="Jitsi with path"),
        pytest.param(JITSI, {"preferred_domain": "a.org"}, "warning", id="another spelling"),
        pytest.param(E2EE, {"default": False}, "ok", id="a flag"),
        pytest.param(E2EE, {"secure_backup_setup_methods": ["key"]}, "ok", id="another setting"),
        pytest.param(E2EE, {"force_disable": "true"}, "warning", id="a flag in quotes"),
        pytest.param(E2EE, True, "warning", id="no object"),
        pytest.param(MAP, {"map_style_url": "https://maps.example/s.json?key=1"}, "ok", id="map"),
        pytest.param(MAP, {"map_style_url": "s.json"}, "warning", id="map without host"),
        pytest.param(MAP, "https://maps.example", "warning", id="map is a text"),
        pytest.param(PANEL, {"restrictBaseUrl": URL}, "info", id="admin panel"),
        pytest.param(PANEL, [], "warning", id="admin panel is a list"),
        pytest.param("com.example.own", 1, None, id="own key"),
    ],
)
def test_keys(key: str, value: Any, verdict: str | None) -> None:
    assert [item.verdict for item in judge_keys({key: value})] == ([verdict] if verdict else [])


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        pytest.param(Reply(body=b"{}"), "ok", id="answers"),
        pytest.param(Reply(body=b"<html>"), "error", id="a page"),
        pytest.param(Reply(404, b"{}"), "error", id="not there"),
        pytest.param(NO_CONNECTION, "error", id="dead"),
        pytest.param(
            Reply(0, error=Fault("no_route", "this machine has no route")), "unknown", id="no route"
        ),
        pytest.param(Reply(body=b"{}", error=Fault("tls", "expired")), "error", id="not trusted"),
    ],
)
@pytest.mark.parametrize("base", [URL, f"{URL}/"])
def test_identity_server(reply: Reply, verdict: str, base: str) -> None:
    transport = FakeTransport(replies={STATUS: reply})
    value = {"m.identity_server": {"base_url": base}}
    found = asyncio.run(check_identity_server(transport, value))
    assert [item.verdict for item in found] == [verdict]
    assert ("(FAIL_ERROR)" in found[0].message) == (verdict == "error")


@pytest.mark.parametrize("value", [None, {}, {"m.identity_server": {"base_url": "vector.example"}}])
def test_nobody_is_asked_without_an_address(value: Any) -> None:
    transport = FakeTransport()
    assert asyncio.run(check_identity_server(transport, value)) == []
    assert not transport.requests


VALUES = st.recursive(
    st.none() | st.booleans() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["managers", "type", "api_url", "default"]), inner)
    ),
)


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1))
def test_anything_is_judged(value: dict[str, Any]) -> None:
    assert judge_keys(value)
