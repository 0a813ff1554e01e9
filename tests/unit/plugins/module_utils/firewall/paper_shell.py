# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell of a host of paper: a real one, which sees that host's files and nothing else.

The script runs in a directory that holds the files. What is no plain tool of the shell, it asks of
the host: the program's name and input go through one named pipe, the answer through another.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import Outcome

TOOLS = ("cat", "cmp", "cp", "flock", "grep", "mkdir", "mv", "rm", "sed", "sh", "timeout")
ASKED = (
    *("firewall-cmd", "mount", "mountpoint", "nft", "nsenter", "systemctl", "umount"),
    *(f"{tables}-{what}" for tables in ("iptables", "ip6tables") for what in ("save", "restore")),
)
# Directories that every host has, or that stay when their last file goes.
FOLDERS = (
    *("etc/default", "etc/homestead", "etc/systemd/system", "etc/ufw"),
    *("etc/firewalld/services", "etc/firewalld/zones", "run", "var/lib/homestead"),
)
TOPS = ("etc", "run", "var")
STUB = """\
#!/bin/sh
input=$(cat)
printf '%s\\n%s\\n' "${{0##*/}} $*" "$input" >{root}/call
{{ read -r code; if [ "$code" = 0 ]; then cat; else cat >&2; fi; exit "$code"; }} <{root}/answer
"""
_PATH = re.compile(rf"(?<![\w./])/(?=(?:{'|'.join(TOPS)})\b)")


class Owner(Protocol):
    """The host whose files and programs a script uses."""

    files: dict[str, str]

    def run(self, command: Sequence[str], *, text: str = "") -> Outcome: ...


def carry_out(owner: Owner, script: str) -> Outcome:
    """Run a script and let the host have what it makes of the files."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        _equip(root)
        _put(owner.files, root, {})
        text = f"(\n{_moved(script, root)}\n)\necho exit $? >{root}/call"
        with open(root / "errors", "w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [root / "bin/sh", "-c", text],
                env={"PATH": f"{root}/bin"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
            code = _answer(owner, root)
            process.wait()
        owner.files = _get(root)
        words = (root / "errors").read_text(encoding="utf-8").replace(str(root), "")
    return Outcome(code=code, output="", errors=words)


def _equip(root: Path) -> None:
    """Give the shell its directories and tools, and a way to ask for the other programs."""
    for folder in ("bin", *FOLDERS):
        (root / folder).mkdir(parents=True)
    for tool in TOOLS:
        (root / "bin" / tool).symlink_to(shutil.which(tool) or "/missing")
    for program in ASKED:
        (root / "bin" / program).write_text(STUB.format(root=root), encoding="utf-8")
        (root / "bin" / program).chmod(0o755)
    os.mkfifo(root / "call")
    os.mkfifo(root / "answer")


def _answer(owner: Owner, root: Path) -> int:
    """Answer what the shell asks until it ends, and return its exit code."""
    while True:
        line, _newline, text = (root / "call").read_text(encoding="utf-8").partition("\n")
        if line.startswith("exit "):
            return int(line.partition(" ")[2])
        present = _get(root)
        owner.files = dict(present)
        finished = _ask(owner, line.replace(str(root), "").split(), text=text)
        _put(owner.files, root, present)
        words = finished.errors if finished.code else finished.output
        (root / "answer").write_text(f"{finished.code}\n{words}", encoding="utf-8")


def _ask(owner: Owner, command: Sequence[str], *, text: str) -> Outcome:
    try:
        return owner.run(command, text=text)
    except FileNotFoundError as error:
        return Outcome(code=127, output="", errors=str(error))


def _put(files: dict[str, str], root: Path, present: dict[str, str]) -> None:
    """Write what differs, for the shell may hold the rest open; scripts must find the files too."""
    for path in set(present) - set(files):
        (root / path.lstrip("/")).unlink()
    for path, text in files.items():
        if present.get(path) != text:
            own = root / path.lstrip("/")
            own.parent.mkdir(parents=True, exist_ok=True)
            script = path.endswith("/undo")
            own.write_text(_moved(text, root) if script else text, encoding="utf-8")


def _get(root: Path) -> dict[str, str]:
    """Read the files; a lock is none."""
    found = [
        path
        for top in TOPS
        for path in (root / top).rglob("*")
        if path.is_file() and path.suffix != ".lock"
    ]
    return {
        str(path).replace(str(root), "", 1): path.read_text(encoding="utf-8").replace(str(root), "")
        for path in found
    }


def _moved(script: str, root: Path) -> str:
    return _PATH.sub(f"{root}/", script)
