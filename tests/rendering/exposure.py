# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of the host a unit reaches, judged by systemd from its file alone."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_ANALYZE = shutil.which("systemd-analyze")
needs_systemd_analyze = pytest.mark.skipif(
    _ANALYZE is None, reason="systemd-analyze is not installed"
)


def assert_low(unit: str, text: str, folder: Path) -> None:
    """See that the exposure of a unit of this text is 2.5 or better."""
    path = folder / unit
    path.write_text(text)
    words = [str(_ANALYZE), "security", "--offline=yes", "--threshold=25", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
