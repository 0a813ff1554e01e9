# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.base_domain.redirects import (
    AnswerHead,
    Redirect,
    fault,
    wait,
)

REDIRECT = Redirect("/.well-known/matrix/server", to="https://m.example.com/x", status=302)
CORS = ("access-control-allow-origin", "*")
LOCATION = ("location", "https://m.example.com/x")
GOOD = AnswerHead(302, (LOCATION, CORS))
OLD = AnswerHead(404, ())


def test_a_redirect_with_cors_is_good() -> None:
    assert fault(REDIRECT, GOOD) is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(OLD, "status 404, not 302", id="status"),
        pytest.param(AnswerHead(302, (CORS,)), "leads to nowhere", id="no location"),
        pytest.param(
            AnswerHead(302, (("location", "/x"), CORS)), "leads to /x, not to https", id="elsewhere"
        ),
        pytest.param(AnswerHead(302, (LOCATION,)), "once (it is missing)", id="no CORS"),
        pytest.param(AnswerHead(302, (LOCATION, CORS, CORS)), "once (it is *, *)", id="CORS twice"),
    ],
)
def test_a_fault_is_named(answer: AnswerHead, words: str) -> None:
    assert words in str(fault(REDIRECT, answer))


def test_the_last_answers_before_a_reload_do_not_count() -> None:
    answers = iter([OLD, GOOD])
    assert wait([REDIRECT], lambda _path: next(answers), seconds=5) is None


def test_it_does_not_wait_forever() -> None:
    def refuse(_path: str) -> AnswerHead:
        raise ConnectionRefusedError(111, "Connection refused")

    found = wait([REDIRECT], refuse, seconds=0)
    assert found == "/.well-known/matrix/server does not answer: [Errno 111] Connection refused"
