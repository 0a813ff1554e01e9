# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verifier as a program of its own, which tells what it takes; it runs on the vantage.

usage: stranger.py look|chains|trips|knocks

It reads the arguments of `homestead.matrix.verify` as JSON and prints JSON. `look` verifies;
`chains` takes the longest ways through a verification, each by itself and with nothing beside it;
`trips` measures single round trips, over TCP to every address and to the name server; `knocks`
tells what is seen of the host's TCP ports, open ones many times.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from ansible_collections.homestead.matrix.plugins.module_utils.verify.documents import wellknown
from ansible_collections.homestead.matrix.plugins.module_utils.verify.documents.discovery import (
    base_url,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.peers.resolution import (
    resolve,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports.dns_messages import (
    dns_question,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports.port_probes import (
    Place,
    knock,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.redirect_chain import follow
from ansible_collections.homestead.matrix.plugins.module_utils.verify.scope import Scope
from ansible_collections.homestead.matrix.plugins.module_utils.verify.verification import verify
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.hosts import addresses_of
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.silence import RoundTrips
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import Request
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.turn_client import (
    Credentials,
    TurnClient,
)

Given = dict[str, Any]
Chain = Callable[[Network, Given], Awaitable[None]]
TRIPS = 20
KNOCKS = 10


def network(given: Given) -> Network:
    """Return a network that remembers nothing yet."""
    return Network(
        Guard.parse(given["allow_private"]),
        ca_file=given["ca_file"],
        nameservers=given["nameservers"],
        seconds=given["timeout"],
    )


async def look(given: Given) -> Given:
    """Verify, and say how long it took and how much memory the process held at most."""
    scope = Scope(
        given["server_name"],
        expectations=Expectations.of(given["expectations"]),
        published=[],
        credentials=given["turn_credentials"],
        allowed=given["allow_private"],
        ignore=[],
    )
    began = time.monotonic()
    report = (await verify(network(given), scope)).as_dict()
    return {"seconds": time.monotonic() - began, "peak": peak(), "findings": report["findings"]}


def peak() -> int:
    """Return the bytes of memory that this process held at most (VmHWM, resident)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


async def peers(real: Network, given: Given) -> None:
    """Do what a peer does first: well-known, addresses of the delegated name, TLS, keys."""
    found = await resolve(real, given["server_name"])
    endpoint, name = found.endpoints[0], found.certificate_name
    exchange = await real.request(
        Request(
            f"https://{name}:{endpoint.port}/_matrix/key/v2/server",
            address=endpoint.address,
            host_header=found.host_header,
            certificate_name=name,
        )
    )
    assert exchange.status == 200, exchange


async def clients(real: Network, given: Given) -> None:
    """Do what a client does first: well-known, and the versions at the base URL it tells."""
    found = await follow(real, wellknown.url(given["server_name"], "client"))
    base = base_url(wellknown.value_of(found))
    exchange = await real.request(Request(f"{base}/_matrix/client/versions"))
    assert exchange.status == 200, exchange


async def call(real: Network, given: Given) -> None:
    """Call over TLS: binding, challenge, allocation, permission, data there and back, release."""
    expected = Expectations.of(given["expectations"]).turn
    assert expected
    route = next(route for route in expected.routes if route.kind == "tls")
    address = (await addresses_of(real, route.host))[0]
    async with real.channel(address, route.port, kind="tls", name=route.host) as channel:
        client = TurnClient(channel, Credentials.of(given["turn_credentials"]))
        await client.bind()
        await client.challenge(4)
        relay = await client.allocate(4)
        await client.permit(relay.mapped.address)
        echo = asyncio.create_task(client.echo())
        where = str(relay.relayed.address), relay.relayed.port
        async with real.channel(*where, kind="udp") as outsider:
            assert await outsider.exchange(b"data") == b"data"
        echo.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await echo
        await client.release()


async def chains(given: Given) -> Given:
    """Return the seconds of each chain of questions that depend on each other."""
    seconds = {}
    for chain in (peers, clients, call):
        real, began = network(given), time.monotonic()
        await chain(real, given)
        seconds[chain.__name__] = time.monotonic() - began
    return seconds


async def knocks(given: Given) -> Given:
    """Knock at all TCP ports at once, but SSH's, where too many are locked out."""
    real, scope = network(given), given["expectations"]["ports"]
    opened = [
        port["first"]
        for port in scope["open"]
        if port["protocol"] == "tcp" and port["component"] != "ssh"
    ]
    ports = {"open": KNOCKS * opened, "closed": [port["port"] for port in scope["closed"]]}
    measured = RoundTrips(real)
    seen: Given = {}
    for kind, numbers in ports.items():
        places = [
            Place(real, "", address, number, measured)
            for address in await addresses_of(real, given["expectations"]["hostname"])
            for number in numbers
        ]
        seen[kind] = Counter(it.state for it in await asyncio.gather(*map(knock, places)))
    return seen


async def trips(given: Given) -> Given:
    """Return the milliseconds of single round trips to each place."""
    real, measured = network(given), {}
    for name in (given["server_name"], given["expectations"]["hostname"]):
        for address in await addresses_of(real, name):
            measured[address] = [connected(address) for _trip in range(TRIPS)]
    server = given["nameservers"][0]
    measured[server] = [asked(server, given["server_name"]) for _trip in range(TRIPS)]
    return measured


def connected(address: str) -> float:
    """Return the milliseconds of a TCP handshake, which is one round trip."""
    began = time.monotonic()
    socket.create_connection((address, 443)).close()
    return 1000 * (time.monotonic() - began)


def asked(server: str, name: str) -> float:
    """Return the milliseconds of a question to the name server, over UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.settimeout(1)
        channel.connect((server, 53))
        began = time.monotonic()
        channel.send(dns_question(name, b"ab"))
        channel.recv(512)
        return 1000 * (time.monotonic() - began)


if __name__ == "__main__":
    program = {"look": look, "chains": chains, "trips": trips, "knocks": knocks}[sys.argv[1]]
    sys.stdout.write(json.dumps(asyncio.run(program(json.load(sys.stdin)))))
