# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is published: the collection is built, installed into an empty path, and used from there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "inventory.example"
SHIPPED = ["README.md", "LICENSE", "requirements.txt", "meta/runtime.yml", "playbooks/site.yml"]
NOT_SHIPPED = [".cache", ".git", ".ci", "matrix-reports"]


def run(*arguments: str | Path, collections: Path) -> str:
    """Run a program that sees no collections but these."""
    theirs = {"ANSIBLE_CONFIG", "PYTHONPATH"}
    environment = {key: value for key, value in os.environ.items() if key not in theirs}
    environment |= {"ANSIBLE_COLLECTIONS_PATH": str(collections), "PWD": str(collections)}
    done = subprocess.run(
        [str(part) for part in arguments],
        cwd=collections,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the collection and install it into an empty path."""
    folder = tmp_path_factory.mktemp("collections")
    run("ansible-galaxy", "collection", "build", ROOT, collections=folder)
    (archive,) = folder.glob("homestead-matrix-*.tar.gz")
    install: list[str | Path] = [
        "ansible-galaxy",
        "collection",
        "install",
        "--offline",
        "-p",
        folder,
    ]
    run(*install, archive, collections=folder)
    return folder


@pytest.fixture(scope="module")
def installed(collections: Path) -> Path:
    return collections / "ansible_collections/homestead/matrix"


@pytest.mark.parametrize("name", SHIPPED)
def test_is_shipped(installed: Path, name: str) -> None:
    assert (installed / name).is_file()


@pytest.mark.parametrize("name", NOT_SHIPPED)
def test_is_not_shipped(installed: Path, name: str) -> None:
    assert not (installed / name).exists()


@pytest.mark.parametrize("playbook", ["site", "plan", "verify"])
def test_playbook_is_understood(collections: Path, playbook: str) -> None:
    command: list[str | Path] = ["ansible-playbook", "--inventory", EXAMPLE, "--syntax-check"]
    run(*command, f"homestead.matrix.{playbook}", collections=collections)


def test_plan_of_the_example_is_written(collections: Path) -> None:
    run(
        "ansible-playbook", "--inventory", EXAMPLE, "homestead.matrix.plan", collections=collections
    )
    assert (collections / "matrix-reports/example.com/plan.json").is_file()
