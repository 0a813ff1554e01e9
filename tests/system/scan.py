# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Knock at the ports of an address and print, as JSON, those that answer in any way.

usage: scan.py ADDRESS tcp|udp FIRST LAST TOGETHER [PAUSE]

A dropped packet is silence. A connection, a refusal (RST), a datagram and an ICMP "port
unreachable" are answers: the packet passed the firewall. Standard library only.
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import sys

WAIT = 1.0
PAUSE = float(sys.argv[6]) if len(sys.argv) > 6 else 0.0
BINDING = bytes.fromhex("000100002112a442000102030405060708090a0b")


async def tcp(address: str, port: int) -> None:
    """Connect, or raise what the connection met."""
    _reader, writer = await asyncio.open_connection(address, port)
    writer.close()


async def udp(address: str, port: int) -> None:
    """Send a STUN binding request and wait for any datagram, or raise what came instead."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as knock:
        knock.setblocking(False)
        knock.connect((address, port))
        knock.send(BINDING)
        await asyncio.get_running_loop().sock_recv(knock, 2048)


KNOCKS = {"tcp": tcp, "udp": udp}


async def answer(protocol: str, address: str, port: int) -> str:
    """Return how a port answers: open, refused or silent."""
    try:
        await asyncio.wait_for(KNOCKS[protocol](address, port), WAIT)
    except ConnectionRefusedError:
        return "refused"
    except (OSError, asyncio.TimeoutError):
        return "silent"
    return "open"


async def main(address: str, protocol: str, first: int, last: int, together: int) -> None:
    """Scan the ports from first to last, so many at a time, with a pause after each group."""
    found: dict[int, str] = {}
    for start in range(first, last + 1, together):
        ports = range(start, min(start + together, last + 1))
        answers = await asyncio.gather(*(answer(protocol, address, port) for port in ports))
        found |= {port: said for port, said in zip(ports, answers) if said != "silent"}
        await asyncio.sleep(PAUSE)
    sys.stdout.write(json.dumps(found))


resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
asyncio.run(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])))
