# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ufw: its own rule files, loaded as ufw loads them, in one atomic step for each version of IP.

A change is only loaded at first; the files follow when it is proven. What ufw held before ours is
remembered and comes back when ours goes. Rules that forbid, like those of fail2ban, stay.
"""

from __future__ import annotations

import json
from typing import Any

from .iptables import FAMILIES, Family, filters, open_ports, restorable, watched
from .openings import Opening
from .system import FirewallError, Rules, System, put, require, way_back
from .ufw_files import merged, purposes, setting, with_setting

SETTINGS, DEFAULTS = "/etc/ufw/ufw.conf", "/etc/default/ufw"
RECORD = "/var/lib/homestead/ufw.loaded"
FOUND = "/var/lib/homestead/ufw.found"
UNIT = "ufw.service"
# Without these, ufw would shut out IPv6, or remove the rules of others.
DEMANDED = {"IPV6": "yes", "MANAGE_BUILTINS": "no"}
# What ufw derives from its default policy, written into the chains it has.
POLICY = """\
*filter
:INPUT DROP [0:0]
:{chains}-reject-input - [0:0]
:{chains}-track-input - [0:0]
:{chains}-skip-to-policy-input - [0:0]
-A {chains}-skip-to-policy-input -j DROP
COMMIT
"""
# Takes ufw's chains out of the kernel, all at once; ufw itself leaves some behind.
RETIRE = r"""
for tables in iptables ip6tables; do
    rules=$($tables-save -t filter)
    {
        echo '*filter'
        echo "$rules" | sed -n 's/^-A \(.*-j ufw.*\)$/-D \1/p'
        echo "$rules" | sed -n 's/^:\(ufw[^ ]*\) .*/-F \1/p'
        echo "$rules" | sed -n 's/^:\(ufw[^ ]*\) .*/-X \1/p'
        echo COMMIT
    } | $tables-restore -n -w || exit 1
done
"""
# Loads a former state all at once; what calls ufw's chains already must not do so twice.
LOAD = """\
if {tables}-save -t filter | grep -q '^-A INPUT -j ufw'
then grep -v '^-A [A-Z]' <{file}
else cat <{file}
fi | {tables}-restore -n -w || exit 1"""

State = dict[str, Any]  # what JSON can hold: {"runs": bool, "files": {path: text}, "kernel": {...}}


class Ufw:
    """The backend ``ufw``."""

    program = "ufw"
    files = (*(family.path for family in FAMILIES), SETTINGS, DEFAULTS, RECORD, FOUND)

    def __init__(self, system: System) -> None:
        self._system = system

    def loaded(self) -> str:
        if not self._system.finds(self.program):
            return ""
        return "".join(watched(self._saved(family)) for family in FAMILIES)

    def ports(self) -> list[Opening]:
        if not self._system.finds(self.program) or not self._runs():
            return []
        known = purposes("".join(self._read(family.path) for family in FAMILIES))
        return open_ports({family: self._saved(family) for family in FAMILIES}, purposes=known)

    def faults(self, rules: Rules) -> list[str]:
        if not rules:
            left = self._system.read(FOUND) is not None
            return ["rules of ours are left, which shall filter nothing any more"] if left else []
        if not self._system.finds(self.program):
            return ["ufw is not installed"]
        checks = {
            "ufw's files are others": self._files() == self._wanted(rules),
            "the loaded rules are not those of the last run": self._stands(),
            "the unit that loads them at boot is not in place": self._unit_stands(),
        }
        return [fault for fault, right in checks.items() if not right]

    def filters_alone(self) -> bool:
        ours = self._system.read(FOUND) is not None
        return not ours and self._system.finds(self.program) and self._runs()

    def prepare(self) -> None:
        """Do nothing: Debian's package filters nothing unless it is told to."""

    def check(self, rules: Rules) -> None:
        if not rules:
            return
        for name, value in DEMANDED.items():
            if setting(self._read(DEFAULTS), name) != value:
                raise FirewallError(f"ufw needs {name}={value} in {DEFAULTS}; nothing was changed.")
        for family in FAMILIES:
            text = self._wanted(rules)[family.path]
            judged = self._system.run([f"{family.tables}-restore", "-n", "--test"], text=text)
            if judged.code:
                reason = judged.errors.strip().partition("\n")[0]
                raise FirewallError(f"ufw refuses the new rules, so nothing was changed: {reason}")

    def save(self, folder: str) -> str:
        present = self._present()
        found = self._system.read(FOUND) or json.dumps(present)
        self._system.write(f"{folder}/ufw.found", found)
        files = way_back(self._system, self.files, folder=f"{folder}/files")
        return f"{files}\n{self._loading(present, folder=f'{folder}/ufw.former')}"

    def load(self, rules: Rules, *, folder: str) -> None:
        if not rules:
            way = self._loading(self._found(), folder=f"{folder}/ufw.back")
            require(self._system, ["/bin/sh", "-c", way])
        elif self._runs():
            self._renew(rules)
        else:
            self._start(rules, folder=f"{folder}/ufw.new")

    def keep(self, rules: Rules, *, folder: str) -> None:
        if not rules:
            return self._forget()
        put(self._system, FOUND, self._system.read(f"{folder}/ufw.found"))
        for path, text in self._wanted(rules).items():
            put(self._system, path, text)
        if not self._unit_stands():
            require(self._system, ["systemctl", "enable", "--now", "--quiet", UNIT])
        self._system.write(RECORD, self.loaded())
        return None

    def _forget(self) -> None:
        if self._system.read(FOUND) is None:
            return  # a run that died had done it
        for path, text in self._found()["files"].items():
            put(self._system, path, text)
        self._system.remove(RECORD)
        self._system.remove(FOUND)

    def _wanted(self, rules: Rules) -> dict[str, str]:
        """Return what ufw's files shall hold, given what they hold now."""
        files = self._files()
        for family in FAMILIES:
            ours = rules[family.path.rpartition("/")[2]]
            files[family.path] = merged(files[family.path], ours=ours)
        files[SETTINGS] = with_setting(files[SETTINGS], "ENABLED", "yes")
        files[DEFAULTS] = with_setting(files[DEFAULTS], "DEFAULT_INPUT_POLICY", '"DROP"')
        return files

    def _files(self) -> dict[str, str]:
        paths = (*(family.path for family in FAMILIES), SETTINGS, DEFAULTS)
        return {path: self._read(path) for path in paths}

    def _present(self) -> State:
        """Return what ufw holds now, in files and in the kernel."""
        kernel = {family.tables: restorable(self._saved(family)) for family in FAMILIES}
        return {"runs": self._runs(), "files": self._files(), "kernel": kernel}

    def _found(self) -> State:
        found: State = json.loads(self._read(FOUND))
        return found

    def _loading(self, state: State, *, folder: str) -> str:
        """Return the shell script that loads a former state, whose texts go into the folder."""
        steps = [] if state["runs"] else [RETIRE]
        for tables, text in state["kernel"].items():
            file = f"{folder}/{tables}"
            self._system.write(file, text)
            steps.append(LOAD.format(tables=tables, file=file))
        return "\n".join(steps)

    def _renew(self, rules: Rules) -> None:
        """Fill the chains that stand with the new rules."""
        wanted = self._wanted(rules)
        for family in FAMILIES:
            text = wanted[family.path] + POLICY.format(chains=family.chains)
            require(self._system, [f"{family.tables}-restore", "-n", "-w"], text=text)

    def _start(self, rules: Rules, *, folder: str) -> None:
        """Let ufw start from a copy of its files, so that a boot does not know of it."""
        copies = f"mkdir -p {folder}/etc/default && cp -a /etc/ufw {folder}/etc/"
        require(self._system, ["/bin/sh", "-c", copies])
        for path, text in self._wanted(rules).items():
            self._system.write(f"{folder}{path}", text)
        require(self._system, ["/lib/ufw/ufw-init", "--datadir", folder, "start"])

    def _runs(self) -> bool:
        return all(filters(self._saved(family), family=family) for family in FAMILIES)

    def _stands(self) -> bool:
        return self.loaded() == self._read(RECORD)

    def _unit_stands(self) -> bool:
        shown = ["systemctl", "show", "--property=UnitFileState,ActiveState", UNIT]
        state = self._system.run(shown).output.split()
        return sorted(state) == ["ActiveState=active", "UnitFileState=enabled"]

    def _saved(self, family: Family) -> str:
        return require(self._system, [f"{family.tables}-save", "-t", "filter"])

    def _read(self, path: str) -> str:
        return self._system.read(path) or ""
