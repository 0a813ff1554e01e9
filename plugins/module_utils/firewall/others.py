# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of others that shut out what ours let in: a packet must pass every chain of its hook.

Nobody can say what all rules are for. So only what is certain counts: a rule that drops, or a
policy, of which no condition and no rule before it may spare a stranger's first packet.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from ..already_there import Found
from .openings import Opening, portless
from .system import System

ALREADY_THERE = (
    Found(
        "rules of iptables or nftables that drop what must come in, like a last `REJECT`",
        "refuses",
        "let these ports in there, or remove what shuts them out",
    ),
    Found(
        "other rules, like those of Docker, fail2ban and `wg-quick`",
        "leaves alone",
        "a packet must pass theirs and ours",
    ),
)
_OURS = {"homestead", "homestead_proof", "firewalld"}  # two of ours, and one that holds ours
_VERDICTS = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "drop", "RETURN": "return"}
_OPTIONS = {
    "-i": "interface",
    "-p": "protocol",
    "-s": "source",
    "--dport": "port",
    "--dports": "port",
    "--state": "state",
    "--ctstate": "state",
    **dict.fromkeys(("-A", "-m", "-j", "-g", "--reject-with", "--comment"), ""),
}
_FIELDS = {
    "meta iif": "interface",
    "meta iifname": "interface",
    "meta l4proto": "protocol",
    "ip protocol": "protocol",
    "ip6 nexthdr": "protocol",
    "ct state": "state",
    "ip saddr": "source",
    "ip6 saddr": "source",
    "tcp dport": "port",
    "udp dport": "port",
    "th dport": "port",
}
_RANGE = re.compile(r"(\d+)(?:[:-](\d+))?")


@dataclass(frozen=True)
class Condition:
    """One condition of a rule."""

    kind: str
    values: tuple[str, ...]
    negated: bool = False

    def fits(self, port: Opening) -> bool | None:
        """Tell whether a stranger's first packet to the port meets it; None: maybe."""
        found = self._fits(port)
        return None if found is None else found is not self.negated

    def _fits(self, port: Opening) -> bool | None:
        if self.kind == "interface":
            return False if self.values == ("lo",) else None
        if self.kind == "source":
            return None if port.sources else False
        if self.kind == "protocol":
            return any(port.protocol in (value, portless(value)) for value in self.values)
        if self.kind == "port":
            ranges = (match for match in map(_RANGE.fullmatch, self.values) if match)
            return any(
                int(match[1]) <= port.first and port.last <= int(match[2] or match[1])
                for match in ranges
            )
        return "new" in self.values if self.kind == "state" else None


@dataclass(frozen=True)
class Rule:
    """What a rule does with what meets its conditions: a verdict, or the chain that goes on."""

    conditions: tuple[Condition, ...]
    verdict: str
    text: str = ""

    def fits(self, port: Opening) -> bool | None:
        found = [condition.fits(port) for condition in self.conditions]
        return False if False in found else None if None in found else True


@dataclass(frozen=True)
class Chain:
    """A chain that all packets to the host pass, the chains that it may go on with, and its end."""

    title: str
    rules: Sequence[Rule]
    chains: Mapping[str, Sequence[Rule]]
    policy: Rule

    def shuts(self, port: Opening) -> Rule | None:
        """Return the rule that drops every stranger's packet to this port, or the policy."""
        ended = self._end([*self.rules, self.policy], port)
        return ended if ended and ended.verdict == "drop" else None

    def _end(self, rules: Sequence[Rule], port: Opening) -> Rule | None:
        """Return the rule with which a packet's way certainly ends, or may end well."""
        for rule in rules:
            fits = rule.fits(port)
            ended: Rule | None = rule
            if rule.verdict in self.chains:
                ended = self._end(self.chains[rule.verdict], port) if fits is not False else None
            if fits is False or ended is None:
                continue
            if ended.verdict == "accept" or (fits and ended.verdict == "drop"):
                return ended
            if fits and ended.verdict == "return":
                return None
        return None


def chains(system: System) -> Iterator[Chain]:
    """Read all chains of others that packets to this host pass."""
    read = set()
    for tables, family in (("iptables", "ip"), ("ip6tables", "ip6")):
        if system.finds(f"{tables}-save"):
            read.add((family, "filter"))
            yield iptables_chain(tables, system.run([f"{tables}-save"]).output)
    if system.finds("nft"):
        listing = system.run(["nft", "-j", "list", "ruleset"]).output
        yield from nft_chains(listing, without=read)


def iptables_chain(tables: str, saved: str) -> Chain:
    """Read the chain INPUT of the table filter from what ``iptables-save`` prints."""
    lines = saved.partition("*filter\n")[2].partition("COMMIT")[0].splitlines()
    chains: dict[str, list[Rule]] = {"INPUT": []}
    policy = Rule((), "accept")
    for line in lines:
        name = line[1:].split(" ")[0]
        if line.startswith(":"):
            chains.setdefault(name, [])
        if line.startswith(":INPUT DROP"):
            policy = Rule((), "drop", f"{tables} -P INPUT ACCEPT")
        if line.startswith("-A "):
            words = shlex.split(line)
            chains.setdefault(words[1], []).append(_iptables_rule(tables, words))
    return Chain(f"the chain INPUT of {tables}", chains["INPUT"], chains, policy)


def _iptables_rule(tables: str, words: Sequence[str]) -> Rule:
    conditions, negated, target = [], False, ""
    for word, value in zip(words, [*words[1:], ""]):
        if word in ("-j", "-g"):
            target = value
        if word.startswith("-") and (kind := _OPTIONS.get(word, "other")):
            conditions.append(Condition(kind, tuple(value.lower().split(",")), negated))
        negated = word == "!"
    # What ufw decides is replaced, or it is another firewall, and refused as such.
    verdict = "accept" if target.startswith("ufw") else _VERDICTS.get(target, target)
    return Rule(tuple(conditions), verdict, f"{tables} -D {shlex.join(words[1:])}")


def nft_chains(listing: str, *, without: Set[tuple[str, str]]) -> Iterator[Chain]:
    """Read the chains of the hook ``input`` from what ``nft -j list ruleset`` prints."""
    items = json.loads(listing)["nftables"] if listing else []
    chains: dict[tuple[str, str], dict[str, list[Rule]]] = {}
    for rule in (item["rule"] for item in items if "rule" in item):
        table = chains.setdefault((rule["family"], rule["table"]), {})
        table.setdefault(rule["chain"], []).append(_nft_rule(rule.get("expr", [])))
    for chain in (item["chain"] for item in items if "chain" in item):
        place = (chain["family"], chain["table"])
        if chain.get("hook") == "input" and place[1] not in _OURS and place not in without:
            table = chains.get(place, {})
            title = f"the chain {chain['name']} of the table {' '.join(place)} of nftables"
            policy = Rule((), chain.get("policy", "accept"), "its policy")
            yield Chain(title, table.get(chain["name"], []), table, policy)


def _nft_rule(expressions: Sequence[Mapping[str, Any]]) -> Rule:
    conditions: list[Condition] = []
    verdict = ""
    for kind, content in (pair for each in expressions for pair in each.items()):
        if kind == "match":
            conditions += _nft_conditions(content)
        elif kind in ("jump", "goto"):
            verdict = content["target"]
        elif kind in ("accept", "drop", "return"):
            verdict = kind
        elif kind == "reject":
            verdict = "drop"
        elif kind in ("vmap", "xt", "queue"):
            verdict = "" if _spares_new(content) else "accept"  # or not: who knows
        elif kind not in ("counter", "log", "comment"):
            conditions.append(Condition("other", ()))
    return Rule(tuple(conditions), verdict)


def _spares_new(content: Any) -> bool:
    """Tell whether this is a map of states that says nothing of new connections."""
    key = content.get("key") if isinstance(content, dict) else None
    return key == {"ct": {"key": "state"}} and "new" not in json.dumps(content)


def _nft_conditions(match: Mapping[str, Any]) -> list[Condition]:
    left, right, negated = match["left"], match["right"], match["op"] == "!="
    kind, fields = next(iter(left.items())) if isinstance(left, dict) else ("", {})
    protocol = fields.get("protocol", "") if kind == "payload" else kind
    field = f"{protocol} {fields.get('field') or fields.get('key')}"
    values = _values(right)
    found = [Condition(_FIELDS.get(field, "other") if values else "other", values, negated)]
    if kind == "payload" and protocol in ("tcp", "udp", "icmp", "icmpv6"):
        found.append(Condition("protocol", (protocol,)))
    return found


def _values(right: Any) -> tuple[str, ...]:
    """Return plain values and ranges; nothing of a set that has a name."""
    if isinstance(right, dict) and "range" in right:
        return ("-".join(map(str, right["range"])),)
    if isinstance(right, dict):
        right = right.get("set", [str(right)])
    members = right if isinstance(right, list) else [right]
    if any(str(member).startswith("@") for member in members):
        return ()
    lists = [_values(each) if isinstance(each, dict) else (str(each),) for each in members]
    return tuple(text for each in lists for text in each)


def told(found: Iterable[Chain], ports: Sequence[Opening]) -> list[str]:
    """Say which chains of others shut out which of these ports, and how to end that."""
    sentences = []
    for chain in found:
        ends = {port.place: rule for port in ports if (rule := chain.shuts(port))}
        if ends:
            sentences.append(_sentence(chain, ends))
    return sentences


def _sentence(chain: Chain, ends: Mapping[str, Rule]) -> str:
    shown = list(ends)[:5]
    places = ", ".join([*shown, *(["others"] if len(ends) > len(shown) else [])])
    remedy = next((rule.text for rule in ends.values() if rule.text), "")
    how = f"; run `{remedy}`" if remedy.startswith("ip") else ""
    return (
        f"{chain.title} shuts out {places}, whatever the new rules let in. Nothing was changed. "
        f"Let these ports in there, or remove what shuts them out{how} (and from the file that "
        "loads it at boot, often in /etc/iptables or /etc/nftables.conf)."
    )
