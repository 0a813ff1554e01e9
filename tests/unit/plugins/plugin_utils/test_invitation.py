# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invitations: what they say, what is refused, and their QR codes as a camera reads them."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from ansible_collections.homestead.matrix.plugins.plugin_utils.invitation.invitation import (
    Invitation,
    refuse,
    write_qr,
)
from PIL import Image

NOW = datetime(2030, 1, 1, tzinfo=timezone.utc)
GIVEN = {
    "registration": "invite",
    "uses": 1,
    "expires": "7d",
    **dict.fromkeys(("person", "qr", "cinny")),
}
TOKEN = "GrE80ICA8DEZVI5vdEUIipjx"


def invitation(cinny: str | None = None, **limits: Any) -> Invitation:
    known = {"uses_allowed": 1, "pending": 0, "completed": 0, "expiry": "never", **limits}
    return Invitation("example.com", "https://app.element.io", known, TOKEN, cinny)


@pytest.mark.parametrize(
    ("limits", "good_for"),
    [
        pytest.param({}, "one account.", id="one, for ever"),
        pytest.param({"uses_allowed": -1}, "any number of accounts.", id="no limit"),
        pytest.param({"uses_allowed": 9, "completed": 3, "pending": 1}, "5 accounts.", id="some"),
        pytest.param(
            {"expiry": "2030-12-31T23:59:59Z"}, "one account, until 2030-12-31 23:59 UTC.", id="end"
        ),
    ],
)
def test_it_says_where_with_what_and_how_long(limits: dict[str, Any], good_for: str) -> None:
    text = invitation(**limits).text
    assert re.findall(r"type: (\S+)", text) == ["example.com", TOKEN]
    assert "https://app.element.io\n" in text
    assert text.endswith(f"The token is good for {good_for}")
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("cinny", ["https://chat.example.net", "https://chat.example.net/"])
def test_it_may_be_a_link(cinny: str) -> None:
    linked = invitation(cinny)
    assert linked.code == f"https://chat.example.net/register/example.com/?token={TOKEN}"
    assert f"\n{linked.code}\n" in linked.text
    assert invitation().code == invitation().text


def test_it_does_not_show_its_token_by_accident() -> None:
    assert TOKEN not in repr(invitation())


def test_nothing_is_refused_that_is_right(tmp_path: Path) -> None:
    for qr in (None, str(tmp_path / "new.svg")):
        refuse({**GIVEN, "qr": qr, "person": "alice"}, NOW)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        pytest.param({"registration": "closed"}, "with matrix_registration closed", id="closed"),
        pytest.param({"registration": "email"}, "no token is asked for: whoever", id="email"),
        pytest.param({"registration": "open"}, "no token is asked for: everybody", id="open"),
        pytest.param({"uses": 0}, "uses 0 must be at least 1", id="no use"),
        pytest.param({"uses": -1}, "uses -1 must be at least 1", id="negative uses"),
        pytest.param({"expires": "7 days"}, "'7 days' must be a duration as 7d", id="nonsense"),
        pytest.param({"expires": "2030-06-01T10:00"}, "must name its time zone", id="no zone"),
        pytest.param({"expires": "2029-12-31"}, "2029-12-31T23:59:59Z is past", id="past"),
        pytest.param({"person": "../x"}, "person '../x' must be small letters", id="no name"),
        pytest.param({"cinny": "cinny.example"}, "must be an address as https://", id="no address"),
        pytest.param({"qr": "missing/a.svg"}, "a directory that does not exist", id="directory"),
        pytest.param({"qr": "a.jpg"}, "a.jpg must end in .svg or .png", id="kind of file"),
        pytest.param({"qr": "old.svg"}, "old.svg exists already", id="somebody's file"),
    ],
)
def test_bad_input_is_one_sentence(
    wrong: dict[str, Any], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.svg").touch()
    with pytest.raises(ValueError, match=re.escape(sentence)) as refused:
        refuse({**GIVEN, **wrong}, NOW)
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


def test_a_camera_reads_the_code(tmp_path: Path) -> None:
    text, path = invitation().text, tmp_path / "a.png"
    write_qr(text, path)
    (seen,) = zxingcpp.read_barcodes(Image.open(path))
    assert seen.text == text
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_code_may_be_a_drawing(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    write_qr(invitation().text, path)
    assert b"<svg " in path.read_bytes()


def test_a_file_that_came_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        write_qr(invitation().text, path)
    assert path.read_text() == "mine"
