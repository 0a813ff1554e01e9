# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller makes of the findings of one vantage or several."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.homestead.matrix.plugins.action.verify_report import ActionModule
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site
from ansible_collections.homestead.matrix.plugins.plugin_utils.handover.handover import handover


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


def result(
    *verdicts: str, server_name: str = "example.com", vantage: str = "vantage"
) -> dict[str, Any]:
    return {
        "changed": False,
        "vantage": vantage,
        "server_name": server_name,
        "findings": [finding(verdict) for verdict in verdicts],
        "summary": {},
        "verdict": verdicts[0],
        "seconds": 0.5,
        "resolution": {},
    }


def run(*looks: dict[str, Any], check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
    task = SimpleNamespace(
        args={"looks": list(looks), **arguments},
        async_val=0,
        check_mode=check_mode,
        action="homestead.matrix.verify_report",
    )
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/nowhere"))
    action = ActionModule(task, connection, None, None, None, None)  # type: ignore[no-untyped-call]  # Ansible's
    return action.run(task_vars={"inventory_hostname": "matrix"})


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


def test_an_unknown_wish_is_refused() -> None:
    with pytest.raises(AnsibleActionFail, match="fail_on must be one of"):
        run(result("ok"), fail_on="always")


def test_the_files(tmp_path: Path) -> None:
    answer = run(result("ok"), report_dir=str(tmp_path))
    files = sorted(path.name for path in (tmp_path / "example.com").iterdir())
    document = json.loads(Path(answer["report"]["json"]).read_text())
    assert files == ["junit.xml", "report.html", "report.json", "report.tap"]
    assert (document["verdict"], document["vantages"]) == ("ok", ["vantage"])


def test_without_a_directory_nothing_is_written() -> None:
    assert run(result("ok"))["report"] == {}


def test_a_failure_says_where_the_findings_are(tmp_path: Path) -> None:
    answer = run(result("error"), report_dir=str(tmp_path))
    page = tmp_path / "example.com" / "report.html"
    assert answer["msg"] == f"example.com: 1 error to repair; see {page}"
    assert "findings" not in answer


@pytest.mark.parametrize("name", ["../example.com", "..", ".hidden", "a/b", ""])
def test_a_name_that_would_leave_the_directory(name: str, tmp_path: Path) -> None:
    answer = run(result("error", server_name=name), report_dir=str(tmp_path))
    assert answer["msg"] == f"{name}: 1 error to repair"
    assert answer["report"] == {}
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = run(result("ok"), report_dir=str(tmp_path / "file"))
    assert answer["msg"].startswith("The report cannot be written: ")


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    run(result("ok"))
    assert "example.com: verified (1 ok; 0.5 s)" in capsys.readouterr().out


def test_several_vantages_make_one_report(tmp_path: Path) -> None:
    looks = (result("ok", vantage="here"), result("ok", "error", vantage="there"))
    answer = run(*looks, report_dir=str(tmp_path))
    document = json.loads(Path(answer["report"]["json"]).read_text())
    assert answer["failed"]
    assert document["vantages"] == ["here", "there"] == answer["vantages"]
    assert [item.get("vantages") for item in document["findings"]] == [None, ["there"]]


def test_one_report_is_about_one_server() -> None:
    answer = run(result("ok"), result("ok", server_name="example.net"))
    assert answer["msg"].endswith("not about ['example.com', 'example.net']")


def test_the_handover_page_stands_beside_the_report(tmp_path: Path) -> None:
    """Also if the server has faults; it says so."""
    handed = handover(site("example.com", {}))
    answer = run(result("error"), report_dir=str(tmp_path), handover=handed)
    assert answer["failed"]
    pages = answer["handover"]
    assert {Path(path).parent for path in pages.values()} == {tmp_path / "example.com"}
    document = json.loads(Path(pages["json"]).read_text())
    assert document["verification"]["headline"] == "1 error to repair"
    assert (tmp_path / "example.com" / document["verification"]["report"]).exists()
    assert "1 error to repair" in Path(pages["html"]).read_text()
    assert Path(pages["markdown"]).read_text().startswith("# example.com\n")


def test_without_a_description_there_is_no_handover(tmp_path: Path) -> None:
    answer = run(result("ok"), report_dir=str(tmp_path))
    assert answer["handover"] == {}
    assert not list((tmp_path / "example.com").glob("handover*"))
