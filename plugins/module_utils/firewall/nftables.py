# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nftables: one table of our own, loaded at boot by a unit of our own; nobody else's is touched."""

from __future__ import annotations

from .nft import open_ports
from .openings import Opening
from .system import FirewallError, Rules, System, put, require, way_back

NAME = "firewall.nft"
RULES = f"/etc/homestead/{NAME}"
RECORD = "/var/lib/homestead/firewall.nft"
UNIT = "homestead-firewall.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
TABLE = ("inet", "homestead")
EMPTY = "table inet homestead\ndelete table inet homestead\n"
UNIT_TEXT = f"""\
[Unit]
Description=Firewall of the Matrix host
DefaultDependencies=no
ConditionPathExists={RULES}
Wants=network-pre.target
Before=network-pre.target
# Debian's own unit removes every table when it starts, stops or reloads: come back after it.
After=nftables.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f {RULES}
ExecReload=/usr/sbin/nft -f {RULES}

[Install]
WantedBy=sysinit.target
"""


class Nftables:
    """The backend ``nftables``."""

    program = "nft"
    files = (UNIT_FILE, RECORD, RULES)

    def __init__(self, system: System) -> None:
        self._system = system

    def loaded(self) -> str:
        """Return our table as the kernel holds it, without counters and whom it has seen."""
        if not self._system.finds(self.program):
            return ""
        finished = self._system.run(["nft", "-st", "list", "table", *TABLE])
        if not finished.code:
            return finished.output
        if "No such file or directory" in finished.errors:
            return ""
        raise FirewallError(f"nft list table: {finished.errors.strip()}")

    def ports(self) -> list[Opening]:
        if not self.loaded():
            return []
        return open_ports(require(self._system, ["nft", "-j", "list", "table", *TABLE]))

    def faults(self, rules: Rules) -> list[str]:
        loaded, read = self.loaded(), self._system.read
        if not rules:
            left = loaded or any(read(path) is not None for path in self.files)
            return ["rules of ours are left, which shall filter nothing any more"] if left else []
        checks = {
            "the rules for the next boot are others": read(RULES) == rules[NAME],
            "the loaded rules are not those of the last run": loaded == (read(RECORD) or ""),
            "the rules are not loaded": bool(loaded),
            "the unit that loads them at boot is not in place": self._unit_stands(),
        }
        return [fault for fault, right in checks.items() if not right]

    def filters_alone(self) -> bool:
        return False  # tables of others are theirs; nobody can say what they are for

    def prepare(self) -> None:
        """Do nothing: Debian's package filters nothing unless it is told to."""

    def check(self, rules: Rules) -> None:
        judged = self._system.run(["nft", "-c", "-f", "-"], text=rules[NAME]) if rules else None
        if judged and judged.code:
            reason = judged.errors.replace("/dev/stdin:", "line ").partition("\n")[0]
            raise FirewallError(f"nft refuses the new rules, so nothing was changed: {reason}")

    def save(self, folder: str) -> str:
        self._system.write(f"{folder}/former.nft", EMPTY + self.loaded())
        files = way_back(self._system, self.files, folder=f"{folder}/files")
        load = f"nft -f {folder}/former.nft || nft delete table {' '.join(TABLE)}"
        boots = f"systemctl enable --quiet {UNIT}" if self._unit_stands() else ":"
        return f"{files}\n{{ {load}; }} && {boots}"

    def load(self, rules: Rules, *, folder: str) -> None:  # noqa: ARG002 - one file is enough
        require(self._system, ["nft", "-f", "-"], text=rules.get(NAME, EMPTY))

    def keep(self, rules: Rules, *, folder: str) -> None:  # noqa: ARG002 - one file is enough
        if not rules:
            return self._forget()
        self._system.write(RECORD, self.loaded())
        if not self._unit_stands():
            self._system.write(UNIT_FILE, UNIT_TEXT)
            require(self._system, ["systemctl", "daemon-reload"])
            require(self._system, ["systemctl", "enable", UNIT])
        put(self._system, RULES, rules[NAME])
        require(self._system, ["systemctl", "start", UNIT])
        return None

    def _forget(self) -> None:
        if self._system.read(UNIT_FILE) is not None:
            require(self._system, ["systemctl", "disable", "--now", UNIT])
            self._system.remove(UNIT_FILE)
            require(self._system, ["systemctl", "daemon-reload"])
        self._system.remove(RULES)
        self._system.remove(RECORD)

    def _unit_stands(self) -> bool:
        if self._system.read(UNIT_FILE) != UNIT_TEXT:
            return False
        shown = ["systemctl", "show", "--property=UnitFileState,ActiveState", UNIT]
        state = self._system.run(shown).output.split()
        return sorted(state) == ["ActiveState=active", "UnitFileState=enabled"]
