# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fault, one alarm: what merely follows from another finding points there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from .findings import SPOKEN, Finding
from .peers.resolution import Resolution

_REACH = ("client.reach", "federation.reach", "well_known.reach", "turn.server")
_PARTS = ("redirects", "status", "json", "not_object", "m_server")
_DELEGATION = tuple(f"well_known.server.{part}" for part in _PARTS)
_UNREACHED = ("client.reach", "well_known.reach", "resolution.addresses")
_OF_THE_NAME = ("resolution.server_name", "resolution.addresses")
_WITHOUT_DELEGATION = ("4", "5", "6")
_ROOTS = ("client.reach", "client.versions", "client.base_url")
_FETCHED = (".status", ".host")


@dataclass(frozen=True)
class Causes:
    """What is wrong by itself, so that other things cannot be right."""

    dead: frozenset[str]
    """Addresses at which nothing answers."""
    unreached: Mapping[str, str]
    """Hosts that do not answer somewhere, and the finding that says so."""
    untrusted: frozenset[str]
    """Hosts whose certificate is not trusted."""
    delegation: str
    """What is wrong with the document that should tell peers where to go."""
    api: str
    """Why nothing of the client API can be judged."""
    keyless: frozenset[tuple[str, int]]
    """Addresses that answer wrongly for the signing keys, each with its status."""


def explained(
    findings: Sequence[Finding], resolution: Resolution, *, delegated: bool
) -> list[Finding]:
    """Let what follows from another finding count as skipped, and say from which."""
    causes = _causes(findings, resolution, delegated=delegated)
    caused = [(finding, _cause(finding, causes)) for finding in findings]
    own = {finding.id for finding, cause in caused if finding.verdict in SPOKEN and not cause}
    deeper = {finding.id: cause for finding, cause in caused if cause and finding.id not in own}
    return [
        _following(finding, deeper.get(cause, cause)) if cause else finding
        for finding, cause in caused
    ]


def _following(finding: Finding, cause: str) -> Finding:
    note = f"This follows from {cause}."
    return replace(finding.counted_as("skipped", note, follows_from=cause), remedy="")


def _causes(findings: Sequence[Finding], resolution: Resolution, *, delegated: bool) -> Causes:
    errors = [finding for finding in findings if finding.verdict == "error"]
    by_id = {finding.id for finding in errors}
    documents = [name for name in _DELEGATION if name in by_id]
    strayed = delegated and resolution.step in _WITHOUT_DELEGATION
    answered = any(item.id == "client.versions" and item.verdict == "ok" for item in findings)
    silent = [name for name in ("client.versions", "client.reach") if name in by_id]
    return Causes(
        dead=frozenset(addresses_in(item for item in errors if item.id == "ports.address")),
        unreached={_host(item): item.id for item in errors if item.id in _UNREACHED},
        untrusted=frozenset(_host(item) for item in errors if item.id == "certificate.trust"),
        delegation=documents[0] if strayed and documents else "",
        api=silent[0] if silent and not answered else "",
        keyless=frozenset(
            answer for item in errors if item.id == "federation.keys" for answer in _answers(item)
        ),
    )


def _cause(finding: Finding, causes: Causes) -> str:
    """Return the id of the finding from which this one follows, or nothing."""
    if finding.verdict not in SPOKEN:
        return ""
    if finding.id in _REACH and _is_dead(finding, causes.dead):
        return "ports.address"
    if finding.id.startswith(("federation.", "resolution.")) and causes.delegation:
        return "" if finding.id in _OF_THE_NAME else causes.delegation
    if finding.id == "federation.version":
        return "federation.keys" if causes.keyless >= _answers(finding) else ""
    if finding.id.startswith(("client.", "registration.")) and finding.id not in _ROOTS:
        return causes.api
    if finding.id == "web.page":
        return "certificate.trust" if causes.untrusted and _is_untrusted(finding) else ""
    return _unfetched(finding, causes)


def _is_dead(finding: Finding, dead: Set[str]) -> bool:
    addresses = addresses_in([finding])
    return bool(addresses) and dead >= addresses


def _is_untrusted(finding: Finding) -> bool:
    """Tell whether a page was not read because of its certificate."""
    errors = (_exchange(place).get("error") for place in _places(finding))
    return all("certificate" in str(error) for error in errors)


def _unfetched(finding: Finding, causes: Causes) -> str:
    """Explain a document that was not fetched because of the host that should serve it."""
    if not (finding.id.startswith("well_known.") and finding.id.endswith(_FETCHED)):
        return ""
    last: Mapping[str, Any] = next(reversed(finding.evidence.get("hops") or [{}]))
    host = urlsplit(str(last.get("url"))).hostname or ""
    if "certificate" in str(last.get("error", "")):
        return "certificate.trust" if host in causes.untrusted else ""
    return causes.unreached.get(host, "") if last.get("error") else ""


def _places(finding: Finding) -> list[Mapping[str, Any]]:
    """Return what was seen at each place of which a finding speaks."""
    places = finding.evidence.get("places")
    return places if isinstance(places, list) else [finding.evidence]


def addresses_in(findings: Iterable[Finding]) -> set[str]:
    """Return the addresses of which findings speak."""
    seen = [place for finding in findings for place in (finding.evidence, *_places(finding))]
    found = {str(address) for place in seen for address in place.get("addresses") or ()}
    found |= {str(place.get("address") or _exchange(place).get("address") or "") for place in seen}
    return found - {""}


def _exchange(place: Mapping[str, Any]) -> Mapping[str, Any]:
    exchange = place.get("exchange")
    return exchange if isinstance(exchange, Mapping) else {}


def _host(finding: Finding) -> str:
    place = _places(finding)[0]
    url = str(_exchange(place).get("url"))
    return str(place.get("host") or urlsplit(url).hostname or "")


def _answers(finding: Finding) -> set[tuple[str, int]]:
    """Return the status that each address answered with."""
    exchanges = map(_exchange, _places(finding))
    return {(str(item.get("address")), int(item.get("status") or 0)) for item in exchanges}
