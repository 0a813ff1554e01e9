# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of Jitsi Meet, on a server that has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ansible_collections.homestead.matrix.tests.lab.components.jitsi import NAME
from certificates import Shape
from damage import Edit, Rule, Shown
from fault import DOCUMENTS, SITE, fault
from scene import Scene

QUIET = "unknown ports.open.udp-10000"
"""What is said of a healthy bridge, which answers no stranger."""


@dataclass(frozen=True)
class Dead:
    """A unit that does not run, and that takes its time until it listens again."""

    unit: str
    port: int

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        scene.settle()
        scene.run("matrix", "systemctl", "stop", self.unit)
        try:
            yield
        finally:
            scene.restart("matrix", self.unit)
            listens = f"ss -Hltn sport = :{self.port} | grep -q ."
            scene.shell("matrix", f"timeout 60 sh -c 'until {listens}; do sleep 0.2; done'")


FAULTS = [
    fault("Prosody is dead", Dead("prosody", 5280), "error web.page", QUIET),
    fault(
        "the bridge is dead",
        Dead("jitsi-videobridge2", 9092),
        "error ports.open.udp-10000",
        "error web.page",
    ),
    fault(
        "the port for video is shut, and says so",
        Rule("matrix", "udp dport 10000 reject"),
        "error ports.open.udp-10000",
    ),
    fault(
        "the page is gone",
        Edit("matrix", SITE, "alias /usr/share/jitsi-meet/;", "alias /usr/share/nothing/;"),
        "error web.page",
        QUIET,
    ),
    fault(
        "clients are led to another conference server",
        Edit("matrix", f"{DOCUMENTS}/client", NAME, "meet.example.com", restart=()),
        "error well_known.client.expected",
        QUIET,
    ),
    fault(
        "the way to the bridge is wrong",
        Edit("matrix", SITE, "server 127.0.0.1:9092;", "server 127.0.0.1:9;"),
        "error web.page",
        QUIET,
    ),
    fault(
        "the certificate lacks its name",
        Shown(Shape(), restart=("nginx", "coturn")),
        "error web.page",
        QUIET,
    ),
]
