# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One end of a tunnel in user space, as OpenVPN and others make them, but without secrets.

usage: tunnel.py udp|tcp|gre OWN_ADDRESS [PEER]

Without a peer it waits to be called. An end that knows its peer sends something all the time, so
that an entry in connection tracking lives on.
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import time

PORT = 51820
GRE = struct.pack("!HH", 0, 0x0800)
SET_INTERFACE, TUN_WITHOUT_HEAD = 0x400454CA, 0x1001

way, own, *peers = sys.argv[1:]
peer = (peers[0], 0 if way == "gre" else PORT) if peers else None


def interface() -> int:
    handle = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(handle, SET_INTERFACE, struct.pack("16sH", b"tun9", TUN_WITHOUT_HEAD))
    for words in (f"address add {own}/30 dev tun9", "link set tun9 up mtu 1300"):
        subprocess.run(["ip", *words.split()], check=True)
    return handle


def outside() -> socket.socket:
    if way == "gre":
        return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_GRE)
    if way == "udp":
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if not peer:
            made.bind(("", PORT))
        return made
    while peer:
        try:
            return socket.create_connection(peer)
        except ConnectionRefusedError:  # noqa: PERF203 - the other end has only begun
            time.sleep(0.1)
    return listener.accept()[0]


def receive() -> bytes:
    """Return the next packet, and remember who sent it."""
    global peer
    if way == "tcp":
        size = struct.unpack("!H", exactly(2))[0]
        return exactly(size)
    packet, peer = outer.recvfrom(65535)
    return packet[24:] if way == "gre" else packet


def exactly(size: int) -> bytes:
    got = outer.recv(size, socket.MSG_WAITALL)
    if len(got) < size:
        raise SystemExit("the other end has gone")
    return got


def send(packet: bytes) -> None:
    if way == "tcp":
        outer.sendall(struct.pack("!H", len(packet)) + packet)
    elif peer:
        outer.sendto(GRE + packet if way == "gre" else packet, peer)


inner = interface()
if way == "tcp" and not peer:
    listener = socket.create_server(("", PORT))  # stays, for others
outer = outside()
while True:
    ready = select.select([inner, outer], [], [], 0.2)[0]
    if outer in ready and (packet := receive()):
        os.write(inner, packet)
    if inner in ready:
        send(os.read(inner, 65535))
    if not ready:
        send(b"")
