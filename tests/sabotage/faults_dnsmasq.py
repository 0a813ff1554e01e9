# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the private network's name server, on a server that has it.

WireGuard itself answers no stranger, so nobody outside can tell what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from damage import Edit, Rule, Together
from fault import fault
from scene import Scene

LISTENS = "for turn in $(seq 100); do ss -Hltn 'sport = :53' | grep -q . && break; sleep 0.1; done"


class Open:
    """A name server that listens on the public interface, once it does.

    It answers for the foreign name itself, which the lab's others do not look up over TCP.
    """

    edit = Edit(
        "matrix",
        "/etc/homestead/dnsmasq/dnsmasq.conf",
        "interface=wg-matrix\nexcept-interface=lo\nbind-dynamic\n",
        "interface=eth0\nbind-dynamic\nlocal=/example.com/\n",
        restart=("homestead-dnsmasq",),
    )

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        with self.edit(scene):
            scene.shell("matrix", LISTENS)
            yield


OPEN = Open()
IPV4 = "meta nfproto ipv4"
RESET = "tcp dport 53 reject with tcp reset"

FAULTS = [
    fault("the private network's name server answers everybody", OPEN, "error dns.recursion"),
    fault(
        "the private network's name server answers everybody by IPv6",
        Together((OPEN, Rule("matrix", f"{IPV4} udp dport 53 drop; {IPV4} {RESET}"))),
        "error dns.recursion",
    ),
    fault(
        "the private network's name server answers everybody over TCP",
        Together((OPEN, Rule("matrix", "udp dport 53 drop"))),
        "error dns.recursion",
    ),
    fault(
        "the private network's name server answers everybody over UDP",
        Together((OPEN, Rule("matrix", RESET))),
        "error dns.recursion",
    ),
    fault("port 53 is closed", Rule("matrix", "tcp dport 53 drop"), "error ports.open.tcp-53"),
]
