# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the private network's name server, of which strangers see whether it answers them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from damage import Edit, Opened, Rule, Stopped, Together
from fault import Fault, fault
from scene import Scene

SETTINGS = "/etc/homestead/dnsmasq/dnsmasq.conf"
UNIT = "homestead-dnsmasq"
TUNNEL = "interface=wg-matrix\n"
SHUT = {"udp": "udp dport 53 drop", "tcp": "tcp dport 53 reject with tcp reset"}
OPEN = "error dns.recursion"
FOREIGN = "address=/example.com/192.0.2.1\n"
"""The lab has no internet, and its own name server does not say so over TCP."""
STARTED = "for turn in $(seq 100); do ss -Hltn sport = :53 | grep -q eth0 && break; sleep 0.1; done"


@dataclass(frozen=True)
class Listens:
    """It listens elsewhere than in the tunnel alone, and needs a moment until it does."""

    instead: str

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        with Edit("matrix", SETTINGS, TUNNEL, f"{self.instead}{FOREIGN}", restart=(UNIT,))(scene):
            scene.shell("matrix", STARTED)
            yield


def open_over(protocol: str, family: str) -> Fault:
    """Let it answer everybody, but only over one protocol and one version of IP."""
    version, other = {"IPv4": ("ipv4", "ipv6"), "IPv6": ("ipv6", "ipv4")}[family]
    kinds = [f"meta nfproto {other} {rule}" for rule in SHUT.values()]
    kinds += [f"meta nfproto {version} {rule}" for name, rule in SHUT.items() if name != protocol]
    everybody = Listens(f"{TUNNEL}interface=eth0\n")
    return fault(
        f"the private network's name server answers everybody over {protocol.upper()} and {family}",
        Together((everybody, Rule("matrix", "; ".join(kinds)))),
        OPEN,
    )


FAULTS = [
    *(open_over(protocol, family) for family in ("IPv4", "IPv6") for protocol in SHUT),
    fault(
        "the private network's name server answers all neighbours",
        Listens("local-service\n"),
        OPEN,
    ),
    fault("port 53 is closed", Rule("matrix", "tcp dport 53 drop"), "error ports.open.tcp-53"),
    fault(
        "another name server is in the place of the private network's",
        Together(
            (
                Stopped("matrix", UNIT),
                Opened(
                    "matrix",
                    53,
                    program="dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts",
                ),
            )
        ),
        OPEN,
    ),
]
