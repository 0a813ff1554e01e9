# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Knock at the ports of an address and print, as JSON, those that answer in any way.

usage: scan.py ADDRESS tcp|udp FIRST LAST TOGETHER [PAUSE]

A dropped packet is silence. A connection, a refusal (RST), a datagram and an ICMP "port
unreachable" are answers: the packet passed the firewall. Standard library only.
"""

from __future__ import annotations

import errno
import json
import resource
import select
import socket
import sys
import time

WAIT = 1.0
PAUSE = float(sys.argv[6]) if len(sys.argv) > 6 else 0.0
BINDING = bytes.fromhex("000100002112a442000102030405060708090a0b")
KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
EVENTS = {"tcp": select.EPOLLOUT, "udp": select.EPOLLIN}


def begin(protocol: str, address: str, port: int) -> socket.socket:
    """Connect, or send a STUN binding request, and wait for nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    knock = socket.socket(family, KINDS[protocol])
    knock.setblocking(False)
    error = knock.connect_ex((address, port))
    if error not in (0, errno.EINPROGRESS):
        raise OSError(error, f"{protocol} {port}")
    if protocol == "udp":
        knock.send(BINDING)
    return knock


def heard(protocol: str, knock: socket.socket) -> str:
    """Return what came back: open, refused or silent."""
    error = knock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error == errno.ECONNREFUSED:
        return "refused"
    if error or (protocol == "udp" and not knock.recv(2048)):
        return "silent"
    return "open"


def answers(protocol: str, address: str, ports: range) -> dict[int, str]:
    """Knock at all these ports at once, and return how those answer that do within the time."""
    found: dict[int, str] = {}
    waiting: dict[int, tuple[int, socket.socket]] = {}
    with select.epoll() as events:
        for port in ports:
            knock = begin(protocol, address, port)
            waiting[knock.fileno()] = (port, knock)
            events.register(knock, EVENTS[protocol])
        end = time.monotonic() + WAIT
        while waiting and (left := end - time.monotonic()) > 0:
            for number, _unused in events.poll(left, 1000):
                port, knock = waiting.pop(number)
                with knock:
                    found[port] = heard(protocol, knock)
                    events.unregister(knock)
    for _unused, knock in waiting.values():
        knock.close()
    return {port: said for port, said in found.items() if said != "silent"}


def main(address: str, protocol: str, first: int, last: int, together: int) -> None:
    """Scan the ports from first to last, so many at a time, with a pause after each group."""
    found: dict[int, str] = {}
    for start in range(first, last + 1, together):
        found |= answers(protocol, address, range(start, min(start + together, last + 1)))
        time.sleep(PAUSE)
    sys.stdout.write(json.dumps(found))


resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))
