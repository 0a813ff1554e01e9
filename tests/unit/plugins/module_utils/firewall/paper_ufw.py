# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of paper with ufw, as Debian delivers it: installed, but not filtering."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.homestead.matrix.plugins.module_utils.firewall.iptables import (
    FAMILIES,
    IPV4,
    IPV6,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.ufw import (
    DEFAULTS,
    SETTINGS,
    UNIT,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.ufw_files import (
    setting,
    with_setting,
)
from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import Outcome
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall import (
    paper_tables,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall.paper import DONE

PRISTINE = (Path(__file__).parent / "texts/pristine.rules").read_text(encoding="utf-8")
DELIVERED = {
    SETTINGS: "# /etc/ufw/ufw.conf\nENABLED=no\nLOGLEVEL=low\n",
    DEFAULTS: 'IPV6=yes\nDEFAULT_INPUT_POLICY="DROP"\nMANAGE_BUILTINS=no\n',
    IPV4.path: PRISTINE,
    IPV6.path: PRISTINE.replace(":ufw-", ":ufw6-").replace("-A ufw-", "-A ufw6-"),
}
# What ufw loads beside the rules of people, shortened.
FRAME = """\
*filter
:INPUT DROP [0:0]
:{ufw}-before-input - [0:0]
:{ufw}-reject-input - [0:0]
:{ufw}-track-input - [0:0]
:{ufw}-skip-to-policy-input - [0:0]
-A INPUT -j {ufw}-before-input
-A {ufw}-before-input -i lo -j ACCEPT
-A {ufw}-before-input -j {ufw}-user-input
-A {ufw}-skip-to-policy-input -j DROP
COMMIT
"""


def rules(*ports: int) -> dict[str, str]:
    """Return the texts of ufw's files which open these ports for SSH."""
    return {"user.rules": _file("ufw", ports), "user6.rules": _file("ufw6", ports)}


def rule(port: int, *, chain: str = "ufw", verdict: str = "ACCEPT") -> str:
    return f"-A {chain}-user-input -p tcp --dport {port} -j {verdict}"


def _file(chain: str, ports: tuple[int, ...]) -> str:
    everybody = {"ufw": "0.0.0.0/0", "ufw6": "::/0"}[chain]
    entries = [
        f"\n### tuple ### allow tcp {port} {everybody} any {everybody} in comment=535348\n"
        f"{rule(port, chain=chain)}\n"
        for port in ports
    ]
    head = f"*filter\n:{chain}-user-input - [0:0]\n### RULES ###\n"
    return f"{head}{''.join(entries)}\n### END RULES ###\nCOMMIT\n"


@dataclass
class UfwHost(paper_tables.TablesHost):
    """A host whose ufw loads its frame and the rules of people."""

    files: dict[str, str] = field(default_factory=lambda: dict(DELIVERED))
    programs: set[str] = field(default_factory=lambda: {"nft", "sshd", "ufw"})
    units: dict[str, set[str]] = field(default_factory=lambda: {UNIT: {"enabled", "active"}})

    def enable(self, *ports: int) -> None:
        """Let the operator open ports and enable ufw by hand."""
        texts = rules(*ports)
        self.files.update({family.path: texts[Path(family.path).name] for family in FAMILIES})
        self.files[SETTINGS] = with_setting(self.files[SETTINGS], "ENABLED", "yes")
        self._start("")

    def etc(self) -> dict[str, str]:
        return {path: text for path, text in self.files.items() if path.startswith("/etc/")}

    def boot(self) -> None:
        super().boot()
        if setting(self.files[SETTINGS], "ENABLED") == "yes":
            self._start("")

    def _ufw_init(self, line: str, _text: str) -> Outcome:
        _tool, _option, folder, _verb = line.split()
        self._start(folder)
        return DONE

    def _start(self, folder: str) -> None:
        for family in FAMILIES:
            table = self.tables[family.tables]
            table.restore(FRAME.format(ufw=family.chains), flush=False)
            table.restore(self.files[f"{folder}{family.path}"], flush=False)
