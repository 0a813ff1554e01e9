# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several vantages saw of one server, as one report."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...module_utils.verify.findings import Finding
from .report import Report, Sighting

_OPEN = ("unknown", "skipped")
_PLACES = ("where", "address", "addresses", "exchange")
_ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})")
_COVERED_BY = {"ports.address": "ports.", "turn.server": "turn."}
"""Who judged anything at an address knows more than who found no way to it."""


@dataclass(frozen=True)
class _Seen:
    """A finding of one vantage."""

    vantage: str
    finding: Finding

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.finding.id, self.finding.verdict, self.finding.message

    @property
    def subject(self) -> frozenset[str]:
        """Return the addresses that the finding is about; none if it is about the whole server."""
        evidence = self.finding.evidence
        places = (evidence[name] for name in _PLACES if name in evidence)
        texts = [self.finding.message, *(text for place in places for text in _texts(place))]
        return frozenset(address for text in texts for address in _ADDRESS.findall(text))


def merge(reports: Sequence[Report]) -> Report:
    """Merge reports of one server: what one could not know is dropped where another knew it."""
    names = {report.server_name for report in reports}
    if len(names) != 1:
        raise ValueError(f"one report is about one server, not about {sorted(names) or 'none'}")
    if len(reports) == 1:
        return reports[0]
    vantages = tuple(dict.fromkeys(name for report in reports for name in report.vantages))
    way = next(filter(_finds, reports), reports[0])
    return Report(
        server_name=way.server_name,
        findings=_merged(reports, vantages),
        checked_at=max(report.checked_at for report in reports),
        vantages=vantages,
        seconds=round(sum(report.seconds for report in reports), 3),
        resolution=way.resolution,
        peers=_peers(way.peers, [report.peers for report in reports]),
    )


def _finds(report: Report) -> bool:
    return bool(report.resolution) and not report.resolution.get("error")


def _merged(reports: Sequence[Report], vantages: Sequence[str]) -> tuple[Sighting, ...]:
    """Return each finding once, those of one check beside each other."""
    seen = [_Seen(report.vantages[0], finding) for report in reports for finding in report.findings]
    kept = [item for item in seen if not _is_superseded(item, seen)]
    groups: dict[tuple[str, str, str], list[_Seen]] = {}
    for item in kept:
        groups.setdefault(item.identity, []).append(item)
    order = list(dict.fromkeys(item.finding.id for item in seen))
    merged = [_sighting(group, vantages) for group in groups.values()]
    return tuple(sorted(merged, key=lambda finding: order.index(finding.id)))


def _sighting(group: Sequence[_Seen], vantages: Sequence[str]) -> Sighting:
    """Make one finding of equal ones, with the evidence of the first."""
    who = dict.fromkeys(item.vantage for item in group)
    first = {**asdict(group[0].finding), "vantages": () if len(who) == len(vantages) else (*who,)}
    return Sighting(**first)


def _is_superseded(item: _Seen, seen: Sequence[_Seen]) -> bool:
    """Whether another vantage knew about the same check and addresses, or left more of them out."""
    if item.finding.verdict not in _OPEN:
        return False
    if any(
        other.identity[:2] == item.identity[:2] and other.subject > item.subject for other in seen
    ):
        return True
    better = [other for other in seen if _knows_better(other, item)]
    known = frozenset(address for other in better for address in other.subject)
    return bool(better) and item.subject <= known


def _knows_better(other: _Seen, item: _Seen) -> bool:
    covering = _COVERED_BY.get(item.finding.id, "")
    alike = other.finding.id == item.finding.id
    covers = bool(covering) and other.finding.id.startswith(covering)
    known = other.finding.verdict not in _OPEN
    return known and other.vantage != item.vantage and (alike or covers)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(value.get("address"))
    elif isinstance(value, Sequence):
        for item in value:
            yield from _texts(item)


def _peers(way: Mapping[str, Any], every: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how peers fare, each address as the vantage that got farthest saw it."""
    best: dict[str, Mapping[str, Any]] = {}
    for endpoint in (item for peers in every for item in peers.get("endpoints", ())):
        known = best.setdefault(endpoint["address"], endpoint)
        if _distance(endpoint) > _distance(known):
            best[endpoint["address"]] = endpoint
    return {**way, "endpoints": list(best.values())} if way else {}


def _distance(endpoint: Mapping[str, Any]) -> int:
    """Say how much is known: keys, a fault of the server, or no way there."""
    kind = endpoint["keys_fault"]["kind"]
    return 2 if not kind else 0 if kind in ("no_route", "private", "unasked", "unable") else 1
