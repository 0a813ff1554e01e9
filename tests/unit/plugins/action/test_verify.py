# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action makes of the module's findings, on the controller."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.action.verify import ActionModule

PASSWORD = "yQa07DRsweg6MyAz4IGFxW2lMVI="


def finding(verdict: str) -> dict[str, Any]:
    return {
        "id": f"turn.{verdict}",
        "area": "turn",
        "verdict": verdict,
        "message": "It is so.",
        "remedy": "",
        "reference": "",
        "evidence": {},
    }


def result(*verdicts: str, server_name: str = "example.com") -> dict[str, Any]:
    return {
        "changed": False,
        "server_name": server_name,
        "findings": [finding(verdict) for verdict in verdicts],
        "summary": {},
        "verdict": verdicts[0],
        "seconds": 0.5,
        "resolution": {},
    }


class Looked(ActionModule):
    """An action whose module has already looked."""

    found: dict[str, Any]
    asked: dict[str, Any]

    def _execute_module(self, *_unused: Any, module_args: Any = None, **__: Any) -> dict[str, Any]:
        self.asked = module_args
        return self.found


def action(found: dict[str, Any], *, check_mode: bool = False, **arguments: Any) -> Looked:
    task = SimpleNamespace(
        args={"server_name": "example.com", **arguments},
        async_val=0,
        check_mode=check_mode,
        delegate_to="vantage",
        action="homestead.matrix.verify",
    )
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/nowhere"))
    looked = Looked(task, connection, None, None, None, None)  # type: ignore[no-untyped-call]  # Ansible's
    looked.found = found
    return looked


def run(found: dict[str, Any], **options: Any) -> dict[str, Any]:
    return action(found, **options).run(task_vars={"inventory_hostname": "matrix"})


@pytest.mark.parametrize(
    ("verdict", "fail_on", "fails"),
    [
        pytest.param("error", "error", True, id="an error"),
        pytest.param("error", "warning", True, id="an error is worse than a warning"),
        pytest.param("error", "never", False, id="an error, but never"),
        pytest.param("warning", "error", False, id="a warning"),
        pytest.param("warning", "warning", True, id="a warning, and that counts"),
        pytest.param("unknown", "warning", False, id="unknown is no fault"),
        pytest.param("ok", "warning", False, id="well"),
    ],
)
def test_what_fails(verdict: str, fail_on: str, fails: bool) -> None:
    assert run(result(verdict), fail_on=fail_on).get("failed", False) is fails


def test_nothing_fails_in_check_mode(capsys: pytest.CaptureFixture[str]) -> None:
    assert "failed" not in run(result("error"), check_mode=True)
    assert "the server as it is now" in capsys.readouterr().out


def test_an_unknown_wish_is_one_sentence() -> None:
    answer = run(result("ok"), fail_on="always")
    assert answer["msg"] == "fail_on must be one of error, warning, never, not 'always'"


def test_a_failed_look_is_handed_on() -> None:
    failed = {"failed": True, "msg": "The verifier needs h11."}
    assert run(failed) == failed


def test_the_files(tmp_path: Path) -> None:
    answer = run(result("ok"), report_dir=str(tmp_path))
    files = sorted(path.name for path in (tmp_path / "example.com").iterdir())
    document = json.loads(Path(answer["report"]["json"]).read_text())
    assert files == ["junit.xml", "report.html", "report.json", "report.tap"]
    assert (document["verdict"], document["vantage"]) == ("ok", "vantage")


def test_without_a_directory_nothing_is_written() -> None:
    assert run(result("ok"))["report"] == {}


def test_a_failure_says_where_the_findings_are(tmp_path: Path) -> None:
    answer = run(result("error"), report_dir=str(tmp_path))
    page = tmp_path / "example.com" / "report.html"
    assert answer["msg"] == f"example.com: 1 error to repair; see {page}"
    assert "findings" not in answer


@pytest.mark.parametrize("name", ["../example.com", "..", ".hidden", "a/b", ""])
def test_a_name_that_would_leave_the_directory(name: str, tmp_path: Path) -> None:
    answer = run(result("ok", server_name=name), report_dir=str(tmp_path))
    assert answer["failed"]
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = run(result("ok"), report_dir=str(tmp_path / "file"))
    assert answer["msg"].startswith("The report cannot be written: ")


def test_the_credentials_reach_the_module_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"username": "1700000000:homestead-verify", "password": PASSWORD}
    looked = action(result("error"), report_dir=str(tmp_path), turn_credentials=given)
    answer = looked.run(task_vars={})
    written = "".join(path.read_text() for path in tmp_path.rglob("*.*") if path.is_file())
    assert looked.asked["turn_credentials"] == given
    assert PASSWORD not in json.dumps(answer) + written + capsys.readouterr().out


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    run(result("ok"))
    assert "example.com: verified (1 ok; 0.5 s)" in capsys.readouterr().out
