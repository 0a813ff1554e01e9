# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test sanity on a copy of the tree, with every Python of this machine."""

from __future__ import annotations

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
    """Let ansible-test take the pip that Python brings along, and download none."""
    package = find_spec("ansible_test")
    assert package is not None
    assert package.submodule_search_locations is not None
    source = Path(package.submodule_search_locations[0]) / "_internal/python_requirements.py"
    versions = re.findall(r"\bpip='([0-9.]+)'", source.read_text())
    cache = home / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in versions:
        installer = cache / f"get_pip_{version.replace('.', '_')}.py"
        installer.write_text("import ensurepip\n\nensurepip.bootstrap()\n")
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
    command = ["ansible-test", "sanity", "--local", "--color", "no", *sys.argv[1:]]
    return subprocess.run(command, cwd=TREE, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
