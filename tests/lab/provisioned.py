# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished server for tests that only need one: made once, and handed from suite to suite."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.homestead.matrix.tests.lab.labs import ROOT, Lab

NAME = "server"
"""The lab that suites hand on; one at a time may use it (`after` in tests/stages.toml)."""
RELEASE = os.environ.get("LAB_RELEASE", "12")
KEEP = "LAB_KEEP" in os.environ
"""Whether a suite leaves the lab to the next one."""
_MADE_OF = ("playbooks", "plugins", "roles", "tests/lab")


def _fingerprint() -> str:
    """Return a hash of all that a finished server depends on."""
    digest = hashlib.sha256(RELEASE.encode())
    for folder in _MADE_OF:
        for path in sorted((ROOT / folder).rglob("*")):
            parts = path.relative_to(ROOT).parts
            if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in parts):
                digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _mark(lab: Lab) -> Path:
    return lab.state / "finished"


def hand_on(lab: Lab) -> None:
    """Note that the lab's server is finished, verified, and of this very tree."""
    _mark(lab).write_text(_fingerprint(), encoding="ascii")


def _is_finished(lab: Lab) -> bool:
    mark = _mark(lab)
    return mark.exists() and mark.read_text(encoding="ascii") == _fingerprint() and lab.is_up()


@contextmanager
def finished_server() -> Iterator[Lab]:
    """Give the server that a suite before has left, or make one; whoever damages it mends it."""
    lab = Lab(NAME)
    if not _is_finished(lab):
        lab.down()
        lab.up(release=RELEASE)
        made = lab.play("site")
        assert made.status == 0, made.output[-8000:]
        hand_on(lab)
    try:
        yield lab
    finally:
        if not KEEP:
            lab.down()


@contextmanager
def bare_server() -> Iterator[Lab]:
    """Give the same lab with bare hosts, to a suite that makes the server itself."""
    lab = Lab(NAME)
    lab.down()
    lab.up(release=RELEASE)
    try:
        yield lab
    finally:
        if not (KEEP and _mark(lab).exists()):
            lab.down()
