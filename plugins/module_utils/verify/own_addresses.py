# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the vantage looks at itself: packets that never leave a machine pass no firewall."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .causes import addresses_in
from .findings import Check, Finding

VANTAGE = Check(
    "ports.vantage",
    "ports",
    "",
    "Let another machine look, one outside of the server's network, be it your own computer: "
    "put it into the inventory and name it as verify_vantage.",
)
_REACH = (
    *("client.reach", "federation.reach", "well_known.reach"),
    *("turn.udp", "turn.tcp", "turn.tls", "turn.dtls", "turn.relay_outside"),
)
"""What firewalls on the way decide; nothing but an answer shows that they let a stranger in."""
_SHUT = ("ports.closed.", "ports.published.", "dns.recursion")
"""What they can hide from strangers: here an answer shows as little as none."""


def unproven(findings: Sequence[Finding], is_here: Callable[[str], bool]) -> list[Finding]:
    """Leave open what only another machine can see of addresses that are the vantage's own."""
    own = {address for address in addresses_in(findings) if is_here(address)}
    if not own:
        return list(findings)
    who = " and ".join(sorted(own))
    message = (
        f"The vantage is the server itself ({who}): no firewall stands between them, so what "
        "strangers reach is unknown."
    )
    return [
        VANTAGE.unknown(message, addresses=sorted(own)),
        *(_open(each, own) for each in findings),
    ]


def _open(finding: Finding, own: Iterable[str]) -> Finding:
    if not _is_of_firewalls(finding) or addresses_in([finding]).isdisjoint(own):
        return finding
    note = "From the server itself this proves nothing."
    return finding.counted_as("unknown", note, follows_from=VANTAGE.id)


def _is_of_firewalls(finding: Finding) -> bool:
    if finding.id.startswith(_SHUT):
        return finding.verdict in ("ok", "info", "warning", "error")
    opened = finding.id in _REACH or finding.id.startswith("ports.open.")
    return opened and finding.verdict == "ok"
