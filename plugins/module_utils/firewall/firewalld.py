# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""firewalld: a service with our ports, in a zone of ours that is the default one.

A change is first made in a copy of firewalld's directory, mounted over the real one: the daemon
reads it, and a boot does not know of it. The files follow when the change is proven. On Debian 13
the daemon sees file systems of its own, and in some containers mounts do not come there by
themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .nft import open_ports
from .openings import Opening, place
from .system import FirewallError, Rules, System, put, require, way_back
from .ufw_files import setting, with_setting

ETC = "/etc/firewalld"
SETTINGS = f"{ETC}/firewalld.conf"
ZONE = "homestead"
OURS = {
    "zone.xml": f"{ETC}/zones/{ZONE}.xml",
    "service.xml": f"{ETC}/services/homestead-matrix.xml",
}
RECORD = "/var/lib/homestead/firewalld.loaded"
FOUND = "/var/lib/homestead/firewalld.found"
UNIT = "firewalld.service"
JUDGED = "/run/homestead-firewalld"
_LIST = ("list", "table", "inet", "firewalld")
# Before version 2 firewalld empties the tables of iptables, whoever wrote them, at every start,
# stop and reload: they are put back as they were, by the undoing too if this is interrupted.
HELD = """\
for tables in iptables ip6tables; do
    [ -e {folder}/$tables.held ] || $tables-save -c >{folder}/$tables.held 2>/dev/null
done
plain() {{ grep -v '^#' | sed 's/ *\\[[0-9:]*\\] *//'; }}
{command}
ended=$?
for tables in iptables ip6tables; do
    [ "$($tables-save -c 2>/dev/null | plain)" = "$(plain <{folder}/$tables.held)" ] ||
        $tables-restore -c <{folder}/$tables.held || ended=1
    rm {folder}/$tables.held
done
[ $ended = 0 ] || exit 1"""
START = f"systemctl start {UNIT} && firewall-cmd --state >/dev/null"
RELOAD = "firewall-cmd --quiet --reload"
STOP = f"systemctl stop {UNIT}"
RUN_AGAIN = f"if systemctl is-active --quiet {UNIT}; then {RELOAD}; else {START}; fi"
INSIDE = f"""\
inside() {{
    daemon=$(systemctl show --property=MainPID --value {UNIT})
    [ "${{daemon:-0}}" != 0 ] && nsenter --target "$daemon" --mount "$@"
}}"""
UNMOUNT = f"""\
{INSIDE}
while mountpoint -q {ETC}; do umount -l {ETC} || exit 1; done
while inside mountpoint -q {ETC}; do inside umount -l {ETC} || exit 1; done"""
MOUNT = f"""\
{INSIDE}
mount --bind {{copy}} {ETC} || exit 1
if inside true && ! inside mountpoint -q {ETC}; then inside mount --bind {{copy}} {ETC}; fi"""

_CHAIN = re.compile(rf"^\tchain filter_IN_{ZONE}\w* \{{\n.*?^\t\}}\n", re.MULTILINE | re.DOTALL)
_ELSEWHERE = re.compile(r'iifname "([^"]+)" (?:goto|jump) filter_IN_(?!policy_)(\S+)')
_REASON = re.compile(r"(?i)error: ([A-Z_]+: .*)")
_PURPOSE = re.compile(
    r'<(?:port port="(\d+)(?:-(\d+))?" protocol|protocol value)="(\w+)"/>.*<!-- (.*) -->'
)

State = dict[str, Any]  # what JSON can hold: {"runs": bool, "enabled": bool, "zone": str}


class Firewalld:
    """The backend ``firewalld``."""

    program = "firewall-cmd"
    files = (*OURS.values(), SETTINGS, RECORD, FOUND)

    def __init__(self, system: System) -> None:
        self._system = system

    def loaded(self) -> str:
        return "".join(_CHAIN.findall(self._table()))

    def ports(self) -> list[Opening]:
        """Return the ports of the default zone, which may still be another one than ours."""
        zone = setting(self._read(SETTINGS), "DefaultZone")
        if not zone or not self._table():
            return []
        listing = require(self._system, ["nft", "-j", *_LIST])
        opened = open_ports(listing, chains=rf"filter_IN_{re.escape(zone)}(_\w+)?")
        known = _purposes("".join(map(self._read, OURS.values())))
        return [replace(port, purpose=known.get(port.place, "")) for port in opened]

    def faults(self, rules: Rules) -> list[str]:
        if not rules:
            left = self._system.read(FOUND) is not None
            return ["rules of ours are left, which shall filter nothing any more"] if left else []
        if not self._system.finds(self.program):
            return ["firewalld is not installed"]
        state, wanted = self._present(), self._wanted(rules)
        checks = {
            "firewalld's files are others": all(self._system.read(p) == wanted[p] for p in wanted),
            "the loaded rules are not those of the last run": self.loaded() == self._read(RECORD),
            "firewalld does not run, or does not start at boot": state["runs"] and state["enabled"],
        }
        return [fault for fault, right in checks.items() if not right] + self._elsewhere()

    def filters_alone(self) -> bool:
        ours = self._system.read(FOUND) is not None
        return not ours and self._system.finds(self.program) and self._present()["runs"]

    def prepare(self) -> None:
        """Mask the daemon: Debian's package would start it, with nothing open but port 22."""
        put(self._system, FOUND, json.dumps({"runs": False, "enabled": False, "zone": "public"}))
        require(self._system, ["systemctl", "mask", "--quiet", UNIT])

    def check(self, rules: Rules) -> None:
        if not rules:
            return
        if not self._present()["runs"] and self._is_active("nftables.service"):
            raise FirewallError(
                "firewalld cannot run beside nftables.service, which removes all rules when it "
                "stops; nothing was changed. Stop and disable nftables.service first."
            )
        folder = JUDGED
        try:
            self._copy(self._wanted(rules), folder=folder)
            check = ["firewall-offline-cmd", "--system-config", folder, "--check-config"]
            judged = self._system.run(check)
        finally:
            self._system.remove(folder)
        if judged.code:
            said = judged.errors + judged.output
            reason = (_REASON.findall(said) or said.split("\n"))[0]
            raise FirewallError(
                f"firewalld refuses the new rules, so nothing was changed: {reason}"
            )

    def save(self, folder: str) -> str:
        present = self._present()
        found = self._system.read(FOUND) or json.dumps(present)
        self._system.write(f"{folder}/firewalld.found", found)
        files = way_back(self._system, self.files, folder=f"{folder}/files")
        load = RUN_AGAIN if present["runs"] else STOP
        held = HELD.format(command=load, folder=folder)
        boots = f"systemctl {'enable' if present['enabled'] else 'disable'} --quiet {UNIT}"
        return "\n".join([UNMOUNT, files, boots, held])

    def load(self, rules: Rules, *, folder: str) -> None:
        runs = self._present()["runs"]
        if rules or self._found()["runs"]:
            copy = f"{folder}/firewalld.new"
            self._copy(self._wanted(rules), folder=copy)
            script = MOUNT.replace("{copy}", copy)
            require(self._system, ["/bin/sh", "-c", script])
            if not runs:
                self._unmask()
            self._do(RELOAD if runs else START, folder=folder)
        elif runs:
            self._do(STOP, folder=folder)
        if rules and (reasons := self._elsewhere()):
            raise FirewallError(reasons[0])

    def keep(self, rules: Rules, *, folder: str) -> None:
        require(self._system, ["/bin/sh", "-c", UNMOUNT])
        if not rules:
            return self._forget()
        put(self._system, FOUND, self._system.read(f"{folder}/firewalld.found"))
        self._write(self._wanted(rules))
        if not self._present()["enabled"]:
            require(self._system, ["systemctl", "enable", "--quiet", UNIT])
        self._system.write(RECORD, self.loaded())
        return None

    def _forget(self) -> None:
        if self._system.read(FOUND) is None:
            return  # a run that died had done it
        found = self._found()
        self._write(dict(reversed(self._wanted({}).items())))
        if not found["enabled"]:
            self._unmask()
        self._system.remove(RECORD)
        self._system.remove(FOUND)

    def _unmask(self) -> None:
        """Let the daemon be started, but not by a boot."""
        require(self._system, ["systemctl", "unmask", "--quiet", UNIT])
        if self._system.finds(self.program):
            require(self._system, ["systemctl", "disable", "--quiet", UNIT])

    def _wanted(self, rules: Rules) -> dict[str, str | None]:
        """Return what the files shall hold; the default zone is named last, when all is there."""
        ours: dict[str, str | None] = {path: rules.get(name) for name, path in OURS.items()}
        zone = ZONE if rules else self._found()["zone"]
        present = self._system.read(SETTINGS)
        return {**ours, SETTINGS: present and with_setting(present, "DefaultZone", zone)}

    def _copy(self, files: Mapping[str, str | None], *, folder: str) -> None:
        """Make a copy of firewalld's directory which holds these files."""
        script = f"mkdir -p {folder} && cp -a {ETC}/. {folder}/"
        require(self._system, ["/bin/sh", "-c", script])
        for path, text in files.items():
            put(self._system, path.replace(ETC, folder, 1), text)

    def _write(self, files: Mapping[str, str | None]) -> None:
        for path, text in files.items():
            put(self._system, path, text)

    def _do(self, command: str, *, folder: str) -> None:
        script = HELD.format(command=command, folder=folder)
        require(self._system, ["/bin/sh", "-c", script])

    def _elsewhere(self) -> list[str]:
        """Say which way to the internet leads through another zone, where our rules do not hold."""
        routes = [["ip", "route", "show", "default"], ["ip", "-6", "route", "show", "default"]]
        shown = "".join(self._system.run(route).output for route in routes)
        ways = set(re.findall(r"\bdev (\S+)", shown))
        return [
            f"firewalld has {way} in the zone {zone}, where the rules do not hold; run "
            f"`firewall-cmd --permanent --zone={zone} --remove-interface={way}`"
            for way, zone in _ELSEWHERE.findall(self._table())
            if way in ways and not zone.startswith(ZONE)
        ]

    def _present(self) -> State:
        shown = ["systemctl", "show", "--property=UnitFileState,ActiveState", UNIT]
        words = self._system.run(shown).output.split()
        runs, enabled = "ActiveState=active" in words, "UnitFileState=enabled" in words
        zone = setting(self._read(SETTINGS), "DefaultZone") or "public"
        return {"runs": runs, "enabled": enabled, "zone": zone}

    def _is_active(self, unit: str) -> bool:
        return not self._system.run(["systemctl", "is-active", "--quiet", unit]).code

    def _found(self) -> State:
        found: State = json.loads(self._read(FOUND))
        return found

    def _table(self) -> str:
        if not self._system.finds("nft"):
            return ""
        return self._system.run(["nft", "-s", *_LIST]).output

    def _read(self, path: str) -> str:
        return self._system.read(path) or ""


def _purposes(files: str) -> dict[str, str]:
    """Return what stands behind the ports in our files, by the place of a port."""
    return {
        place(protocol, int(first or 0), int(last or first or 0)): purpose
        for first, last, protocol, purpose in _PURPOSE.findall(files)
    }
