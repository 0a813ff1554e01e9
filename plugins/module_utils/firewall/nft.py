# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``nft -j list table`` tells: the ports that rules open."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from .openings import Network, Opening, ordered, portless

_PLACES = {"tcp dport", "udp dport", "meta l4proto"}


def open_ports(listing: str, *, chains: str = ".*") -> list[Opening]:
    """Read the ports that ``nft -j list table`` opens in chains whose names match the pattern.

    Rules that others added may say more than a port can; of them only the port is told.
    """
    merged: dict[tuple[str, int, int, str], list[Network]] = {}
    rules = (item["rule"] for item in json.loads(listing)["nftables"] if "rule" in item)
    for rule in rules:
        if not re.fullmatch(chains, rule.get("chain", "")):
            continue
        purpose = rule.get("comment", "")
        for (protocol, first, last), sources in _opened(rule):
            merged.setdefault((protocol, first, last, purpose), []).extend(sources)
    return [Opening(*key, sources=ordered(found)) for key, found in merged.items()]


def _opened(rule: Mapping[str, Any]) -> Iterator[tuple[tuple[str, int, int], list[Network]]]:
    *conditions, verdict = rule.get("expr") or [{}]
    matches = [condition["match"] for condition in conditions if "match" in condition]
    places = [match for match in matches if _field(match) in _PLACES]
    origins = [match for match in matches if _field(match) in {"ip saddr", "ip6 saddr"}]
    if "accept" not in verdict or len(places) != 1 or len(origins) != len(matches) - 1:
        return
    networks = [_network(value) for match in origins for value in _values(match)]
    for place in _places(places[0]):
        yield place, [network for network in networks if network]


def _places(match: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    protocol, field = _field(match).split()
    for value in _values(match):
        if field == "l4proto" and (name := portless(value)):
            yield name, 0, 0
        elif field == "dport" and (found := _range(value)):
            yield (protocol, *found)


def _field(match: Mapping[str, Any]) -> str:
    left = match["left"] if match["op"] == "==" else {}
    if "meta" in left:
        return f"meta {left['meta']['key']}"
    payload = left.get("payload", {})
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
