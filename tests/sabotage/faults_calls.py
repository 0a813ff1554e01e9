# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the TURN server."""

from __future__ import annotations

from certificates import Shape
from damage import Clock, Edits, Rule, Shown, Stopped
from fault import coturn, fault

FAULTS = [
    fault("the TURN server is down", Stopped("matrix", "coturn"), "error turn.server"),
    fault(
        "the TURN server has another secret",
        coturn("static-auth-secret=", "static-auth-secret=other"),
        "error turn.credentials",
    ),
    fault(
        "anybody gets a relay",
        Edits(
            (
                coturn("static-auth-secret=", "#static-auth-secret="),
                coturn("use-auth-secret\n", "no-auth\n"),
            )
        ),
        "error turn.anonymous",
    ),
    fault("TURN over UDP is closed", Rule("matrix", "udp dport 3478 drop"), "error turn.udp"),
    fault("TURN over TCP is closed", Rule("matrix", "tcp dport 3478 drop"), "error turn.tcp"),
    fault("TURN over TLS is closed", Rule("matrix", "tcp dport 5349 drop"), "error turn.tls"),
    fault("TURN over DTLS is closed", Rule("matrix", "udp dport 5349 drop"), "error turn.dtls"),
    fault(
        "relays have other ports than the firewall lets in",
        coturn("min-port=49152\nmax-port=49573", "min-port=60000\nmax-port=60100"),
        "error turn.relay_port",
        "error turn.relay_outside",
    ),
    fault(
        "the relays' ports are closed",
        Rule("matrix", "udp dport 49152-49573 drop"),
        "error turn.relay_outside",
        "error turn.relay_between",
    ),
    fault(
        "the relay leads to private addresses",
        coturn("denied-peer-ip=10.0.0.0-10.255.255.255\n", ""),
        "error turn.private_peers",
    ),
    fault(
        "the relay gives out a private address",
        coturn("realm=", "external-ip=10.0.0.9\nrealm="),
        "error turn.relay_address",
    ),
    fault(
        "the relay refuses its own address",
        coturn("allowed-peer-ip=198.51.100", "#allowed-peer-ip=198.51.100"),
        "warning turn.relay_permission",
    ),
    fault(
        "the TURN server's clock is two hours ahead",
        Clock("coturn", "+2h"),
        "error turn.credentials",
    ),
    fault(
        "the TURN server's clock is two hours behind",
        Clock("coturn", "-2h"),
        "error turn.expired",
    ),
    fault(
        "the TURN server has another realm",
        coturn("realm=matrix.", "realm=other."),
        "warning turn.realm",
    ),
    fault(
        "the TURN server's certificate has expired",
        Shown(Shape(begins=-90, days=-1), restart=("coturn",)),
        "error turn.certificate",
    ),
]
