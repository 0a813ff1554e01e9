# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the e-mail bridge, on a server that has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ansible_collections.homestead.matrix.tests.lab.components.postmoogle import SINK
from certificates import Shape, make
from damage import Damage, Edit, Rule, Stopped, Together
from fault import fault
from scene import Scene

UNIT = "postmoogle"
SETTINGS = "/etc/postmoogle/settings"
FOLDER = "/etc/homestead/tls/matrix.homestead.test"
LISTENS = "for turn in $(seq 100); do ss -Hltn 'sport = :{}' | grep -q . && break; sleep 0.1; done"


@dataclass(frozen=True)
class Bridge:
    """Damage of the bridge, which needs a moment to log in each time it starts."""

    damage: Damage
    port: int = 25

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        with self.damage(scene):
            scene.shell("matrix", LISTENS.format(self.port))
            yield
        scene.settle()
        scene.shell("matrix", LISTENS.format(587))


@dataclass(frozen=True)
class OtherCertificate:
    """Another certificate than the rest of the host has."""

    shape: Shape

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        pair = make(scene.authority, self.shape)
        scene.write("matrix", f"{FOLDER}/other.pem", pair.chain)
        scene.write("matrix", f"{FOLDER}/other.key", pair.key)
        paths = {"CERT": f"{FOLDER}/other.pem", "KEY": f"{FOLDER}/other.key"}
        lines = [f"POSTMOOGLE_TLS_{name}={path}" for name, path in paths.items()]
        try:
            with setting("\n".join(lines))(scene):
                yield
        finally:
            scene.run("matrix", "rm", *paths.values())


@dataclass(frozen=True)
class OpenRelay:
    """Another mail server, which takes every mail from everybody, on the bridge's port."""

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        scene.write("matrix", "/run/open_relay.py", SINK.read_text())
        relay = "systemd-run --quiet --collect --unit=open-relay python3 /run/open_relay.py"
        scene.run("matrix", *relay.split(), "/dev/null")
        try:
            yield
        finally:
            scene.run("matrix", "systemctl", "stop", "open-relay")


def setting(lines: str) -> Edit:
    """Let the bridge start with these settings as well."""
    return Edit("matrix", SETTINGS, "# Written", f"{lines}\n# Written", restart=(UNIT,))


FAULTS = [
    fault(
        "the e-mail bridge is down",
        Bridge(Stopped("matrix", UNIT), port=443),
        "error ports.open.tcp-25",
        "error ports.open.tcp-587",
    ),
    fault(
        "the port for e-mail from programs is closed",
        Rule("matrix", "tcp dport 587 drop"),
        "error ports.open.tcp-587",
    ),
    fault(
        "the port for e-mail from other servers is closed",
        Rule("matrix", "tcp dport 25 drop"),
        "unknown ports.open.tcp-25",
    ),
    fault(
        "the mail server has a certificate for another name",
        Bridge(OtherCertificate(Shape(names=("mail.homestead.test",))), port=587),
        "warning mail.certificate",
    ),
    fault(
        "the mail server has an expired certificate",
        Bridge(OtherCertificate(Shape(begins=-90, days=-1)), port=587),
        "warning mail.certificate",
    ),
    fault(
        "the mail server has no certificate",
        Bridge(setting('POSTMOOGLE_TLS_CERT=""')),
        "warning mail.starttls",
        "error ports.open.tcp-587",
    ),
    fault(
        "an open relay takes the e-mail",
        Bridge(Together((setting("POSTMOOGLE_PORT=2525"), OpenRelay())), port=587),
        "error mail.relay",
        "warning mail.starttls",
    ),
]
