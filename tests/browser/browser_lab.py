# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab of these tests: nginx on three hosts, and Chromium on a fourth."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from ansible_collections.homestead.matrix.plugins.module_utils.verify.scope import Scope
from ansible_collections.homestead.matrix.plugins.module_utils.verify.verification import (
    Verification,
    verify,
)
from ansible_collections.homestead.matrix.tests.lab.browsers import drive
from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from selenium.webdriver.remote.webdriver import WebDriver

TOPOLOGY = Path(__file__).parent / "topology.toml"


class BrowserLab(Lab):
    """One lab of tests/browser/topology.toml."""

    def put(self, files: dict[tuple[str, str], bytes], then: str = "true") -> None:
        """Write files, each at a host and a path, on all hosts at once; then run a command."""
        started = [
            (self.begin(host, "sh", "-c", f"install -D /dev/stdin {path} && {then}"), content)
            for (host, path), content in files.items()
        ]
        for process, content in started:
            _finished(process, content)

    def drive(self) -> WebDriver:
        """Open a browser."""
        return drive(self)

    def verify(self, server_name: str) -> Verification:
        """Look at a server of the lab as a stranger would."""
        return asyncio.run(verify(self.network(), Scope(server_name)))


def _finished(process: subprocess.Popen[bytes], stdin: bytes) -> None:
    output, errors = process.communicate(stdin, timeout=60)
    assert process.returncode == 0, (output + errors).decode(errors="replace")
