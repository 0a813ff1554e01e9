# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of a service that is taken away stays, or goes after a copy."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import Outcome
from ansible_collections.homestead.matrix.plugins.module_utils.service.model import ServiceError
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.service.paper import (
    Paper,
    service_of,
)

KEEP = {"state": "absent"}
REMOVE = {"state": "absent", "retired_data": "remove"}
TODAY = time.strftime("%Y-%m-%d", time.gmtime())
DATABASE = {"name": "mail", "owner": "mailer", "version": 17, "port": 5433}
IS_THERE = "psql --port=5433 -AtXc select 1 from pg_database where datname = 'mail' postgres"


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    """Return a host on which a service runs that has gathered data."""
    paper = Paper(tmp_path)
    paper.programs.real += ("cp", "rm")
    assert not paper.apply(**task(paper)).get("failed")
    (tmp_path / "var/data/deep").mkdir(parents=True)
    (tmp_path / "var/data/deep/mail").write_text("a mail")
    return paper


def task(paper: Paper, **more: Any) -> dict[str, Any]:
    return {
        "files": [paper.file("etc/a", "one")],
        "units": ["a"],
        "data": [paper.path("var/data"), paper.path("var/never")],
        "secrets": {"own": {}, "shared": {}},
        **more,
    }


def copy_of(paper: Paper, name: str, place: str = "demo") -> Path:
    return Path(f"{paper.root}/state/retired/{TODAY}/{place}{paper.path(name)}")


def test_data_stays_and_is_remembered(paper: Paper) -> None:
    assert paper.apply(**KEEP)["units"] == {"a.service": "stopped"}
    assert not paper.apply(**KEEP)["changed"]
    assert paper.read("var/data/deep/mail") == "a mail"
    record = json.loads(paper.read("state/services/demo.json"))
    assert (record["files"], record["units"]) == ({}, [])
    assert record["data"]["secrets"] == ["own", "shared"]


def test_a_service_without_data_is_forgotten(paper: Paper) -> None:
    paper.apply(**task(paper, data=[], secrets={}))
    paper.apply(**KEEP)
    assert not (paper.root / "state/services/demo.json").exists()


@pytest.mark.parametrize("first", [[], [KEEP]], ids=["at once", "later"])
def test_data_goes_after_a_copy(paper: Paper, first: list[dict[str, str]]) -> None:
    for before in first:
        paper.apply(**before)
    secret = paper.read("secrets/own")
    foretold = paper.apply(check=True, **REMOVE)
    assert paper.read("var/data/deep/mail") == "a mail"
    result = paper.apply(**REMOVE)
    assert foretold == result
    assert set(result["removed"]) >= {paper.path("var/data"), paper.path("secrets/own")}
    assert result["kept"][paper.path("var/data")] == str(copy_of(paper, "var/data"))
    assert "the data of demo is removed" in result["warnings"][0]
    assert not (paper.root / "var/data").exists()
    assert not list(paper.root.glob("secrets/*"))
    assert copy_of(paper, "var/data/deep/mail").read_text() == "a mail"
    assert copy_of(paper, "secrets/own").read_text() == secret
    assert (paper.root / "state/retired").stat().st_mode & 0o777 == 0o700
    assert not (paper.root / "state/services/demo.json").exists()
    assert not paper.apply(**REMOVE)["changed"]


def test_what_another_service_lists_too_stays(paper: Paper) -> None:
    paper.apply(name="other", secrets={"shared": {}})
    paper.apply(**REMOVE)
    assert [path.name for path in paper.root.glob("secrets/*")] == ["shared"]


def test_a_second_copy_of_a_day_stands_beside_the_first(paper: Paper) -> None:
    paper.apply(**REMOVE)
    paper.apply(**task(paper))
    paper.apply(**REMOVE)
    assert copy_of(paper, "secrets/own", "demo-2").exists()
    assert copy_of(paper, "secrets/own").exists()


def test_a_copy_that_fails_leaves_everything(paper: Paper) -> None:
    source, part = paper.path("var/data"), copy_of(paper, "var/data", "demo.part")
    line = f"cp --archive --reflink=auto {source} {part}"
    paper.programs.answers[line] = lambda: Outcome(1, errors="No space left on device")
    result = paper.apply(**REMOVE)
    assert result["failed"]
    assert result["msg"].startswith("No space left on device\n")
    assert (paper.read("etc/a"), paper.read("var/data/deep/mail")) == ("one", "a mail")
    unit = paper.programs.units["a.service"]
    assert (unit.active, unit.enabled) == (True, True)
    assert not list((paper.root / f"state/retired/{TODAY}").iterdir())
    assert not paper.apply(**task(paper))["changed"]


def test_what_cannot_be_removed_is_left_to_the_next_run(paper: Paper) -> None:
    line = f"rm -rf --one-file-system {paper.path('var/data')}"
    secrets = [paper.path(f"secrets/{name}") for name in ("own", "shared")]
    line = " ".join([line, *secrets])
    paper.programs.answers[line] = lambda: Outcome(1, errors="Device or resource busy")
    result = paper.apply(**REMOVE)
    assert result["failed"]
    assert "the next run tries again" in result["msg"]
    assert copy_of(paper, "var/data/deep/mail").read_text() == "a mail"
    del paper.programs.answers[line]
    assert paper.apply(**REMOVE)["changed"]
    assert not (paper.root / "var/data").exists()


def test_a_database_of_its_own_goes_after_a_dump(paper: Paper) -> None:
    paper.apply(**task(paper, databases=[DATABASE]))
    paper.programs.answers[IS_THERE] = lambda: Outcome(0, "1\n")
    result = paper.apply(**REMOVE)
    assert "database mail" in result["removed"]
    _asked, dump, *dropping = [line for line in paper.programs.changes if "--port=5433" in line]
    assert dump.endswith("demo.part/mail.dump pg_dump --port=5433 --format=custom mail")
    assert dropping == [
        "dropdb --port=5433 --if-exists mail as postgres",
        "dropuser --port=5433 --if-exists mailer as postgres",
    ]


def test_a_database_that_nobody_can_ask_for_is_not_gone(paper: Paper) -> None:
    paper.apply(**task(paper, databases=[DATABASE]))
    paper.programs.answers[IS_THERE] = lambda: Outcome(2, errors="connection refused")
    with pytest.raises(ServiceError, match="connection refused"):
        paper.apply(**REMOVE)
    assert paper.read("var/data/deep/mail") == "a mail"


@pytest.mark.parametrize("path", ["/var/lib", "/srv", "/var/lib/", "data"])
def test_data_of_everybody_is_refused(path: str) -> None:
    with pytest.raises(ServiceError, match=path.rstrip("/")):
        service_of(name="demo", data=[path])
