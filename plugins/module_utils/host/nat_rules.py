# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads published ports from what `iptables-save` and `nft list ruleset` print."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from .published import Destination, Published

_WORD = re.compile(r'"(?:\\.|[^"\\])*"|\S+')
_RANGE = re.compile(r"(\d+)(?:[:-](\d+))?")
_CHAIN = re.compile(r"^\s*chain ", re.MULTILINE)
_RULE = re.compile(
    r"(?:ip6? daddr (?P<at>\S+) .*?)?(?P<protocol>tcp|udp) dport (?P<ports>\{[^}]*\}|\d[\d-]*) "
    r".*?\bdnat (?:ip6? )?to (?P<to>[\[:\da-f]\S*)"
)


@dataclass(frozen=True)
class Rule:
    """The parts of a rule that count, in its own words."""

    protocol: str
    ports: str
    at: str
    to: str

    def published(self) -> list[Published]:
        """Return its ports, if strangers reach them and the host itself is not where they lead."""
        target = Destination.parse(self.to)
        if self.protocol not in ("tcp", "udp") or _is_loopback(self.at):
            return []
        if not target.host or _is_loopback(target.host):
            return []
        return [
            Published(self.protocol, int(first), int(last or first), target)
            for first, last in _RANGE.findall(self.ports)
        ]


def published(*, saved: Iterable[str], nftables: str) -> list[Published]:
    """Return every port that NAT leads past the host's own rules, each once."""
    lines = [line for text in saved for line in text.splitlines()]
    rules = [*_iptables_rules(lines), *_nftables_rules(nftables)]
    return sorted(_joined({port for rule in rules for port in rule.published()}))


def _iptables_rules(lines: Iterable[str]) -> list[Rule]:
    """Read rules that change the destination, but not for what the host itself sends."""
    found = (_options(line) for line in lines if " DNAT " in line)
    return [
        Rule(
            protocol=options.get("-p", ""),
            ports=options.get("--dport") or options.get("--dports", ""),
            at=options.get("-d", ""),
            to=options.get("--to-destination", ""),
        )
        for options in found
        if options.get("-A") != "OUTPUT"
    ]


def _options(line: str) -> dict[str, str]:
    """Return the options of a rule; the name of a negated one begins with an exclamation mark."""
    words = _WORD.findall(line)
    return {
        f"!{word}" if before == "!" else word: after
        for before, word, after in zip(["", *words], words, [*words[1:], ""])
        if word.startswith("-")
    }


def _nftables_rules(ruleset: str) -> list[Rule]:
    """Read the same from the chains of nftables."""
    chains = (chain for chain in _CHAIN.split(ruleset) if " hook output " not in chain)
    lines = (line for chain in chains for line in chain.splitlines())
    return [Rule(**match.groupdict("")) for match in map(_RULE.search, lines) if match]


def _joined(ports: Iterable[Published]) -> list[Published]:
    """Join neighbours that lead to neighbours: Docker has a rule for each port of a range."""
    found: list[Published] = []
    for port in sorted(ports, key=lambda port: (port.protocol, port.target, port.first)):
        if found and port.continues(found[-1]):
            found[-1] = found[-1].extended(port)
        else:
            found.append(port)
    return found


def _is_loopback(address: str) -> bool:
    """Whether only the host itself can send to this address or network."""
    try:
        return ipaddress.ip_network(address, strict=False).is_loopback
    except ValueError:
        return False
