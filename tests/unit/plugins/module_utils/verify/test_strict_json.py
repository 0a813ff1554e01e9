# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.strict_json import (
    loads,
    text_at,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "it is empty", id="empty"),
        pytest.param(b" \n", "it is empty", id="blank"),
        pytest.param(b"<html>", "HTML", id="page"),
        pytest.param(b"\xef\xbb\xbf{}", "byte order mark", id="mark"),
        pytest.param('{"a":1}'.encode("utf-16"), "UTF-8", id="UTF-16"),
        pytest.param(b'"\xff"', "UTF-8", id="not UTF-8"),
        pytest.param(b'"\\ud800"', "UTF-8", id="half a character"),
        pytest.param(b"[NaN]", "NaN", id="not a number"),
        pytest.param(b'{"a":1,}', "line 1, column", id="last comma"),
        pytest.param(b"{} x", "line 1, column", id="more behind"),
        pytest.param(b"[" * 100 + b"]" * 100, "deep", id="deep"),
        pytest.param(b"[" * 100_000, "deep", id="very deep"),
        pytest.param(b"9" * 10_000, "too large", id="endless number"),
        pytest.param(b"-1e999", "too large", id="number that no double holds"),
    ],
)
def test_what_is_not_json(body: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        loads(body)


def test_keys_named_twice() -> None:
    document = loads(b'{"a": 1, "b": {"c": 1, "c": 2}, "a": 3}')
    assert document.value == {"a": 3, "b": {"c": 2}}
    assert sorted(document.duplicates) == ["a", "c"]


@given(st.binary() | st.text().map(lambda text: json.dumps(text).encode()))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(ValueError):
        assert loads(body).duplicates == ()


@pytest.mark.parametrize(
    ("value", "found"),
    [({"a": {"b": "c"}}, "c"), ({"a": {"b": 1}}, None), ({"a": ["b"]}, None), ("a", None)],
)
def test_text_at(value: object, found: str | None) -> None:
    assert text_at(value, "a", "b") == found
