# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks that have run, are killed, or are waited for."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

POLL = 0.2


@dataclass(frozen=True)
class Run:
    """A finished playbook: its exit status, what it printed and its wall-clock seconds."""

    status: int
    output: str
    seconds: float

    def recap(self, host: str) -> dict[str, int]:
        """Return the counters of the play recap of one host."""
        line = re.findall(rf"^{host}\s+: (.*)$", self.output, re.MULTILINE)
        assert line, f"no recap of {host} in:\n{self.output[-6000:]}"
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line[-1])}

    @property
    def changed(self) -> bool:
        """Whether anything changed on the hosts, or would have."""
        return bool(re.search(r"changed=[1-9]", self.output))


def kill(process: subprocess.Popen[str]) -> None:
    """Kill the controller's processes the hard way and wait until they are gone."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def wait_until(happened: Callable[[], bool], *, seconds: float) -> float:
    """Wait until something happens and return after how long it did."""
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < seconds, f"did not happen within {seconds} seconds"
        time.sleep(POLL)
    return time.monotonic() - began
