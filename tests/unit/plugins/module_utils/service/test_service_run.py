# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole of a service on a host of paper."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import Outcome
from ansible_collections.homestead.matrix.plugins.module_utils.service.model import ServiceError
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.service import (
    paper as paper_module,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.service.paper import (
    US,
    Paper,
    PaperUnit,
)


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    return Paper(tmp_path)


def says_no(words: str) -> Any:
    return lambda: Outcome(1, errors=words)


def test_the_second_run_asks_once_and_changes_nothing(paper: Paper) -> None:
    task = {"files": [paper.file("a", "one")], "units": ["a", "b"], "packages": ["p"]}
    paper.programs.packages["p"] = "1.0"
    assert paper.apply(**task)["units"] == {"a.service": "started", "b.service": "started"}
    assert not paper.apply(**task)["changed"]
    assert [line.split()[:2] for line in paper.programs.asked] == [
        ["dpkg-query", "--show"],
        ["systemctl", "show"],
    ]


def test_an_account_of_others_gets_the_group_of_its_name(paper: Paper) -> None:
    """Debian's `nobody` has none, like accounts that packages make with the group `nogroup`."""
    needs = paper.apply(account={"name": "nobody"})["needs"]
    assert needs["groups"] == ["nobody"]
    assert needs["account"] == {"name": "nobody", "groups": ["nobody"], "append": True}
    assert "needs" not in paper.apply(account={"name": "root"})


def test_check_mode_tells_and_does_not_touch(paper: Paper) -> None:
    paper.programs.units["a.service"] = PaperUnit(loaded=False)
    task = {"files": [paper.file("etc/a", "one")], "units": ["a"], "packages": ["p"]}
    result = paper.apply(check=True, **task)
    assert result["changed"]
    assert result["packages"]["missing"] == ["p"]
    assert result["files"] == [paper.path("etc"), paper.path("etc/a")]
    assert result["units"] == {"a.service": "started"}
    assert list(paper.root.iterdir()) == []


def test_missing_packages_are_asked_for_before_anything_is_written(paper: Paper) -> None:
    result = paper.apply(files=[paper.file("a", "one")], packages=["p"])
    assert result["needs"] == {
        "packages": ["p"],
        "archives": False,
        "debconf": [],
        "groups": [],
        "account": {},
        "downloads": [],
    }
    assert not (paper.root / "a").exists()


REACTIONS = [
    pytest.param("restart", {"own.service": "restarted"}, id="restart"),
    pytest.param("reload", {"own.service": "reloaded"}, id="reload"),
    pytest.param("none", {"own.service": "unchanged"}, id="none"),
    pytest.param(
        {"reload": ["web"]},
        {"own.service": "unchanged", "web.service": "reloaded"},
        id="foreign unit that runs",
    ),
    pytest.param({"reload": ["off"]}, {"own.service": "unchanged"}, id="foreign unit that rests"),
]


@pytest.mark.parametrize(("on_change", "units"), REACTIONS)
def test_a_changed_file(paper: Paper, on_change: Any, units: dict[str, str]) -> None:
    paper.programs.units["web.service"] = PaperUnit(active=True)
    paper.apply(units=["own"], files=[paper.file("a", "one", on_change=on_change)])
    result = paper.apply(units=["own"], files=[paper.file("a", "two", on_change=on_change)])
    assert result["units"] == units
    assert paper.read("a") == "two"


@pytest.mark.parametrize(("on_change", "units"), REACTIONS)
def test_a_tampered_file(paper: Paper, on_change: Any, units: dict[str, str]) -> None:
    paper.programs.units["web.service"] = PaperUnit(active=True)
    task = {"units": ["own"], "files": [paper.file("a", "one", on_change=on_change)]}
    paper.apply(**task)
    (paper.root / "a").write_text("tampered")
    assert paper.apply(**task)["units"] == units


@pytest.mark.parametrize(("on_change", "units"), REACTIONS)
def test_a_watched_file(paper: Paper, on_change: Any, units: dict[str, str]) -> None:
    paper.programs.units["web.service"] = PaperUnit(active=True)
    task = {"units": ["own"], "watch": [{"path": paper.path("w"), "on_change": on_change}]}
    paper.apply(**task)
    (paper.root / "w").write_text("renewed")
    assert paper.apply(**task)["units"] == units
    assert not paper.apply(**task)["changed"]


@pytest.mark.parametrize(("on_change", "units"), REACTIONS[3:4])
def test_a_file_no_longer_listed(paper: Paper, on_change: Any, units: dict[str, str]) -> None:
    paper.programs.units["web.service"] = PaperUnit(active=True)
    paper.apply(units=["own"], files=[paper.file("d/a", "one", on_change=on_change)])
    result = paper.apply(units=["own"])
    assert result["removed"] == [paper.path("d/a"), paper.path("d")]
    assert result["units"] == units
    assert not (paper.root / "d").exists()


def test_a_new_version_of_a_package_restarts(paper: Paper) -> None:
    paper.programs.packages["p"] = "1.0"
    paper.apply(packages=["p"], units=["a"])
    paper.programs.packages["p"] = "1.1"
    assert paper.apply(packages=["p"], units=["a"])["units"] == {"a.service": "restarted"}


def test_a_stopped_or_disabled_unit_is_reported(paper: Paper) -> None:
    paper.apply(units=["a", "b"])
    paper.programs.units["a.service"].active = False
    paper.programs.units["b.service"].enabled = False
    result = paper.apply(units=["a", "b"])
    assert result["units"] == {"a.service": "started", "b.service": "enabled"}


def test_a_unit_no_longer_listed_is_retired(paper: Paper) -> None:
    paper.apply(units=["a", "b"])
    assert paper.apply(units=["a"])["units"] == {"a.service": "unchanged", "b.service": "stopped"}
    assert not paper.apply(units=["a"])["changed"]


def test_a_unit_that_is_let_go_runs_on(paper: Paper) -> None:
    paper.apply(units=["a", "b"])
    assert paper.apply(units=["a"], lets_go=["b"])["units"] == {"a.service": "unchanged"}
    assert not paper.apply(units=["a"])["changed"]


def test_absent_keeps_data_and_secrets(paper: Paper) -> None:
    data = {"path": paper.path("data"), **US}
    task = {"units": ["a"], "files": [paper.file("etc/a", "x")], "directories": [data]}
    paper.apply(**task)
    (paper.root / "data/precious").write_text("")
    assert paper.apply(state="absent", units=["a"])["units"] == {"a.service": "stopped"}
    assert not (paper.root / "etc").exists()
    assert (paper.root / "data/precious").exists()
    assert not paper.apply(state="absent", units=["a"])["changed"]


COMMAND = {"argv": ["make"]}
COMMANDS = [
    pytest.param({**COMMAND}, [True, False], id="once"),
    pytest.param({**COMMAND, "creates": "made"}, [True, True], id="creates what is missing"),
    pytest.param({**COMMAND, "creates": "input"}, [False, False], id="creates what is there"),
    pytest.param(
        {**COMMAND, "creates": "input", "rerun": True}, [True, False], id="rerun when new"
    ),
    pytest.param({**COMMAND, "unless": ["yes"]}, [False, False], id="unless yes"),
    pytest.param({**COMMAND, "unless": ["no"]}, [True, True], id="unless no"),
]


@pytest.mark.parametrize(("command", "runs"), COMMANDS)
def test_a_command_runs_when_it_must(
    paper: Paper, command: dict[str, Any], runs: list[bool]
) -> None:
    (paper.root / "input").write_text("1")
    paper.programs.answers["no"] = says_no("")
    if "creates" in command:
        command = {**command, "creates": paper.path(command["creates"])}
    assert [bool(paper.apply(commands=[command])["commands"]) for _unused in runs] == runs


def test_a_command_runs_again_when_its_inputs_change(paper: Paper) -> None:
    task = {"argv": ["make"], "inputs": [paper.path("a")]}
    paper.apply(commands=[task], files=[paper.file("a", "one")], units=["u"])
    result = paper.apply(commands=[task], files=[paper.file("a", "two", on_change="none")])
    assert result["commands"] == ["make"]


def test_a_command_restarts_the_units(paper: Paper) -> None:
    paper.apply(units=["a"])
    assert paper.apply(units=["a"], commands=[COMMAND])["units"] == {"a.service": "restarted"}


def test_a_watched_file_made_by_a_command_is_no_change_afterwards(paper: Paper) -> None:
    def certify() -> Outcome:
        (paper.root / "certificate").write_text("new")
        return Outcome(0)

    paper.programs.answers["certify"] = certify
    task = {"units": ["a"], "commands": [{"argv": ["certify"]}]}
    task["watch"] = [{"path": paper.path("certificate")}]
    paper.apply(**task)
    assert not paper.apply(**task)["changed"]


def test_secrets_reach_files_and_environments_only(paper: Paper) -> None:
    content = "key=@@homestead-secret:k@@\n"
    login = {"argv": ["login"], "environment": {"KEY": "@@homestead-secret:k@@"}}
    result = paper.apply(
        secrets={"k": {}}, files=[paper.file("a", content)], commands=[login], units=["u"]
    )
    secret = paper.read("secrets/k").strip()
    assert paper.read("a") == f"key={secret}\n"
    assert secret not in str(result)
    assert f"login KEY={secret}" in paper.programs.asked


def test_another_generation_of_a_secret_reaches_the_files(paper: Paper) -> None:
    task = {"files": [paper.file("a", "@@homestead-secret:k@@")], "units": ["u"]}
    paper.apply(secrets={"k": {}}, **task)
    old = paper.read("a")
    result = paper.apply(secrets={"k": {"generation": 2}}, **task)
    assert paper.read("a") == paper.read("secrets/k").strip() != old
    assert result["units"] == {"u.service": "restarted"}
    assert old not in str(result)
    assert not paper.apply(secrets={"k": {"generation": 2}}, **task)["changed"]


def given(paper: Paper, value: str) -> dict[str, Any]:
    """Let the operator give a secret, which a file holds."""
    task = {"files": [paper.file("a", "@@homestead-secret:smtp@@")], "units": ["u"]}
    return paper.apply(secrets={"smtp": {"given": True}}, values={"smtp": value}, **task)


def test_the_public_half_of_a_key_is_returned_and_may_stand_in_a_file(paper: Paper) -> None:
    task = {"secrets": {"tunnel": {"kind": "wireguard"}}, "packages": ["wireguard-tools"]}
    files = [paper.file("peer", "PublicKey = @@homestead-secret:tunnel.public@@")]
    paper.programs.packages = {"wireguard-tools": "1", "openssl": "1"}
    public = paper.apply(**task, files=files)["public"]["tunnel"]
    assert paper.read("peer") == f"PublicKey = {public}"
    again = paper.apply(**task, files=files)
    assert (again["changed"], again["public"]) == (False, {"tunnel": public})
    assert not [asked for asked in paper.programs.asked if asked.startswith("openssl")]


def test_a_given_secret_reaches_the_files_and_no_output(paper: Paper) -> None:
    results = [given(paper, value) for value in ("correct horse", "correct horse", "battery")]
    assert [result["changed"] for result in results] == [True, False, True]
    assert paper.read("a") == "battery"
    assert paper.read("secrets/smtp") == "battery\n"
    assert results[2]["units"] == {"u.service": "restarted"}
    assert not [word for word in ("horse", "battery") if word in str(results)]


def test_a_given_secret_may_stand_on_the_host(paper: Paper) -> None:
    with pytest.raises(ServiceError, match="nobody has given the secret 'smtp': set the variable"):
        given(paper, "")
    (paper.root / "secrets").mkdir(exist_ok=True)
    (paper.root / "secrets/smtp").write_text("correct horse\n")
    assert given(paper, "")["changed"]
    assert paper.read("a") == "correct horse"


def test_a_diff_masks_both_sides(paper: Paper) -> None:
    files = [paper.file("a", "one @@homestead-secret:k@@\n")]
    paper.apply(secrets={"k": {}}, files=files)
    files = [paper.file("a", "two @@homestead-secret:k@@\n")]
    diff = paper.apply(secrets={"k": {}}, files=files)["diff"][-1]
    assert "one" not in diff["before"]
    assert "two @@homestead-secret:k@@" in diff["after"]


@pytest.mark.parametrize("content", ["port 1\nnew\n", "port 1\nkey=@@homestead-secret:k@@\n"])
def test_a_diff_never_tells_what_somebody_else_wrote(paper: Paper, content: str) -> None:
    """A hand-made file may hold a secret that nobody knows to mask."""
    (paper.root / "a").write_text("port 1\nkey=made-by-hand\n")
    diff = paper.apply(secrets={"k": {}}, files=[paper.file("a", content)])["diff"][-1]
    assert "port 1" in diff["before"]
    assert "made-by-hand" not in diff["before"]


def test_a_diff_tells_the_former_lines_of_a_file_of_ours(paper: Paper) -> None:
    paper.apply(files=[paper.file("a", "one\n")])
    assert "one" in paper.apply(files=[paper.file("a", "two\n")])["diff"][-1]["before"]


def test_absent_leaves_units_that_were_never_ours(paper: Paper) -> None:
    paper.programs.units["theirs.timer"] = PaperUnit(active=True, enabled=True)
    result = paper.apply(state="absent", units=["theirs.timer"])
    assert not result["changed"]
    assert paper.programs.units["theirs.timer"] == PaperUnit(active=True, enabled=True)


@pytest.mark.parametrize("takes_it", [True, False])
def test_a_reload_counts_once_there_are_new_workers(paper: Paper, takes_it: bool) -> None:
    """A port that is taken stops nginx from reloading; systemd does not hear of it."""
    paper.programs.units["nginx.service"] = PaperUnit(active=True, first=10)
    paper.process(11, parent=10)
    log = paper.root / "var/log/nginx/error.log"
    log.parent.mkdir(parents=True)
    log.write_text("of yesterday\n")

    def reload() -> Outcome:
        if takes_it and not (paper.root / "proc/12").exists():
            paper.process(12, parent=10)
        log.write_text("of yesterday\nbind() to 0.0.0.0:8448 failed\n")
        return Outcome(0)

    paper.programs.answers["systemctl reload-or-restart nginx.service"] = reload
    result = paper.apply(files=[paper.file("a", "one", on_change={"reload": "nginx"})])
    assert (paper.root / "a").exists() is takes_it
    if not takes_it:
        said = "nginx.service goes on with its former configuration: bind() to 0.0.0.0:8448 failed"
        assert result["msg"].startswith(said)


BROKEN = ["no JSON", "[]", '{"files": []}', '{"files": {"/a": 3}}', "\0\0"]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_record_is_one_sentence(paper: Paper, content: str) -> None:
    paper.apply(files=[paper.file("a", "one")])
    (paper.root / "state/services/demo.json").write_text(content)
    with pytest.raises(ServiceError, match=r"demo\.json is no record .* Move it away"):
        paper.apply(files=[paper.file("a", "one")])


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"identity": "x", "entries": [1]}'])
def test_a_broken_journal_is_one_sentence(paper: Paper, content: str) -> None:
    journal = paper.root / "state/transactions/demo/journal.json"
    journal.parent.mkdir(parents=True)
    journal.write_text(content)
    with pytest.raises(ServiceError, match=r"journal\.json is no journal .* run again"):
        paper.apply(files=[paper.file("a", "one")])


def test_the_record_of_a_newer_release_is_read(paper: Paper) -> None:
    task = {"files": [paper.file("a", "one")], "units": ["u"]}
    paper.apply(**task)
    record = paper.root / "state/services/demo.json"
    newer = json.loads(record.read_text())
    assert newer["version"] == 1
    newer.update(version=2, artefacts=["x"])
    newer["inputs"]["u.service"]["signal"] = "HUP"
    newer["files"][paper.path("a")]["signal"] = ["u.service"]
    record.write_text(json.dumps(newer))
    assert not paper.apply(**task)["changed"]


def test_the_record_of_the_first_release_is_read(paper: Paper) -> None:
    task = {"files": [paper.file("a", "one")], "units": ["u"]}
    paper.apply(**task)
    record = paper.root / "state/services/demo.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "version": None}))
    assert not paper.apply(**task)["changed"]


def test_a_secret_that_is_no_text_is_one_sentence(paper: Paper) -> None:
    (paper.root / "secrets").mkdir()
    (paper.root / "secrets/k").write_bytes(b"\xff\xfe")
    with pytest.raises(ServiceError, match=r"secrets/k is not text; .* move it away"):
        paper.apply(secrets={"k": {}}, files=[paper.file("a", "x")])


def test_the_diff_of_a_secret_file_only_says_that_it_differs(paper: Paper) -> None:
    paper.apply(files=[paper.file("a", "password one\n", secret=True)])
    diff = paper.apply(files=[paper.file("a", "password two\n", secret=True)])["diff"][-1]
    assert "password" not in diff["before"] + diff["after"]
    assert diff["before"] != diff["after"]


def test_a_failure_speaks_without_secrets(paper: Paper) -> None:
    (paper.root / "secrets").mkdir()
    (paper.root / "secrets/k").write_text("s3cr3t" * 5)
    paper.programs.answers["check"] = says_no(f"line 1: {'s3cr3t' * 5} is wrong")
    result = paper.apply(files=[paper.file("a", "x")], validate=[{"argv": ["check"]}])
    assert result["failed"]
    assert "line 1: @@homestead-secret:k@@ is wrong" in result["msg"]
    assert f"Put back: {paper.path('a')}." in result["msg"]


def test_a_failed_transaction_is_forgotten(paper: Paper) -> None:
    task = {"files": [paper.file("a", "one")], "units": ["u"]}
    paper.apply(**task)
    paper.programs.answers["check"] = says_no("no")
    bad = {"files": [paper.file("a", "two")], "units": ["u"], "validate": [{"argv": ["check"]}]}
    assert paper.apply(**bad)["failed"]
    assert paper.read("a") == "one"
    assert not paper.apply(**task)["changed"]


DYING = f"""
import json, os, sys
from pathlib import Path
from {paper_module.__name__} import Paper, PaperUnit, Programs
root, task = Path(sys.argv[1]), json.loads(sys.argv[2])
units = {{name: PaperUnit(active=True, enabled=True) for name in ("a.service", "b.service")}}
Paper(root, Programs(units, answers={{"check": lambda: os._exit(9)}})).apply(**task)
"""


def die_at_the_check(paper: Paper, task: dict[str, Any]) -> None:
    """Let a run be killed, in a process of its own."""
    command = [sys.executable, "-c", DYING, str(paper.root), json.dumps(task)]
    assert subprocess.run(command, check=False).returncode == 9


def test_a_failure_after_a_run_that_died_turns_only_what_that_touched(paper: Paper) -> None:
    def task(words: str) -> dict[str, Any]:
        files = [
            paper.file("a", words, on_change={"restart": "a"}),
            paper.file("b", "same", on_change={"restart": "b"}),
        ]
        return {"files": files, "units": ["a", "b"], "validate": [{"argv": ["check"]}]}

    paper.apply(**task("one"))
    die_at_the_check(paper, task("two"))
    paper.programs.answers["check"] = says_no("no")
    result = paper.apply(**task("three"))
    assert result["failed"]
    assert paper.read("a") == "one"
    assert "Running as before: a.service." in result["msg"]
    assert [line for line in paper.programs.changes if "b.service" in line] == []


def test_a_directory_in_the_way_is_named(paper: Paper) -> None:
    (paper.root / "a").mkdir()
    with pytest.raises(ServiceError, match="is a directory on one side only"):
        paper.apply(files=[paper.file("a", "x")])


def test_what_somebody_else_wrote_is_kept_once_and_named(paper: Paper) -> None:
    """Also what is removed, links, and modes; not what is ours, edited or not."""
    for name in ("a.conf", "b.conf"):
        (paper.root / name).write_text(f"mine {name}")
    (paper.root / "a.conf").chmod(0o640)
    (paper.root / "c.conf").symlink_to("b.conf")
    gone = [{"path": paper.path(name), "state": "absent"} for name in ("b.conf", "c.conf")]
    task = {"files": [paper.file("a.conf", "ours"), *gone]}
    foretold = paper.apply(check=True, **task)
    assert not (paper.root / "state").exists()
    result = paper.apply(**task)
    assert foretold["kept"] == result["kept"]
    copies = {Path(path).name: Path(copy) for path, copy in result["kept"].items()}
    assert copies["a.conf"].read_text() == "mine a.conf"
    assert copies["a.conf"].stat().st_mode & 0o777 == 0o640
    assert copies["b.conf"].read_text() == "mine b.conf"
    assert os.readlink(copies["c.conf"]) == "b.conf"
    assert len(result["warnings"]) == 3
    (paper.root / "a.conf").write_text("edited")
    again = paper.apply(**task)
    assert (again["changed"], again["kept"], "warnings" in again) == (True, {}, False)
    assert not paper.apply(name="heir", files=[paper.file("a.conf", "heir's")])["kept"]
    (paper.root / "ours").mkdir()
    (paper.root / "ours/tls.pem").write_text("by our own program")
    assert not paper.apply(files=[paper.file("ours/tls.pem", "by hand")])["kept"]


def test_what_a_package_brought_is_not_kept_unless_somebody_edited_it(paper: Paper) -> None:
    names = ("fresh.conf", "edited.conf")
    for name in names:
        (paper.root / name).write_text(f"default {name}")
    sums = [hashlib.md5(f"default {name}".encode()).hexdigest() for name in names]
    listed = "".join(f" {paper.path(name)} {md5}\n" for name, md5 in zip(names, sums))
    ask = "dpkg-query --show --showformat=${Conffiles}\\n"
    paper.programs.answers[ask] = lambda: Outcome(0, listed)
    (paper.root / "edited.conf").write_text("mine")
    result = paper.apply(files=[paper.file(name, "ours") for name in names])
    assert list(result["kept"]) == [paper.path("edited.conf")]


def test_a_copy_outlives_failures_and_is_made_once(paper: Paper) -> None:
    (paper.root / "a.conf").write_text("mine")
    refused = {"files": [paper.file("a.conf", "ours")], "validate": [{"argv": ["no"]}]}
    paper.programs.answers["no"] = lambda: Outcome(1, errors="no")
    assert paper.apply(**refused)["failed"]
    result = paper.apply(files=[paper.file("a.conf", "ours")])
    kept = [path for path in (paper.root / "state/adopted").rglob("*") if path.is_file()]
    assert list(result["kept"].values()) == [str(path) for path in kept]
    assert kept[0].read_text() == "mine"
