# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.turn_credentials import (
    mint,
    of_secret,
    read_secret,
)


def test_the_credentials_are_those_of_the_draft() -> None:
    """The passwords were computed with openssl from the user names and the secret."""
    assert mint("north", ttl=600, now=1700000000) == {
        "username": "1700000600:homestead-verify",
        "password": "Y2KPHSzZRPtBsnBZMtHax+RTCp0=",
        "ttl": 600,
        "expired": {
            "username": "1699996400:homestead-verify",
            "password": "TBMTabqP6yxfMMzNjlQYRlHkRlY=",
        },
    }


def test_a_secret_is_read_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "turn").write_text("north\n")
    assert read_secret("turn", directory=tmp_path) == "north"


def test_a_host_without_the_secret(tmp_path: Path) -> None:
    assert read_secret("turn", directory=tmp_path) == ""


def test_only_secrets_are_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not the name of a secret"):
        read_secret("../other", directory=tmp_path)


def test_credentials_of_a_secret_that_the_host_keeps(tmp_path: Path) -> None:
    (tmp_path / "turn").write_text("north\n")
    minted = of_secret("turn", ttl=600, now=1700000000.9, directory=tmp_path)
    assert minted == mint("north", ttl=600, now=1700000000)


def test_no_secret_no_credentials(tmp_path: Path) -> None:
    assert of_secret("turn", ttl=600, now=1700000000, directory=tmp_path) == {}
