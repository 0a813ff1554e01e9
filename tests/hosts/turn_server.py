# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bare lab host on which Debian's coturn runs, set up by hand and not by our roles."""

from __future__ import annotations

import asyncio
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.homestead.matrix.plugins.module_utils.turn_credentials import mint
from ansible_collections.homestead.matrix.plugins.module_utils.verify.calls.check_turn import (
    check_turn,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.channels import (
    DatagramChannel,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.stun import StunError
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.turn_client import (
    Credentials,
    TurnClient,
)
from ansible_collections.homestead.matrix.tests.lab.labs import HOSTNAME, Lab

HOST = HOSTNAME
SECRET = "north"
CONFIGURATION = f"""\
use-auth-secret
static-auth-secret={SECRET}
realm={HOST}
cert=/etc/turn/cert.pem
pkey=/etc/turn/key.pem
min-port=49152
max-port=49573
denied-peer-ip=10.0.0.0-10.255.255.255
denied-peer-ip=169.254.0.0-169.254.255.255
denied-peer-ip=192.168.0.0-192.168.255.255
denied-peer-ip=fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
denied-peer-ip=::ffff:0.0.0.0-::ffff:255.255.255.255
no-cli
"""
EXPECTATIONS = {
    "turn": {
        "host": HOST,
        "port": 3478,
        "tls_port": 5349,
        "realm": HOST,
        "relay_first": 49152,
        "relay_last": 49573,
        "uris": [
            f"turns:{HOST}?transport=udp",
            f"turns:{HOST}?transport=tcp",
            f"turn:{HOST}?transport=udp",
            f"turn:{HOST}?transport=tcp",
        ],
    }
}
PACKAGES = "coturn libfaketime"
FALSE_CLOCK = """\
[Service]
Environment=LD_PRELOAD=/usr/$LIB/faketime/libfaketime.so.1
Environment=FAKETIME={hours}h
"""
SETTLED = "for i in $(seq 50); do ss -Hlnt sport = :5349 | grep -q . && exit 0; sleep 0.1; done"


@dataclass(frozen=True)
class TurnServer:
    """The host, and the certificate that it was given."""

    lab: Lab
    certificate: Path

    @classmethod
    def up(cls, folder: Path) -> TurnServer:
        """Start the host and install coturn."""
        server = cls(Lab("turn"), _certificate(folder))
        server.lab.up(only=("ns", "matrix"))
        server.shell(
            f"apt-get update -qq && apt-get install -qq --no-install-recommends {PACKAGES}"
        )
        server.shell("install -d -o turnserver /etc/turn")
        for name in ("cert.pem", "key.pem"):
            server.write(f"/etc/turn/{name}", (folder / name).read_text())
        server.shell("chown turnserver /etc/turn/*")
        return server

    def shell(self, script: str) -> None:
        self.lab.shell("matrix", script)

    def write(self, path: str, text: str) -> None:
        self.lab.write("matrix", path, text)

    def configure(self, text: str) -> None:
        """Run coturn with this configuration."""
        self.write("/etc/turnserver.conf", text)
        self.shell(f"systemctl reset-failed coturn; systemctl restart coturn && {SETTLED}")

    def clock(self, hours: int) -> None:
        """Let coturn believe that it is so many hours later, or earlier."""
        folder = "/etc/systemd/system/coturn.service.d"
        self.shell(f"mkdir -p {folder}; rm -f {folder}/*")
        if hours:
            self.write(f"{folder}/clock.conf", FALSE_CLOCK.format(hours=f"{hours:+d}"))
        self.shell("systemctl daemon-reload")

    def look(self, *, trusted: bool = True) -> list[Finding]:
        """Let the verifier look at the server from the controller."""
        given = self.lab.settings
        ranges = given["verify_allow_private"]
        network = Network(
            Guard.parse(ranges),
            ca_file=str(self.certificate) if trusted else "",
            nameservers=given["verify_nameservers"],
        )
        credentials = mint(SECRET, ttl=600, now=int(time.time()))
        return asyncio.run(
            check_turn(network, Expectations.of(EXPECTATIONS).turn, credentials, allowed=ranges)
        )

    def borrow(self, user: Credentials, port: int = 0) -> tuple[int, str]:
        """Borrow a relay from this local port or any; return the port and what came of it."""
        return asyncio.run(self._borrow(user, port))

    async def _borrow(self, user: Credentials, port: int) -> tuple[int, str]:
        there = (self.lab.address(HOST), 3478)
        _unused, channel = await asyncio.get_running_loop().create_datagram_endpoint(
            DatagramChannel, local_addr=("0.0.0.0", port), remote_addr=there
        )
        asked_from = channel.local[1]
        client = TurnClient(channel, user)
        try:
            await client.allocate(4)
            await client.release()
        except StunError as error:
            return asked_from, str(error)
        finally:
            channel.close()
        return asked_from, "a relay"


def _certificate(folder: Path) -> Path:
    key, certificate = folder / "key.pem", folder / "cert.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=turn"
    names = ["-addext", f"subjectAltName=DNS:{HOST}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *words.split(), *names], check=True, capture_output=True)
    return certificate
