# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who is logged in on a host and on the controller, and watches the process lists."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from ansible_collections.homestead.matrix.tests.lab.labs import Lab

# Reads every process each 10 ms; one that is a second old is asked again twice a second only.
WATCH = """
import os, sys, time
seen, looks = set(), {}

def read(process):
    try:
        with open("/proc/" + process + "/cmdline", "rb") as line:
            with open("/proc/" + process + "/comm", "rb") as name:
                return line.read() + b" " + name.read()
    except OSError:
        return b""

with open(sys.argv[1], "a", buffering=1) as out:
    end, number = time.monotonic() + 1800, 0
    while time.monotonic() < end and not os.path.exists(sys.argv[1] + ".stop"):
        number += 1
        looks = {pid: looks.get(pid, 0) + 1 for pid in filter(str.isdigit, os.listdir("/proc"))}
        for process in looks:
            if looks[process] < 100 or number % 50 == 0:
                line = read(process)
                if line not in seen:
                    seen.add(line)
                    out.write(line.replace(b"\\0", b" ").decode(errors="replace") + "\\n")
        time.sleep(0.01)
"""
SEEN = "/run/witness"


class Witness:
    """Collects every command line that appears on a host and on the controller meanwhile."""

    def __init__(self, lab: Lab, host: str) -> None:
        self._lab = lab
        self._host = host
        self.command_lines = ""

    def __enter__(self) -> Witness:
        start = "systemd-run --quiet --unit=witness --collect python3 /run/witness.py"
        begin = f"rm -f {SEEN} {SEEN}.stop && cat >/run/witness.py && {start} {SEEN}"
        self._lab.ssh(self._host, begin, WATCH)
        self._folder = tempfile.TemporaryDirectory()
        self._here = Path(self._folder.name, "witness")
        self._watching = subprocess.Popen([sys.executable, "-c", WATCH, str(self._here)])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._here.with_name("witness.stop").touch()
        self._watching.wait()
        here = self._here.read_text()
        there = self._lab.ssh(self._host, f"touch {SEEN}.stop; cat {SEEN}")
        self.command_lines = f"{here}\n{there}"
        self._folder.cleanup()
