# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.api.registration import (
    MODE,
    SeenMode,
    classify,
    judge_mode,
    mode_of,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Exchange,
    Request,
)
from hypothesis import given
from hypothesis import strategies as st

TOKEN, DUMMY, TERMS = "m.login.registration_token", "m.login.dummy", "m.login.terms"
EMAIL, PHONE, CAPTCHA = "m.login.email.identity", "m.login.msisdn", "m.login.recaptcha"


@pytest.mark.parametrize(
    ("flows", "mode"),
    [
        pytest.param([[TOKEN, DUMMY]], "token", id="token"),
        pytest.param([[TOKEN, DUMMY], [TOKEN, EMAIL]], "token", id="token with mail server"),
        pytest.param([[TOKEN, TERMS, DUMMY]], "token", id="token with terms"),
        pytest.param([[EMAIL]], "email", id="e-mail"),
        pytest.param([[EMAIL], [PHONE]], "email", id="e-mail or telephone"),
        pytest.param([[EMAIL], [TOKEN]], "token_or_email", id="e-mail or token"),
        pytest.param([[CAPTCHA, DUMMY]], "captcha", id="captcha"),
        pytest.param([[CAPTCHA, DUMMY], [TOKEN]], "captcha", id="captcha or token"),
        pytest.param([[CAPTCHA, TERMS, DUMMY]], "captcha", id="captcha and terms"),
        pytest.param([[CAPTCHA, EMAIL]], "email", id="captcha and e-mail"),
        pytest.param([[CAPTCHA, TERMS, EMAIL]], "email", id="captcha, terms and e-mail"),
        pytest.param([[TOKEN, CAPTCHA, TERMS, DUMMY]], "token", id="token, captcha and terms"),
        pytest.param([[DUMMY]], "open", id="open"),
        pytest.param([[DUMMY], [EMAIL]], "open", id="open with mail server"),
        pytest.param([[TERMS, DUMMY]], "open", id="open with terms"),
        pytest.param([[TOKEN], [DUMMY]], "open", id="open beside tokens"),
        pytest.param([[]], "open", id="no stage"),
        pytest.param([["m.login.sso"]], "unknown", id="something else"),
    ],
)
def test_mode_of_flows(flows: list[list[str]], mode: str) -> None:
    assert mode_of([frozenset(flow) for flow in flows]) == mode


def answered(status: int, body: bytes) -> Exchange:
    return Exchange(Request("https://example.com/"), status=status, body=body)


@pytest.mark.parametrize(
    ("status", "body", "sign_up", "mode"),
    [
        pytest.param(403, b'{"errcode":"M_FORBIDDEN"}', None, "closed", id="closed"),
        pytest.param(403, b'{"errcode":"M_FORBIDDEN"}', False, "closed", id="OAuth, closed"),
        pytest.param(403, b'{"errcode":"M_FORBIDDEN"}', True, "unknown", id="OAuth, sign-up"),
        pytest.param(403, b"<html>", None, "unknown", id="refused by a proxy"),
        pytest.param(404, b"", None, "unknown", id="not there"),
        pytest.param(429, b'{"errcode":"M_LIMIT_EXCEEDED"}', None, "unknown", id="limited"),
        pytest.param(401, b'{"errcode":"M_UNAUTHORIZED"}', None, "unknown", id="no flows"),
        pytest.param(401, b'{"flows":[]}', None, "unknown", id="empty flows"),
        pytest.param(401, b'{"flows":{"a":1}}', None, "unknown", id="flows of another form"),
        pytest.param(401, b'{"flows":[{"stages":[1]}]}', None, "unknown", id="stages are numbers"),
        pytest.param(401, b'{"flows":[{"stages":["m.login.dummy"]}]}', None, "open", id="open"),
    ],
)
def test_classification(status: int, body: bytes, sign_up: bool | None, mode: str) -> None:
    assert classify(answered(status, body), sign_up=sign_up).mode == mode


@pytest.mark.parametrize(
    ("mode", "expected", "verdict"),
    [
        ("token", "invite", "ok"),
        ("closed", "closed", "ok"),
        ("email", "email", "ok"),
        ("token_or_email", "email", "ok"),
        ("open", "open", "ok"),
        ("open", "", "warning"),
        ("open", "invite", "error"),
        ("captcha", "", "ok"),
        ("captcha", "open", "ok"),
        ("captcha", "email", "error"),
        ("closed", "open", "error"),
        ("token_or_email", "invite", "error"),
        ("unknown", "invite", "unknown"),
    ],
)
def test_verdict_on_the_mode(mode: object, expected: str, verdict: str) -> None:
    seen = SeenMode(mode)  # type: ignore[arg-type]  # a table of texts
    findings = judge_mode(seen, expected, answered(401, b""))
    assert [(item.id, item.verdict) for item in findings] == [(MODE.id, verdict)]


@given(st.integers(0, 599), st.binary())
def test_any_answer_is_classified(status: int, body: bytes) -> None:
    assert classify(answered(status, body), sign_up=None).mode
