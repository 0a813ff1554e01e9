# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the IRC bridge, of which strangers see ident."""

from __future__ import annotations

from damage import Edit, Rule, Stopped
from fault import fault

IDENT = "error ports.open.tcp-113"
REGISTRATION = "/etc/heisenbridge/heisenbridge.yaml"

FAULTS = [
    fault("the IRC bridge is dead", Stopped("matrix", "heisenbridge"), IDENT),
    fault(
        "the homeserver does not know the IRC bridge's token",
        Edit("matrix", REGISTRATION, "as_token: ", "as_token: another-", ("heisenbridge",)),
        IDENT,
    ),
    fault("the ident port is closed", Rule("matrix", "tcp dport 113 drop"), IDENT),
    fault(
        "the ident port is closed over IPv6",
        Rule("matrix", "meta nfproto ipv6 tcp dport 113 drop"),
        IDENT,
    ),
]
