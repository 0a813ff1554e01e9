# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that come as a file: each version whole, in its own directory, behind one link."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import (
    Outcome,
    run_program,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.service.paper import (
    Paper,
    Programs,
)

TOOLS = ("find", "install", "mv", "rm", "tar", "test")


class RealTools(Programs):
    """Runs what deals with files only."""

    def __call__(self, argv: Sequence[str], **more: Any) -> Outcome:
        return run_program(argv) if argv[0] in TOOLS else super().__call__(argv, **more)


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    return Paper(tmp_path, RealTools())


def archive(text: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo("demo-1/share/words")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def program(paper: Paper, content: bytes, version: str = "1", **more: Any) -> dict[str, Any]:
    sha256 = hashlib.sha256(content).hexdigest()
    source = {"path": paper.path("opt/demo"), "url": "https://example.com/demo", "sha256": sha256}
    return {**source, "version": version, "unpack": True, "strip": 1, **more}


def come(result: dict[str, Any], content: bytes) -> None:
    """Let the downloads come that a run asks for."""
    for download in result["needs"]["downloads"]:
        Path(download["waiting"]).write_bytes(content)


def install(paper: Paper, content: bytes, version: str = "1", **more: Any) -> dict[str, Any]:
    programs = [program(paper, content, version, **more)]
    come(paper.apply(programs=programs), content)
    return paper.apply(programs=programs)


def versions(paper: Paper) -> list[str]:
    names = os.listdir(paper.path("opt/demo"))
    return sorted(name.partition("-")[0] for name in names if name != "current")


def test_an_archive_is_asked_for_and_then_unpacked(paper: Paper) -> None:
    wished = program(paper, archive("one"))
    [download] = paper.apply(programs=[wished])["needs"]["downloads"]
    assert (download["source"], download["is_url"]) == (wished["url"], True)
    assert not (paper.root / "opt").exists()
    Path(download["waiting"]).write_bytes(archive("one"))
    result = paper.apply(programs=[wished])
    assert result["changed"], result
    assert paper.read("opt/demo/current/share/words") == "one"
    assert not Path(download["waiting"]).exists()
    assert not paper.apply(programs=[wished])["changed"]


def test_a_program_gets_the_name_of_its_directory(paper: Paper) -> None:
    install(paper, b"#!/bin/sh\necho hello\n", unpack=False, strip=0)
    assert run_program([paper.path("opt/demo/current/demo")]).output == "hello\n"


def test_the_version_before_stays_and_no_older_one(paper: Paper) -> None:
    for version in ("1", "2", "3"):
        install(paper, archive(version), version)
    assert versions(paper) == ["2", "3"]
    assert paper.read("opt/demo/current/share/words") == "3"


def test_another_file_of_the_same_version_is_another_version(paper: Paper) -> None:
    install(paper, archive("one"))
    install(paper, archive("other"))
    assert paper.read("opt/demo/current/share/words") == "other"


def test_a_file_that_is_no_archive_leaves_what_runs(paper: Paper) -> None:
    install(paper, archive("one"))
    result = install(paper, b"not an archive", "2")
    assert result["failed"]
    assert "tar failed" in result["msg"]
    assert versions(paper) == ["1"]
    assert paper.read("opt/demo/current/share/words") == "one"


def test_what_a_killed_run_left_is_no_obstacle(paper: Paper) -> None:
    wished = program(paper, archive("one"))
    litter = paper.root / f"opt/demo/1-{wished['sha256'][:12]}.new/share"
    litter.mkdir(parents=True)
    install(paper, archive("one"))
    assert len(versions(paper)) == 1
    assert paper.read("opt/demo/current/share/words") == "one"


def test_check_mode_fetches_nothing(paper: Paper) -> None:
    result = paper.apply(check=True, programs=[program(paper, archive("one"))])
    assert result["changed"]
    assert list(paper.root.iterdir()) == []


def test_a_program_that_is_no_longer_wanted_runs_no_longer(paper: Paper) -> None:
    install(paper, archive("one"))
    result = paper.apply()
    assert result["changed"], result
    assert not os.path.lexists(paper.path("opt/demo/current"))


class FullDisk(Programs):
    """Makes the directory of a venv, and has no room for what pip installs there."""

    def __call__(self, argv: Sequence[str], **more: Any) -> Outcome:
        if "venv" in argv:
            os.makedirs(f"{argv[-1]}/bin")
        no_room = Outcome(1, errors="No space left on device")
        return no_room if "pip" in argv else super().__call__(argv, **more)


def test_a_venv_that_cannot_be_finished_leaves_the_disk_as_it_was(tmp_path: Path) -> None:
    paper = Paper(tmp_path, FullDisk(packages={"python3-pip": "1"}))
    venv = {"path": paper.path("opt/demo"), "version": "1", "requirements": "demo.txt"}
    result = paper.apply(programs=[venv])
    assert result["failed"]
    assert "No space left on device" in result["msg"]
    assert not (tmp_path / "opt/demo/1").exists()


def test_a_venv_that_runs_stays_whatever_fails(tmp_path: Path) -> None:
    paper = Paper(tmp_path, FullDisk(packages={"python3-pip": "1"}))
    (tmp_path / "opt/demo/1/bin").mkdir(parents=True)
    (tmp_path / "opt/demo/current").symlink_to(tmp_path / "opt/demo/1")
    venv = {"path": paper.path("opt/demo"), "version": "1", "requirements": "demo.txt"}
    assert paper.apply(programs=[venv])["failed"]
    assert (tmp_path / "opt/demo/current/bin").exists()
