# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vantage in a network that may see more than strangers do."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from .api.exposure import ADMIN_API, PRIVATE, is_admin_api
from .expectations import PrivatePlace
from .findings import Finding


def admitted(findings: Sequence[Finding], places: Sequence[PrivatePlace]) -> list[Finding]:
    """Leave open what strangers get, if the vantage is none: TURN servers tell who is asking."""
    vantage = _seen_as(findings)
    of_each = {PRIVATE.id: list(places), ADMIN_API.id: list(filter(is_admin_api, places))}
    return [_left_open(each, _among(vantage, of_each.get(each.id, ()))) for each in findings]


def _left_open(finding: Finding, insiders: Sequence[str]) -> Finding:
    if not insiders or finding.verdict != "error":
        return finding
    note = (
        f"The vantage has the address {' and '.join(insiders)}, which may get an answer there; "
        "what strangers get is unknown. Let a machine of another network look (verify_vantage)."
    )
    return finding.counted_as("skipped", note)


def _among(addresses: Iterable[str], places: Iterable[PrivatePlace]) -> list[str]:
    """Return the addresses that get an answer at one of the places."""
    networks = [ipaddress.ip_network(text) for place in places for text in place.networks]
    return sorted(
        address
        for address in addresses
        if any(ipaddress.ip_address(address) in network for network in networks)
    )


def _seen_as(findings: Iterable[Finding]) -> set[str]:
    """Return the addresses under which the server sees the vantage (RFC 8489 section 14.2)."""
    told = {str(finding.evidence["we_are"]) for finding in findings if "we_are" in finding.evidence}
    return {urlsplit(f"//{address}").hostname or "" for address in told} - {""}
