# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a local server in a process of its own, and print time, memory and findings.

Usage: look.py '{"ports": {"tcp-443": 12345}, "nameserver": "127.0.0.1:5300", ...}'
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.scope import Scope
from ansible_collections.homestead.matrix.plugins.module_utils.verify.verification import verify
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.sockets import (
    Opener,
    Stream,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Handshake,
)

LOCAL = ("127.0.0.0/8",)


class LocalOpener(Opener):
    """Opens the ports in whose place local ones stand."""

    def __init__(self, ports: Mapping[str, int], *, ca_file: str) -> None:
        super().__init__(Guard.parse(LOCAL), ca_file=ca_file)
        self._ports = ports

    def port(self, port: int) -> int:
        return self._ports.get(f"tcp-{port}", self._ports.get("tcp", port))

    async def tcp(self, address: str, port: int) -> Stream:
        return await super().tcp(address, self.port(port))

    async def tls(self, address: str, port: int, name: str) -> Stream:
        return await super().tls(address, self.port(port), name)

    async def greet(self, address: str, port: int, *, name: str, outdated: bool) -> Handshake:
        return await super().greet(address, self.port(port), name=name, outdated=outdated)


class LocalNetwork(Network):
    """The real network, but for the numbers of ports."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        ca_file, nameservers = given["ca_file"], [given["nameserver"]]
        seconds = given["seconds"]
        guard = Guard.parse(LOCAL)
        super().__init__(guard, ca_file=ca_file, nameservers=nameservers, seconds=seconds)
        self._opener = LocalOpener(given["ports"], ca_file=ca_file)
        self._ports = given["ports"]

    async def _udp(self, address: str, port: int, name: str) -> Any:
        return await super()._udp(address, self._ports.get(f"udp-{port}", port), name)


def megabytes() -> float:
    """Return the highest memory of this process, which rusage mixes with that of its parent."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    match = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    return int(match[1]) / 1024 if match else 0.0


def main() -> None:
    given = json.loads(sys.argv[1])
    scope = Scope(
        given.get("server_name", "example.com"),
        expectations=Expectations.of(given.get("expectations", {})),
        credentials=given.get("credentials", {}),
        allowed=LOCAL,
    )
    started = time.monotonic()
    report = asyncio.run(verify(LocalNetwork(given), scope))
    seconds = time.monotonic() - started
    result = {"seconds": seconds, "megabytes": megabytes(), **report.as_dict(), "spent": seconds}
    json.dump(result, sys.stdout, allow_nan=False)


if __name__ == "__main__":
    main()
