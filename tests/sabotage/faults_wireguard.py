# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the private network, which answers no stranger: they see whether somebody listens."""

from __future__ import annotations

from damage import Edit, Rule, Stopped
from fault import fault

UNIT = "homestead-wireguard"
SETTINGS = "/etc/homestead/wireguard/wg-matrix.conf"
SHUT = "error ports.open.udp-51820"

FAULTS = [
    fault("the private network is dead", Stopped("matrix", UNIT), SHUT),
    fault(
        "the private network listens at another port",
        Edit("matrix", SETTINGS, "ListenPort = 51820", "ListenPort = 51821", (UNIT,)),
        SHUT,
    ),
    fault(
        "the private network's port is shut, and says so",
        Rule("matrix", "udp dport 51820 reject"),
        SHUT,
    ),
    fault(
        "the private network's port is shut over IPv6, and says so",
        Rule("matrix", "meta nfproto ipv6 udp dport 51820 reject"),
        SHUT,
    ),
]
