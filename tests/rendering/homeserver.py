# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Synapse that the role installs, installed here, to judge what the role writes."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "roles/synapse/files"
CACHE = ROOT / ".cache/synapse"


def python_of(version: str) -> Path:
    """Return the Python of this Synapse, installed as the role does it: once, in half a minute."""
    place = CACHE / f"{version}-{sys.version_info.major}.{sys.version_info.minor}"
    python, ready = place / "bin/python", place / "ready"
    requirements = FILES / f"requirements-{version}.txt"
    if not ready.exists() or ready.read_text() != requirements.read_text():
        venv.create(place, clear=True, with_pip=True)
        words = "-m pip install --quiet --no-deps --only-binary=:all: --require-hashes"
        subprocess.run([python, *words.split(), f"--requirement={requirements}"], check=True)
        ready.write_text(requirements.read_text())
    return python
