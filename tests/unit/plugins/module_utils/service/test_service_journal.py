# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.service import nodes
from ansible_collections.homestead.matrix.plugins.module_utils.service.journal import (
    UnitBefore,
    open_journal,
)
from ansible_collections.homestead.matrix.plugins.module_utils.service.nodes import ABSENT, Node

if TYPE_CHECKING:
    from pathlib import Path

UID, GID = os.getuid(), os.getgid()


def file(content: bytes, mode: int = 0o644) -> Node:
    return Node("file", content=content, uid=UID, gid=GID, mode=mode)


NODES = [
    pytest.param(ABSENT, id="nothing"),
    pytest.param(file(b"old", 0o640), id="file"),
    pytest.param(Node("link", target="elsewhere"), id="link"),
]
FOLDER = Node("directory", uid=UID, gid=GID, mode=0o750)


@pytest.mark.parametrize("after", NODES)
@pytest.mark.parametrize("before", NODES)
def test_any_node_replaces_any_other_and_comes_back(
    tmp_path: Path, before: Node, after: Node
) -> None:
    path = str(tmp_path / "path")
    nodes.write(path, before)
    journal = open_journal(tmp_path / "journal", "").protect([path], {})
    nodes.write(path, after)
    assert nodes.read(path) == after
    assert journal.restore() == ([path] if before != after else [])
    assert nodes.read(path) == before
    journal.close()
    assert os.listdir(tmp_path) == ([] if before is ABSENT else ["path"])


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Return the directory of an account that has put a link to root's into it."""
    if UID != 0:
        pytest.skip("only root can give a directory to somebody")
    root, own = tmp_path / "root", tmp_path / "own"
    root.mkdir(mode=0o755)
    own.mkdir()
    (own / "media").symlink_to(root)
    os.chown(own, 12345, 12345)
    return own


@pytest.mark.parametrize(
    ("name", "node"),
    [
        pytest.param("media", Node("directory", uid=12345, gid=12345, mode=0o777), id="itself"),
        pytest.param("media/new", Node("directory", uid=12345, gid=12345, mode=0o777), id="below"),
        pytest.param("media/file", file(b"new"), id="file"),
        pytest.param("media/link", Node("link", target="elsewhere"), id="link"),
    ],
)
def test_no_account_leads_root_elsewhere_by_a_link(theirs: Path, name: str, node: Node) -> None:
    with pytest.raises(OSError, match=str(theirs / name)):
        nodes.write(str(theirs / name), node)
    root = theirs.parent / "root"
    assert (root.stat().st_uid, root.stat().st_mode & 0o777) == (0, 0o755)
    assert os.listdir(root) == []


def test_links_of_root_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "real")
    nodes.write(str(tmp_path / "run/a"), file(b"a"))
    assert (tmp_path / "real/a").read_bytes() == b"a"


def test_new_directories_go_with_what_is_in_them(tmp_path: Path) -> None:
    paths = [str(tmp_path / "a"), str(tmp_path / "a/b"), str(tmp_path / "a/b/file")]
    journal = open_journal(tmp_path / "journal", "").protect(paths, {})
    for path, node in zip(paths, [FOLDER, FOLDER, file(b"")]):
        nodes.write(path, node)
    journal.restore()
    assert not (tmp_path / "a").exists()


def test_a_new_directory_with_data_of_others_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    journal = open_journal(tmp_path / "journal", "").protect([str(path)], {})
    nodes.write(str(path), FOLDER)
    (path / "data").write_text("precious")
    assert journal.restore() == []
    assert (path / "data").read_text() == "precious"


def test_removed_directories_come_back_before_their_files(tmp_path: Path) -> None:
    folder, path = str(tmp_path / "a"), str(tmp_path / "a/file")
    nodes.write(folder, FOLDER)
    nodes.write(path, file(b"old"))
    journal = open_journal(tmp_path / "journal", "").protect([path, folder], {})
    nodes.remove(path)
    nodes.remove(folder)
    assert journal.restore() == [folder, path]
    assert nodes.read(folder) == FOLDER
    assert nodes.read(path) == file(b"old")


def test_a_journal_left_over_keeps_the_oldest_backup(tmp_path: Path) -> None:
    path, folder = str(tmp_path / "path"), tmp_path / "journal"
    nodes.write(path, file(b"good"))
    open_journal(folder, "").protect([path], {"a.service": UnitBefore(True, True)})
    nodes.write(path, file(b"half done"))
    again = open_journal(folder, "").protect([path], {"a.service": UnitBefore(False, False)})
    assert again.left_over
    assert dict(again.units) == {"a.service": UnitBefore(True, True)}
    again.restore()
    assert nodes.read(path) == file(b"good")


def test_a_finished_journal_is_litter(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "journal", "").protect([], {})
    again = open_journal(tmp_path / "journal", journal.identity)
    assert again.is_litter
    again.close()
    assert not (tmp_path / "journal").exists()


def test_a_failed_write_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "path").mkdir()
    with pytest.raises(IsADirectoryError):
        nodes.write(str(tmp_path / "path"), file(b"new"))
    assert os.listdir(tmp_path) == ["path"]
