# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of ports: services that strangers shall not reach, and ports that they shall."""

from __future__ import annotations

from damage import Opened, Rule, Together
from fault import fault, synapse

FAULTS = [
    fault(
        "the homeserver's own port is public",
        Together(
            (
                synapse("  bind_addresses:\n  - 127.0.0.1\n", "  bind_addresses:\n  - 0.0.0.0\n"),
                Opened("matrix", 8008),
            )
        ),
        "error ports.closed.tcp-8008",
    ),
    fault(
        "metrics of the host are public",
        Opened("matrix", 9100, program="python3 -m http.server 9100"),
        "error ports.closed.tcp-9100",
    ),
    fault(
        "a name server answers everybody",
        Opened(
            "matrix",
            53,
            program="dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts",
            package="dnsmasq-base",
        ),
        "error dns.recursion",
    ),
    fault("port 80 is closed", Rule("matrix", "tcp dport 80 drop"), "error ports.open.tcp-80"),
    fault(
        "port 8448 is closed", Rule("matrix", "tcp dport 8448 drop"), "error ports.open.tcp-8448"
    ),
]
