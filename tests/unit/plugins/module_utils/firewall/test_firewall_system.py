# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are written whole or not at all, and leave nothing beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.system import Host


def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path: Path) -> None:
    rules = tmp_path / "user.rules"
    (tmp_path / ".user.rules.homestead-new").write_text("half a fi")
    Host().write(str(rules), "whole\n")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"user.rules": "whole\n"}


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    rules = tmp_path / "user.rules"
    rules.write_text("old")
    rules.chmod(0o640)
    Host().write(str(rules), "new")
    assert rules.stat().st_mode & 0o777 == 0o640


def test_nothing_is_left_of_a_write_that_fails(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        Host().write(str(tmp_path / "folder"), "text")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_link_in_the_place_of_the_new_file_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / ".user.rules.homestead-new").symlink_to(other)
    Host().write(str(tmp_path / "user.rules"), "text")
    assert (tmp_path / "user.rules").read_text() == "text"
    assert other.read_text() == "mine"
