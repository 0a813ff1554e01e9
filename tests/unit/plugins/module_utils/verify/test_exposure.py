# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.api.exposure import (
    judge_admin_api,
    judge_metrics,
    judge_private,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    PrivatePlace,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Exchange,
    Fault,
    Request,
)

TEXT = "# HELP python_info Python platform information\n# TYPE python_info gauge\n"
VERSION = {"server_version": "1.163.2"}
TOKEN = {"errcode": "M_MISSING_TOKEN", "error": "Missing access token"}
UNKNOWN = {"errcode": "M_UNRECOGNIZED", "error": "Unrecognized request"}


def answered(status: int, value: object = "", fault: str = "") -> Exchange:
    body = value.encode() if isinstance(value, str) else json.dumps(value).encode()
    error = Fault(fault, "no answer") if fault else None  # type: ignore[arg-type]  # short
    return Exchange(Request("https://example.com/x"), status=status, body=body, error=error)


@pytest.mark.parametrize(
    ("exchange", "verdict"),
    [
        pytest.param(answered(200, VERSION), "error", id="Synapse tells its version"),
        pytest.param(answered(401, TOKEN), "error", id="Synapse asks for a token"),
        pytest.param(answered(401, {"errcode": "M_UNKNOWN_TOKEN"}), "error", id="another token"),
        pytest.param(answered(200, {"users": []}), "error", id="a list of users"),
        pytest.param(answered(200, VERSION, "tls"), "error", id="certificate not trusted"),
        pytest.param(answered(404, UNKNOWN), "ok", id="another homeserver"),
        pytest.param(answered(404, "<html>"), "ok", id="not passed on"),
        pytest.param(answered(403, "<html>"), "ok", id="blocked"),
        pytest.param(answered(403, {"errcode": "M_FORBIDDEN"}), "ok", id="blocked by a rule"),
        pytest.param(answered(401, "Authorization Required"), "ok", id="password of the proxy"),
        pytest.param(answered(200, "<html>"), "ok", id="a web client for every path"),
        pytest.param(answered(200, "[]"), "ok", id="other JSON"),
        pytest.param(answered(302), "ok", id="redirected"),
        pytest.param(answered(0, fault="protocol"), "ok", id="hung up on"),
        pytest.param(answered(0, fault="timeout"), "skipped", id="no answer"),
        pytest.param(answered(502, "<html>"), "skipped", id="passed on to nobody"),
        pytest.param(answered(429), "skipped", id="asked too often"),
    ],
)
def test_admin_api(exchange: Exchange, verdict: str) -> None:
    others = [answered(404, UNKNOWN), answered(404, UNKNOWN)]
    assert judge_admin_api([*others, exchange], planned=True).verdict == verdict
    unplanned = judge_admin_api([exchange, *others], planned=False).verdict
    assert unplanned == ("warning" if verdict == "error" else verdict)


@pytest.mark.parametrize(
    ("exchange", "verdict"),
    [
        pytest.param(answered(200, TEXT), "error", id="Prometheus"),
        pytest.param(answered(200, f"go_info 1\n{TEXT}"), "error", id="begins with a value"),
        pytest.param(answered(200, TEXT, "too_large"), "error", id="many metrics"),
        pytest.param(answered(401, TEXT), "ok", id="a password is asked for"),
        pytest.param(answered(200, "<html># HELP x</html>"), "ok", id="a page"),
        pytest.param(answered(200, "# HELP\n"), "ok", id="a comment"),
        pytest.param(answered(404, UNKNOWN), "ok", id="not there"),
        pytest.param(answered(0, fault="refused"), "skipped", id="refused"),
    ],
)
def test_metrics(exchange: Exchange, verdict: str) -> None:
    assert judge_metrics([answered(404, UNKNOWN), exchange]).verdict == verdict


@pytest.mark.parametrize(
    ("exchange", "verdict"),
    [
        pytest.param(answered(404, UNKNOWN), "ok", id="as if there were nothing"),
        pytest.param(answered(403, "<html>"), "ok", id="blocked"),
        pytest.param(answered(200, "<html>"), "error", id="a page"),
        pytest.param(answered(401, TOKEN), "error", id="a token is asked for"),
        pytest.param(answered(302), "error", id="led elsewhere"),
        pytest.param(answered(0, fault="timeout"), "skipped", id="no answer"),
    ],
)
def test_private(exchange: Exchange, verdict: str) -> None:
    places = [PrivatePlace(f"https://example.com/{name}", "Page", ("::1/128",)) for name in "ab"]
    assert judge_private([answered(404, UNKNOWN), exchange], places).verdict == verdict
