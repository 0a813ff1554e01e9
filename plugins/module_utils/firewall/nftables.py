# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nftables: one table of our own, loaded at boot by a unit of our own; nobody else's is touched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from .ports import Network, Port, ordered
from .system import FirewallError, System, require

RULES = "/etc/homestead/firewall.nft"
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

    def __init__(self, system: System) -> None:
        self._system = system

    def loaded(self) -> str:
        """Return our table as the kernel holds it, without counters."""
        if not self._system.finds(self.program):
            return ""
        finished = self._system.run(["nft", "-s", "list", "table", *TABLE])
        if not finished.code:
            return finished.output
        if "No such file or directory" in finished.errors:
            return ""
        raise FirewallError(f"nft list table: {finished.errors.strip()}")

    def ports(self) -> list[Port]:
        """Return the ports the loaded table opens, whoever wrote its rules."""
        if not self.loaded():
            return []
        return open_ports(require(self._system, ["nft", "-j", "list", "table", *TABLE]))

    def faults(self, rules: str) -> list[str]:
        """Say what keeps these rules from being in force now and after the next boot."""
        loaded, read = self.loaded(), self._system.read
        if not rules:
            left = loaded or any(read(path) is not None for path in (RULES, RECORD, UNIT_FILE))
            return ["rules of ours are left, which shall filter nothing any more"] if left else []
        checks = {
            "the rules for the next boot are others": read(RULES) == rules,
            "the loaded rules are not those of the last run": loaded == (read(RECORD) or ""),
            "the rules are not loaded": bool(loaded),
            "the unit that loads them at boot is not in place": self._unit_stands(),
        }
        return [fault for fault, right in checks.items() if not right]

    def check(self, rules: str) -> None:
        """Let nft judge the rules without loading them."""
        if rules and (judged := self._system.run(["nft", "-c", "-f", "-"], text=rules)).code:
            reason = judged.errors.replace("/dev/stdin:", "line ").partition("\n")[0]
            raise FirewallError(f"nft refuses the new rules, so nothing was changed: {reason}")

    def save(self, folder: str) -> str:
        """Save the rules in force and return the shell line that brings them back."""
        self._system.write(f"{folder}/former.nft", EMPTY + self.loaded())
        return f"nft -f {{folder}}/former.nft || nft delete table {' '.join(TABLE)}"

    def load(self, rules: str) -> None:
        """Put the rules in force, all at once, until the next boot."""
        require(self._system, ["nft", "-f", "-"], text=rules or EMPTY)

    def keep(self, rules: str) -> None:
        """Make the rules in force last over a boot; their file is the last step that counts."""
        if not rules:
            return self._forget()
        self._system.write(RECORD, self.loaded())
        if not self._unit_stands():
            self._system.write(UNIT_FILE, UNIT_TEXT)
            require(self._system, ["systemctl", "daemon-reload"])
            require(self._system, ["systemctl", "enable", UNIT])
        former = self._system.read(RULES)
        self._system.write(RULES, rules)
        try:
            require(self._system, ["systemctl", "start", UNIT])
        except FirewallError:
            self._system.write(RULES, former or "")
            raise
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


def open_ports(listing: str) -> list[Port]:
    """Read the ports that ``nft -j list table`` opens: rules by port and source alone.

    Rules that others added may say more than a port can; of them only the port is told.
    """
    merged: dict[tuple[str, int, int, str], list[Network]] = {}
    for item in json.loads(listing)["nftables"]:
        purpose = item.get("rule", {}).get("comment", "")
        for (protocol, first, last), sources in _opened(item.get("rule", {})):
            merged.setdefault((protocol, first, last, purpose), []).extend(sources)
    return [Port(*key, sources=ordered(found)) for key, found in merged.items()]


def _opened(rule: Mapping[str, Any]) -> Iterator[tuple[tuple[str, int, int], list[Network]]]:
    *conditions, verdict = rule.get("expr") or [{}]
    matches = [condition["match"] for condition in conditions if "match" in condition]
    places = [match for match in matches if _field(match) in {"tcp dport", "udp dport"}]
    origins = [match for match in matches if _field(match) in {"ip saddr", "ip6 saddr"}]
    if "accept" not in verdict or len(places) != 1 or len(origins) != len(matches) - 1:
        return
    networks = [_network(value) for match in origins for value in _values(match)]
    protocol = _field(places[0]).split()[0]
    for first, last in filter(None, map(_range, _values(places[0]))):
        yield (protocol, first, last), [network for network in networks if network]


def _field(match: Mapping[str, Any]) -> str:
    payload = match["left"].get("payload", {}) if match["op"] == "==" else {}
    return f"{payload.get('protocol')} {payload.get('field')}"


def _values(match: Mapping[str, Any]) -> list[Any]:
    right = match["right"]
    return list(right["set"]) if isinstance(right, dict) and "set" in right else [right]


def _range(value: Any) -> tuple[int, int] | None:
    if isinstance(value, int):
        return value, value
    if isinstance(value, dict) and "range" in value:
        first, last = value["range"]
        return first, last
    return None


def _network(value: Any) -> Network | None:
    if isinstance(value, dict) and "prefix" in value:
        return ip_network(f"{value['prefix']['addr']}/{value['prefix']['len']}")
    try:
        return ip_network(value)
    except ValueError:
        return None
