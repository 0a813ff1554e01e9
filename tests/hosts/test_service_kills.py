# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed before any write, a run is finished by the next one, or undone if that one fails.

Each release takes every second write, so that both together take them all.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from test_service_failures import GOOD, changed

if TYPE_CHECKING:
    from service_host import ServiceHost

TOOL = b"#!/bin/sh\n"
WAITING = f"/var/lib/homestead/downloads/{hashlib.sha256(TOOL).hexdigest()}"
PROGRAM = {"path": "/opt/demo", "version": "1", "file": "demo", "sha256": Path(WAITING).name}
NEXT = changed(
    "next @@homestead-secret:fresh@@\n",
    programs=[PROGRAM],
    version="good",
    secrets={"demo": {}, "fresh": {}},
    commands=[{"argv": ["touch", "/var/lib/demo/made"], "creates": "/var/lib/demo/made"}],
    validate=[{"argv": ["test", "-e", "/var/lib/demo/made"]}],
)
REFUSED = {**NEXT, "programs": [], "validate": [{"argv": ["sh", "-c", "echo refused; exit 1"]}]}
RECORD = "/var/lib/homestead/services/demo.json"
RANDOM = ("/etc/homestead/secrets/fresh", RECORD, "/etc/demo/demo.conf")


@pytest.fixture
def quick_host(service_host: ServiceHost) -> ServiceHost:
    """Watch started units for a moment only: here none dies by itself."""
    return replace(service_host, settle=0.05)


def start_over(host: ServiceHost) -> None:
    host.apply(GOOD)
    host.shell("rm -rf /etc/homestead/secrets/fresh /var/lib/demo/made /opt/demo")
    bring_tool(host)


def bring_tool(host: ServiceHost) -> None:
    """Let the download wait, as the action plugin does."""
    host.run("install", "-D", "/dev/stdin", WAITING, stdin=TOOL)


def finish(host: ServiceHost) -> dict[str, Any]:
    """Make a run that may have to fetch the download once more."""
    result = host.apply(NEXT)
    if "needs" in result:
        bring_tool(host)
        result = host.apply(NEXT)
    return result


def state(host: ServiceHost) -> dict[str, Any]:
    """Return what must be the same whatever happened in between."""
    record = json.loads(host.run("cat", RECORD))
    kept = {key: record[key] for key in ("files", "folders", "units", "commands")}
    lines = {ln for ln in host.snapshot() if len(ln.split()[0]) != 64 or not ln.endswith(RANDOM)}
    return {
        "paths": lines,
        "record": kept,
        "unit": host.unit(),
        "read": host.shell("cat /run/demo/read | cut -c 1-5"),
        "made": host.run("ls", "/var/lib/demo"),
    }


def test_the_next_run_finishes_after_a_kill_before_any_write(quick_host: ServiceHost) -> None:
    start_over(quick_host)
    writes = quick_host.apply(NEXT)["writes"]
    finished = state(quick_host)
    for number in range(1 + quick_host.parity, writes + 1, 2):
        start_over(quick_host)
        quick_host.apply_and_die(NEXT, number)
        assert not finish(quick_host).get("failed"), f"write {number} of {writes}"
        assert state(quick_host) == finished, f"write {number} of {writes}"
        secret = quick_host.run("cat", "/etc/homestead/secrets/fresh")
        assert quick_host.run("head", "-n1", "/run/demo/read") == f"next {secret}"
    assert not quick_host.apply(NEXT)["changed"]


def test_a_failing_next_run_goes_back_to_before_the_kill(quick_host: ServiceHost) -> None:
    start_over(quick_host)
    writes = quick_host.apply(NEXT)["writes"]
    start_over(quick_host)
    good = state(quick_host)
    for number in range(2 - quick_host.parity, writes - 5, 2):
        start_over(quick_host)
        quick_host.apply_and_die(NEXT, number)
        assert "refused" in quick_host.apply(REFUSED)["msg"], f"write {number} of {writes}"
        # What commands made is not ours to undo.
        quick_host.shell("rm -rf /var/lib/demo/made /opt/demo")
        bring_tool(quick_host)
        assert state(quick_host) == good, f"write {number} of {writes}"
