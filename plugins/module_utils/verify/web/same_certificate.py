# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether all addresses of a name show one certificate (server-server API, TLS)."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..certificates import read
from ..findings import Check, Finding
from ..wire.recorder import Site, Taken
from ..wire.transport import Certificate

SAME = Check(
    "certificate.same",
    "certificate",
    "Server-Server API, TLS",
    "Give all addresses of the name the same certificate and renew it everywhere at once; "
    "look for an old server behind one of them.",
)
_SHOWN = 20
_Shown = Mapping[str, Mapping[str, Certificate]]
"""The certificates that each address shows, by fingerprint."""


def judge_same(taken: Iterable[Taken], apart: Collection[Site] = ()) -> list[Finding]:
    """Compare what the addresses of every name and port show, if there are several.

    Those that an SRV record leads to, `apart`, are compared with one another only.
    """
    names: defaultdict[tuple[str, int, bool], dict[str, dict[str, Certificate]]] = defaultdict(dict)
    for item in taken:
        certificate, site = item.exchange.certificate, item.site
        if site and certificate and certificate.chain:
            fingerprint = hashlib.sha256(certificate.chain[0]).hexdigest()
            shown = names[site.name, site.port, site in apart].setdefault(site.address, {})
            shown[fingerprint] = certificate
    several = ((name, shown) for name, shown in sorted(names.items()) if len(shown) > 1)
    return [_judge(f"{name}:{port}", shown) for (name, port, _apart), shown in several]


def _judge(where: str, shown: _Shown) -> Finding:
    """Take one that all show for enough: an address may show several, as a cluster does."""
    common = set.intersection(*(set(certificates) for certificates in shown.values()))
    if common:
        message = f"All {len(shown)} addresses of {where} show the same certificate."
        return SAME.ok(message, where=where, sha256=min(common))
    facts = {
        address: [_described(print_, item) for print_, item in sorted(certificates.items())]
        for address, certificates in list(shown.items())[:_SHOWN]
    }
    listed = "; ".join(f"{address} {items[0]['shown']}" for address, items in facts.items())
    message = f"The addresses of {where} show different certificates: {listed}."
    return SAME.warning(message, where=where, certificates=facts)


def _described(fingerprint: str, certificate: Certificate) -> dict[str, Any]:
    try:
        facts = read(certificate)
    except ValueError:
        return {"sha256": fingerprint, "shown": "one that cannot be read"}
    until = f"{facts.not_after:%Y-%m-%d}"
    shown = f"one until {until} (serial {facts.serial[:_SHOWN]})"
    return {"sha256": fingerprint, "serial": facts.serial, "not_after": until, "shown": shown}
