# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs on a host: what they say, and for how long they are waited for."""

from __future__ import annotations

import os
import time

from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import run_program


def test_output_and_errors_are_apart() -> None:
    done = run_program(["sh", "-c", "echo said; echo wrong >&2; exit 3"])
    assert (done.code, done.output, done.errors) == (3, "said\n", "wrong\n")


def test_nobody_waits_for_a_daemon_that_keeps_the_output() -> None:
    began = time.monotonic()
    done = run_program(["sh", "-c", "sleep 60 & echo $!"])
    os.kill(int(done.output), 9)
    assert time.monotonic() - began < 30


def test_a_program_that_hangs_is_stopped_with_its_children() -> None:
    done = run_program(["sh", "-c", "sleep 60 & echo $!; wait"], seconds=0.3)
    assert done.code == 124
    assert "did not end within 0.3 s" in done.errors
    end = time.monotonic() + 5
    while _runs(int(done.output)):
        assert time.monotonic() < end
        time.sleep(0.01)


def _runs(process: int) -> bool:
    """Tell whether a process has neither ended nor is a zombie that nobody has asked for."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as told:
            return told.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_missing_program_is_told() -> None:
    assert run_program(["/nowhere/program"]).code == 127
