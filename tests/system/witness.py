# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who is logged in on a host and on the controller, and watches the process lists."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from ansible_collections.homestead.matrix.tests.lab.labs import Lab

WATCH = """
import pathlib, time
seen = set()
out = open("/run/witness", "a", buffering=1)
end = time.monotonic() + 1800
while time.monotonic() < end and not pathlib.Path("/run/witness.stop").exists():
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes() + b" " + (process / "comm").read_bytes()
        except OSError:
            continue
        if line not in seen:
            seen.add(line)
            out.write(line.replace(b"\\0", b" ").decode(errors="replace") + "\\n")
    time.sleep(0.01)
"""


class Witness:
    """Collects every command line that appears on a host and on the controller meanwhile."""

    def __init__(self, lab: Lab, host: str) -> None:
        self._lab = lab
        self._host = host
        self._done = threading.Event()
        self._seen: set[bytes] = set()
        self._thread = threading.Thread(target=self._watch_controller, daemon=True)
        self.command_lines = ""

    def _watch_controller(self) -> None:
        while not self._done.wait(0.01):
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):  # it ended meanwhile
                    self._seen.add((process / "cmdline").read_bytes())

    def __enter__(self) -> Witness:
        start = "systemd-run --quiet --unit=witness --collect python3 /run/witness.py"
        self._lab.ssh(self._host, f"cat >/run/witness.py && {start}", WATCH)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()
        here = b"\n".join(self._seen).replace(b"\0", b" ").decode(errors="replace")
        there = self._lab.ssh(self._host, "touch /run/witness.stop; cat /run/witness")
        self.command_lines = f"{here}\n{there}"
