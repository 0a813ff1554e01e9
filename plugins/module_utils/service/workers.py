# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a program that reloads took its new configuration.

nginx and Apache start new workers with it, and end the old ones. If they cannot (a port is taken, a
size has changed that must not), they go on with the old ones: the reload has succeeded for systemd,
and only their log says otherwise.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .machine import Machine
from .model import ServiceError

LOGS = {"nginx.service": "var/log/nginx/error.log", "apache2.service": "var/log/apache2/error.log"}
"""Where the programs that work so tell what went wrong."""
_WORDS = 4000


@dataclass(frozen=True)
class Workers:
    """The workers of a unit and the length of its log, before it reloads."""

    unit: str
    numbers: frozenset[str]
    told: int


def look(host: Machine, units: Iterable[str]) -> list[Workers]:
    """Return the workers of those units that have some and run."""
    seen = ((unit, _workers(host, unit)) for unit in units if unit in LOGS)
    return [Workers(unit, found, _length(host.root / LOGS[unit])) for unit, found in seen if found]


def wait_for_new_ones(host: Machine, before: Iterable[Workers]) -> None:
    """Return once each unit has a new worker; if one has none in time, raise what its log says."""
    end = time.monotonic() + host.patience
    for old in before:
        while _workers(host, old.unit) <= old.numbers:
            if time.monotonic() >= end:
                told = _told_since(host.root / LOGS[old.unit], old.told)
                goes_on = f"{old.unit} goes on with its former configuration"
                raise ServiceError(f"{goes_on}: {told[-_WORDS:]}" if told else goes_on)
            time.sleep(0.05)


def _workers(host: Machine, unit: str) -> frozenset[str]:
    """Return the numbers of the processes that a unit's first process started."""
    outcome = host.run(["systemctl", "show", "--property=MainPID", unit])
    first = dict(line.partition("=")[::2] for line in outcome.output.splitlines()).get("MainPID")
    if not first or first == "0":
        return frozenset()
    processes = (name for name in os.listdir(host.root / "proc") if name.isdigit())
    return frozenset(number for number in processes if _parent(host, number) == first)


def _parent(host: Machine, number: str) -> str:
    """Return who started a process (proc_pid_stat(5)), nobody if it has just ended."""
    try:
        told = (host.root / "proc" / number / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return told.rpartition(")")[2].split()[1]


def _length(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0


def _told_since(log: Path, length: int) -> str:
    """Return what a log says after so many bytes; the rest of it may be long."""
    try:
        with log.open("rb") as told:
            told.seek(length)
            return told.read().decode(errors="replace").strip()
    except OSError:
        return ""
