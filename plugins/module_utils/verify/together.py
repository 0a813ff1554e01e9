# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fault that shows at several places is one finding, which names them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .findings import MESSAGE_LIMIT, Finding, bounded, shortened

_SINGLE = ("ok", "info")
_GAP = "\0"


@dataclass(frozen=True)
class Sight:
    """A finding, and the place at which it was made, as its message writes it."""

    place: str
    finding: Finding


def together(sights: Iterable[Sight]) -> list[Finding]:
    """Make one finding of the faults that differ in nothing but the place; what is well stays."""
    groups: dict[tuple[str, ...], list[Sight]] = {}
    for sight in sights:
        finding = sight.finding
        told = finding.message.replace(sight.place, _GAP)
        apart = sight.place if finding.verdict in _SINGLE else ""
        groups.setdefault((finding.id, finding.verdict, told, apart), []).append(sight)
    return [_one(group) for group in groups.values()]


def _one(sights: Sequence[Sight]) -> Finding:
    first, places = sights[0], list(dict.fromkeys(sight.place for sight in sights))
    if len(places) == 1:
        return first.finding
    message = first.finding.message.replace(first.place, listed(places))
    seen = [sight.finding.evidence for sight in sights]
    addresses = list(dict.fromkeys(str(facts["address"]) for facts in seen if "address" in facts))
    evidence = bounded({"addresses": addresses, "places": [dict(facts) for facts in seen]})
    return replace(first.finding, message=shortened(message, MESSAGE_LIMIT), evidence=evidence)


def listed(places: Iterable[str]) -> str:
    """List places; those that begin alike, up to their last "at", say it once."""
    groups: dict[str, list[str]] = {}
    for place in places:
        head, at, end = place.rpartition(" at ")
        groups.setdefault(head + at, []).append(end)
    return ", ".join(head + " and ".join(ends) for head, ends in groups.items())
