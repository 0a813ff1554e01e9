# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab of these tests: nginx on three hosts, and Chromium on a fourth."""

from __future__ import annotations

import asyncio
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.homestead.matrix.plugins.module_utils.verify.plan import Plan
from ansible_collections.homestead.matrix.plugins.module_utils.verify.run import Report, verify
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from selenium import webdriver
from selenium.webdriver.remote.webdriver import WebDriver

ROOT = Path(__file__).resolve().parents[2]
LAB = str(ROOT / "tests/lab/lab")
CHROMIUM = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars")
LOGS = {"browser": "ALL", "performance": "ALL"}


@dataclass(frozen=True)
class Lab:
    """One lab of tests/browser/topology.toml."""

    name: str

    @property
    def state(self) -> Path:
        return ROOT / ".cache/lab" / self.name

    def up(self) -> None:
        topology = ("--topology", str(Path(__file__).parent / "topology.toml"))
        subprocess.run([LAB, "up", "--name", self.name, *topology], check=True)

    def down(self) -> None:
        subprocess.run([LAB, "down", "--name", self.name], check=True)

    def run(self, host: str, *command: str, stdin: bytes = b"") -> bytes:
        """Run a program as root on a host and return what it printed."""
        return _finished(self.start(host, *command), stdin)

    def start(self, host: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a program as root on a host."""
        docker = ["docker", "exec", "--interactive", f"{self.name}-{host}", *command]
        pipe = subprocess.PIPE
        return subprocess.Popen(docker, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT)

    def put(self, files: dict[tuple[str, str], bytes], then: str = "true") -> None:
        """Write files, each at a host and a path, on all hosts at once; then run a command."""
        started = [
            (self.start(host, "sh", "-c", f"install -D /dev/stdin {path} && {then}"), content)
            for (host, path), content in files.items()
        ]
        for process, content in started:
            _finished(process, content)

    def address(self, host: str) -> str:
        inventory = json.loads((self.state / "inventory/hosts.json").read_text())
        hosts = inventory["all"]["children"]["lab"]["children"]["others"]["hosts"]
        return str(hosts[host]["ansible_host"])

    def drive(self) -> WebDriver:
        """Open a browser."""
        options = webdriver.ChromeOptions()
        for argument in CHROMIUM:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", LOGS)
        return webdriver.Remote(f"http://{self.address('browser')}:9515", options=options)

    def verify(self, server_name: str) -> Report:
        """Look at a server of the lab as a stranger would."""
        settings = json.loads((self.state / "inventory/group_vars/matrix.json").read_text())
        network = Network(
            Guard.parse(settings["verify_allow_private"]),
            ca_file=str(self.state / "ca.pem"),
            nameservers=settings["verify_nameservers"],
        )
        return asyncio.run(verify(network, Plan(server_name)))


def _finished(process: subprocess.Popen[bytes], stdin: bytes) -> bytes:
    output, _nothing = process.communicate(stdin, timeout=60)
    assert process.returncode == 0, output.decode(errors="replace")
    return output
