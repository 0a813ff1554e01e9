# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the way to some addresses longer: whatever is sent there waits before it leaves.

usage: delay.py [--dead ADDRESS] [--loss PERCENT] MILLISECONDS ADDRESS…

The addresses are led into a tunnel device of this program's own, which reads each packet, keeps it
for the given time and sends it on unchanged over the interface that leads there. The answers come
back at once, so a round trip takes that much longer, over every protocol, for every program of
this host. What is sent to a dead address is dropped, as by a firewall or a host that is gone.
With a loss, so many packets are lost at random on each way, there and back; as the answers do not
come through the tunnel, whatever loses its answer is dropped before it leaves.
It says "ready" when it works; when its input ends, it takes everything away again.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

_DEVICE = "delay0"
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_LOOSE = "2"  # RFC 3704 section 2.4: the answers come in elsewhere than the questions go out
_PACKET = 65535
_HELD = 10000
_SEED = 1


@dataclass
class Line:
    """A tunnel's end, and packets on their way, each with the moment at which it is to leave."""

    tunnel: int
    exits: dict[int, socket.socket]
    seconds: float
    dead: str = ""
    loss: float = 0.0
    chance: Random = field(default_factory=lambda: Random(_SEED))
    held: deque[tuple[float, bytes]] = field(default_factory=lambda: deque(maxlen=_HELD))

    def run(self) -> None:
        """Pass packets on in their order until the input ends."""
        while True:
            ready = select.select([self.tunnel, sys.stdin], [], [], self._patience())[0]
            if self.tunnel in ready:
                self._take()
            self._release()
            if sys.stdin in ready:
                return

    def _patience(self) -> float | None:
        return max(0.0, self.held[0][0] - time.monotonic()) if self.held else None

    def _take(self) -> None:
        while True:
            try:
                packet = os.read(self.tunnel, _PACKET)
            except BlockingIOError:
                return
            if self.chance.random() < (1 - self.loss) ** 2:
                self.held.append((time.monotonic() + self.seconds, packet))

    def _release(self) -> None:
        while self.held and self.held[0][0] <= time.monotonic():
            packet = self.held.popleft()[1]
            version, address = packet[0] >> 4, destination(packet)
            if version in self.exits and address != self.dead:
                self.exits[version].sendto(packet, (address, 0))


def destination(packet: bytes) -> str:
    """Return where a packet goes (RFC 791 section 3.1, RFC 8200 section 3)."""
    if packet[0] >> 4 == 4:
        return socket.inet_ntop(socket.AF_INET, packet[16:20])
    return socket.inet_ntop(socket.AF_INET6, packet[24:40])


def ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


def way_to(address: str) -> tuple[str, str]:
    """Return the interface that leads to an address, and the address that is used there."""
    route = json.loads(ip("-json", "route", "get", address))[0]
    return str(route["dev"]), str(route["prefsrc"])


def tunnel() -> int:
    """Make the tunnel device; it is gone when the program is."""
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    wish = struct.pack("16sH", _DEVICE.encode(), _IFF_TUN | _IFF_NO_PI)
    fcntl.ioctl(end, _TUNSETIFF, wish)
    switch(f"ipv6/conf/{_DEVICE}/disable_ipv6", "0")
    ip("link", "set", _DEVICE, "up")
    return end


def exit_over(interface: str, version: int) -> socket.socket:
    """Return a socket that sends whole packets over an interface, whatever the routes say."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    return raw


def switch(name: str, value: str) -> str:
    """Set a switch of the kernel's network, and return how it was."""
    path = Path("/proc/sys/net") / name
    before = path.read_text(encoding="ascii").strip()
    path.write_text(value, encoding="ascii")
    return before


def detour(addresses: Sequence[str]) -> tuple[int, dict[int, socket.socket]]:
    """Lead the addresses into a tunnel, and return its end and the sockets that lead on."""
    ways = {address: way_to(address) for address in addresses}
    interfaces = {6 if ":" in address else 4: way[0] for address, way in ways.items()}
    exits = {version: exit_over(interface, version) for version, interface in interfaces.items()}
    end = tunnel()
    for address, (_interface, source) in ways.items():
        ip("route", "add", address, "dev", _DEVICE, "src", source)
    return end, exits


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("--dead", default="")
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("milliseconds", type=float)
    parser.add_argument("addresses", nargs="+")
    given = parser.parse_args()
    filters = [f"ipv4/conf/{way_to(address)[0]}/rp_filter" for address in given.addresses[:1]]
    before = {name: switch(name, _LOOSE) for name in filters}
    try:
        end, exits = detour(given.addresses)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        Line(end, exits, given.milliseconds / 1000, given.dead, given.loss / 100).run()
    finally:
        for name, value in before.items():
            switch(name, value)


if __name__ == "__main__":
    main()
