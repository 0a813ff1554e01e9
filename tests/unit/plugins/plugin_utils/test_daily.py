# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program for vantages: copied as it is there, and run without Ansible."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.homestead.matrix.plugins.filter.verify_program import verify_program
from prometheus_client.parser import text_string_to_metric_families

SCHEMA = json.loads((Path(__file__).parents[4] / "docs" / "report.schema.json").read_text())
PLAN = {
    "server_name": "homestead.invalid",
    "expectations": {},
    "published": [],
    "ca_file": "",
    "nameservers": ["127.0.0.1:9"],
    "allow_private": False,
    "timeout": 0.2,
    "ignore": ["well_known.support.status"],
    "vantage": "vantage",
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for file in verify_program(str(tmp_path / "program")):
        path = Path(file["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file["content"])
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    (tmp_path / "out").mkdir()
    return tmp_path


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a Python that finds neither Ansible nor this collection elsewhere."""
    program = directory / "program"
    hide = "import sys; sys.modules['ansible'] = None; sys.argv = sys.argv[1:]; "
    start = "import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-I", "-B", "-c", hide + start, str(program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_run_writes_report_and_metrics(directory: Path) -> None:
    done = run(directory, str(directory / "plan.json"), str(directory / "out"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(path.name for path in (directory / "out").iterdir()) == [
        "metrics.prom",
        "report.json",
    ]
    report = json.loads((directory / "out/report.json").read_text())
    jsonschema.validate(report, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert (report["server_name"], report["verdict"]) == ("homestead.invalid", "error")
    metrics = (directory / "out/metrics.prom").read_text()
    families = {family.name: family for family in text_string_to_metric_families(metrics)}
    errors = [
        sample.value
        for sample in families["homestead_matrix_findings"].samples
        if sample.labels["verdict"] == "error"
    ]
    assert errors == [report["summary"]["error"]]


def test_a_run_that_cannot_look_leaves_the_former_files(directory: Path) -> None:
    (directory / "plan.json").write_text(json.dumps({**PLAN, "nameservers": ["not an address"]}))
    (directory / "out/metrics.prom").write_text("former")
    done = run(directory, str(directory / "plan.json"), str(directory / "out"))
    assert done.returncode != 0
    assert (directory / "out/metrics.prom").read_text() == "former"


def test_nothing_of_ansible_is_imported() -> None:
    texts = [file["content"] for file in verify_program("/x")]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    assert not [line for line in lines if line.startswith(("import ansible", "from ansible."))]
