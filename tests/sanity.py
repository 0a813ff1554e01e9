# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test sanity on a copy of the tree, with every Python of this machine.

usage: sanity.py [OPTIONS of ansible-test sanity]

Without options, all of it, but pylint of what gets installed only.
"""

from __future__ import annotations

import ensurepip
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache/sanity"
TREE = CACHE / "ansible_collections/homestead/matrix"
INSTALLER = """
import sysconfig
with open(sysconfig.get_path("purelib") + "/pip.pth", "w") as link:
    link.write("{shared}\\n")
"""
ELSEWHERE = ("changelog", "pep8", "yamllint")
"""What stages of their own look at, with the same programs or ruff's rules."""
SHORT = [
    [f"--skip-test={name}" for name in ("pylint", *ELSEWHERE)],
    ["--test", "pylint", "plugins/"],
]
"""Pylint needs a minute more for the tests: `make sanity` takes it."""
PYTHONS = [f"python3.{minor}" for minor in range(9, 16)]


def copy_tree() -> None:
    """Copy what git knows or would know; ansible-test wants a collection's path and repository."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    shutil.rmtree(TREE, ignore_errors=True)
    for name in filter(None, names.split("\0")):
        if (ROOT / name).exists():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, TREE / name, follow_symlinks=False)
    for command in (["init", "--quiet"], ["add", "--all", "--force"]):
        subprocess.run(["git", *command], cwd=TREE, check=True)


def link_pythons() -> Path:
    """Collect the interpreters that work: a name on PATH may lead nowhere."""
    folder = CACHE / "bin"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in PYTHONS:
        command = [name, "-c", "import sys; print(sys.executable)"]
        if shutil.which(name):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                (folder / name).symlink_to(done.stdout.strip())
    return folder


def provide_pip(home: Path) -> None:
    """Let all environments of ansible-test share the pip that Python brings along."""
    package = find_spec("ansible_test")
    assert package is not None
    assert package.submodule_search_locations is not None
    source = Path(package.submodule_search_locations[0]) / "_internal/python_requirements.py"
    versions = re.findall(r"\bpip='([0-9.]+)'", source.read_text())
    shared = home / "pip"
    for wheel in Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"):
        shutil.unpack_archive(wheel, shared, "zip")
    cache = home / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in versions:
        installer = cache / f"get_pip_{version.replace('.', '_')}.py"
        installer.write_text(INSTALLER.format(shared=shared))
    settings = home / ".config/pip/pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("[install]\nno-compile = true\n")  # most of it is never run


def main() -> int:
    """Copy, prepare, run."""
    copy_tree()
    home = CACHE / "home"
    provide_pip(home)
    tools = Path(sys.executable).parent
    environment = {
        **os.environ,
        "HOME": str(home),
        "PATH": f"{tools}:{link_pythons()}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }
    environment.pop("ANSIBLE_CONFIG", None)
    command = ["ansible-test", "sanity", "--local", "--color", "no"]
    runs = [sys.argv[1:]] if sys.argv[1:] else SHORT
    codes = (
        subprocess.run([*command, *run], cwd=TREE, env=environment, check=False).returncode
        for run in runs
    )
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
