# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of paper with firewalld, installed, but neither running nor enabled."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.homestead.matrix.plugins.module_utils.firewall.firewalld import (
    ETC,
    OURS,
    SETTINGS,
    UNIT,
    ZONE,
)
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.ufw_files import (
    setting,
    with_setting,
)
from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import Outcome
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall import (
    paper_tables,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall.paper import (
    DONE,
    failed,
    printed,
)

# What firewalld loads, shortened: which zone an interface has, and what a zone lets in.
TABLE = """\
table inet firewalld {{
\tchain filter_INPUT_POLICIES {{
{interfaces}\t\tjump filter_IN_policy_allow-host-ipv6
\t\tjump filter_IN_{zone}
\t\tdrop
\t}}

\tchain filter_IN_{zone}_allow {{
\t\t{rules}
\t}}
}}
"""
INTERFACE = """\
\t\tiifname "{name}" jump filter_IN_policy_allow-host-ipv6
\t\tiifname "{name}" jump filter_IN_{zone}
"""
DELIVERED = "# firewalld config file\nDefaultZone=public\nCleanupOnExit=yes\n"
# What `nft -j` printed when the zone and the service of the same directory were loaded.
LISTING = (Path(__file__).parent / "texts/firewalld.json").read_text(encoding="utf-8")


def rules(*ports: int) -> dict[str, str]:
    """Return the texts of our files, which open these ports."""
    rows = "".join(f'<port port="{port}" protocol="tcp"/>' for port in ports)
    return {"zone.xml": '<zone target="DROP"/>', "service.xml": f"<service>{rows}</service>"}


@dataclass
class FirewalldHost(paper_tables.TablesHost):
    """A host whose firewalld loads the very text of its files, when it starts and when asked."""

    files: dict[str, str] = field(default_factory=lambda: {SETTINGS: DELIVERED})
    programs: set[str] = field(default_factory=lambda: {"nft", "sshd", "firewall-cmd"})
    units: dict[str, set[str]] = field(default_factory=lambda: {UNIT: set()})
    interfaces: dict[str, str] = field(default_factory=dict)
    route: str = "default via 192.0.2.254 dev eth0\n"
    empties: bool = False
    listing: str = ""
    hidden: dict[str, str] | None = None

    def enable(self, zone: str) -> None:
        """Let the operator run firewalld with this default zone."""
        self.files[SETTINGS] = with_setting(self.files[SETTINGS], "DefaultZone", zone)
        self.run(["systemctl", "enable", "--now", UNIT])

    def disk(self) -> dict[str, str]:
        """Return the files that a boot finds below /etc, whatever is mounted over them."""
        shown = {} if self.hidden is None else dict.fromkeys(self.names(ETC))
        files = {path: text for path, text in self.files.items() if path not in shown}
        files.update(self.hidden or {})
        return {path: text for path, text in files.items() if path.startswith("/etc/")}

    def state(self) -> tuple[dict[str, str], str, set[str], str]:
        """Return the files, what is loaded, firewalld's unit, and the rules of others."""
        return dict(self.files), self.listing, set(self.units[UNIT]), self.saved()

    def boot(self) -> None:
        self._umount("", "")
        super().boot()
        self._follow()

    def _change(self, verb: str, states: set[str]) -> None:
        super()._change(verb, states)
        if states is self.units[UNIT] and verb in ("start", "stop"):
            self._follow()

    def _follow(self) -> None:
        """Load the files if firewalld runs, nothing if it does not."""
        if self.empties:
            self.tables = {name: paper_tables.PaperTable() for name in self.tables}
        zone = setting(self.files[SETTINGS], "DefaultZone")
        texts = [self.files.get(path, "") for path in OURS.values()] if zone == ZONE else []
        ways = [INTERFACE.format(name=name, zone=way) for name, way in self.interfaces.items()]
        shown = TABLE.format(interfaces="".join(ways), zone=zone, rules=" ".join(texts))
        self.listing = shown if "active" in self.units[UNIT] else ""

    def _firewall_cmd(self, line: str, _text: str) -> Outcome:
        if "active" not in self.units[UNIT]:
            return failed("FirewallD is not running")
        if "--reload" in line:
            self._follow()
        return DONE

    def _firewall_offline_cmd(self, _line: str, _text: str) -> Outcome:
        return DONE

    def _nft(self, line: str, text: str) -> Outcome:
        if "inet firewalld" not in line:
            return super()._nft(line, text)
        if not self.listing:
            return failed("Error: No such file or directory")
        return printed(LISTING if "-j" in line else self.listing)

    def _ip(self, line: str, _text: str) -> Outcome:
        return printed("" if "-6" in line else self.route)

    def _mount(self, line: str, _text: str) -> Outcome:
        copy = line.split()[2]
        self.hidden = {path: self.files.pop(path) for path in self.names(ETC)}
        shown = {path.replace(copy, ETC, 1): self.files[path] for path in self.names(copy)}
        self.files.update(shown)
        return DONE

    def _nsenter(self, _line: str, _text: str) -> Outcome:
        return failed()  # the daemon sees the file systems of the host

    def _mountpoint(self, _line: str, _text: str) -> Outcome:
        return failed() if self.hidden is None else DONE

    def _umount(self, _line: str, _text: str) -> Outcome:
        if self.hidden is not None:
            self.remove(ETC)
            self.files.update(self.hidden)
            self.hidden = None
        return DONE


def bare(**more: object) -> FirewalldHost:
    """Return a host on which firewalld is installed, and something more is true."""
    host = FirewalldHost()
    vars(host).update(more)
    return host


def found(zone: str = "public") -> FirewalldHost:
    """Return a host whose operator runs firewalld."""
    host = FirewalldHost()
    host.enable(zone)
    return host
