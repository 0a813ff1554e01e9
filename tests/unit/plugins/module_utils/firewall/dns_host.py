# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host of paper that may run a dnsmasq."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.homestead.matrix.plugins.module_utils.firewall.system import Finished


def link(name: str, *addresses: str, label: str = "") -> dict[str, Any]:
    """Return what ``ip -json address show`` says of an interface."""
    rows = [{"local": address, "label": label or name} for address in addresses]
    return {"ifname": name, "addr_info": rows}


LINKS = [
    link("lo", "127.0.0.1", "::1"),
    link("eth0", "203.0.113.5", "2001:db8::5", "fe80::5"),
    link("wg0", "10.8.0.1", "fd00::1"),
]
ROUTES = [{"dst": "default", "dev": "eth0"}]


@dataclass
class DnsHost:
    """A host with one dnsmasq, process 370, started 1000 seconds after boot; or with none."""

    arguments: str = ""
    files: dict[str, str] = field(default_factory=dict)
    changed: str = ""
    commands: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.arguments:
            self.files["/proc/stat"] = "cpu 1 2 3\nbtime 1700000000\nprocesses 9\n"
            words = ["/usr/sbin/dnsmasq", *self.arguments.split()]
            self.files["/proc/370/cmdline"] = "".join(f"{word}\0" for word in words)
            self.files["/proc/370/stat"] = f"370 (dns masq) S {'0 ' * 18}100000 0 0"

    def run(self, command: Sequence[str], *, text: str = "") -> Finished:  # noqa: ARG002 - nobody types here
        self.commands.append(" ".join(command))
        known = {"pidof": self._pidof, "cat": self._cat, "ip": self._ip, "find": self._find}
        answer = known[command[0]](command) if command[0] in known else ""
        return Finished(code=0, output=answer, errors="")

    def _pidof(self, _command: Sequence[str]) -> str:
        return "370\n" if self.arguments else ""

    def _cat(self, command: Sequence[str]) -> str:
        return self.files.get(command[-1], "")

    def _ip(self, command: Sequence[str]) -> str:
        if "address" in command:
            return json.dumps(LINKS)
        return json.dumps(ROUTES) if "-4" in command else ""

    def _find(self, command: Sequence[str]) -> str:
        assert command[-1] == "@1700001002.00"
        return self.changed if self.changed in command else ""

    def names(self, folder: str) -> list[str]:
        return [path.rpartition("/")[2] for path in self.files if path.startswith(f"{folder}/")]

    def read(self, path: str) -> str | None:
        return self.files.get(path)

    def finds(self, program: str) -> bool:
        return bool(program)

    def write(self, path: str, text: str) -> None:
        self.files[path] = text

    def move(self, source: str, target: str) -> bool:
        raise NotImplementedError

    def remove(self, path: str) -> None:
        raise NotImplementedError

    def ssh_connection(self) -> str:
        return ""
