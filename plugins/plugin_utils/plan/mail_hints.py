# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the DNS should say so that others believe the sender of e-mail to users.

Only the relay's operator knows the exact values, so these are hints and no records.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Data = Mapping[str, Any]


def mail_hints(site: Data) -> list[dict[str, str]]:
    """Return a hint for SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 7489), as far as due.

    A record that the plan has already, for the bridge to e-mail, is completed or left as it is.
    """
    if not site["mail"]:
        return []
    relay, domain = site["mail"]["host"], site["mail"]["address"].rpartition("@")[2]
    planned = {
        (record["name"], str(record["value"]).partition(";")[0].partition(" ")[0])
        for record in site["dns_records"]
    }
    has_spf = (domain, "v=spf1") in planned
    has_dmarc = (f"_dmarc.{domain}", "v=DMARC1") in planned
    spf = f"what the operator of {relay} names, often include:… or ip4:…, "
    spf += "into the record above, before its -all" if has_spf else "in the one record v=spf1 …"
    key = f"the key of {relay}, under the name that its operator says"
    hints = [
        _hint(domain, f"SPF: {spf}"),
        _hint(f"(selector)._domainkey.{domain}", f"DKIM: {key}"),
    ]
    policy = "DMARC: v=DMARC1; p=none to begin with, if there is none yet"
    return hints if has_dmarc else [*hints, _hint(f"_dmarc.{domain}", policy)]


def _hint(name: str, hint: str) -> dict[str, str]:
    return {"name": name, "type": "TXT", "hint": hint}
