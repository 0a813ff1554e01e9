# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.answers import newest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.api.media import (
    judge_config,
    judge_route,
    judge_size,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Exchange,
    Fault,
    Request,
)

NEW, OLD = (1, 12), (1, 10)


def answered(status: int, code: str = "") -> Exchange:
    body = json.dumps({"errcode": code}).encode() if code else b"<html>"
    error = None if status else Fault("timeout", "no answer in time")
    return Exchange(Request("https://example.com/x"), status=status, body=body, error=error)


@pytest.mark.parametrize(
    ("exchange", "version", "verdict", "words"),
    [
        pytest.param(answered(401, "M_MISSING_TOKEN"), NEW, "ok", "cannot be told", id="there"),
        pytest.param(answered(404, "M_UNRECOGNIZED"), OLD, "warning", "too old", id="too old"),
        pytest.param(answered(404, "M_UNRECOGNIZED"), NEW, "warning", "claims v1.12", id="claims"),
        pytest.param(answered(200), NEW, "warning", "answers 200", id="no token needed"),
        pytest.param(answered(502), NEW, "warning", "answers 502", id="behind a dead service"),
        pytest.param(answered(429), NEW, "skipped", "429", id="limited"),
        pytest.param(answered(0), NEW, "skipped", "no answer", id="no answer"),
    ],
)
def test_files_for_users(
    exchange: Exchange, version: tuple[int, int], verdict: str, words: str
) -> None:
    finding = judge_config(exchange, version)
    assert finding.verdict == verdict
    assert words in finding.message


@pytest.mark.parametrize(
    ("exchange", "verdict"),
    [
        pytest.param(answered(404, "M_NOT_FOUND"), "ok", id="Synapse, Dendrite"),
        pytest.param(answered(403, "M_FORBIDDEN"), "ok", id="old downloads switched off"),
        pytest.param(answered(404, "M_UNRECOGNIZED"), "warning", id="our own proxy"),
        pytest.param(answered(404), "warning", id="not passed on"),
        pytest.param(answered(200), "warning", id="a web client for every path"),
        pytest.param(answered(502, "M_UNKNOWN"), "warning", id="our own proxy, service down"),
        pytest.param(answered(429), "skipped", id="limited"),
        pytest.param(answered(0), "skipped", id="no answer"),
    ],
)
def test_route(exchange: Exchange, verdict: str) -> None:
    assert judge_route(exchange).verdict == verdict


@pytest.mark.parametrize(
    ("exchange", "verdict"),
    [
        pytest.param(answered(100), "ok", id="may be sent"),
        pytest.param(answered(401, "M_MISSING_TOKEN"), "ok", id="a token is asked for first"),
        pytest.param(answered(413, "M_TOO_LARGE"), "error", id="too large"),
        pytest.param(answered(413), "error", id="too large for the proxy"),
        pytest.param(answered(417), "skipped", id="does not take announcements"),
        pytest.param(answered(0), "skipped", id="waits for the file"),
    ],
)
def test_size(exchange: Exchange, verdict: str) -> None:
    assert judge_size(exchange, 50).verdict == verdict


@pytest.mark.parametrize(
    ("versions", "found"),
    [
        (["r0.6.1", "v1.1", "v1.11"], (1, 11)),
        (["v1.9", "v1.10", "v1.2"], (1, 10)),
        (["r0.6.1"], (0, 0)),
        (["v1", "v1.x", "v²", "", 1, None, "v1.99999"], (0, 0)),
    ],
)
def test_newest_version(versions: list[object], found: tuple[int, int]) -> None:
    assert newest(versions) == found
