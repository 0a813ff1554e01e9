# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A body that is announced and never sent, over real sockets (RFC 9110 section 10.1.1)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Exchange,
    Request,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.authority import (
    Authority,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.internet import (
    LOCAL,
    answer,
    serving,
)

NAME, SIZE = "matrix.example.com", 52428800
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\n\r\n"


async def announced(folder: Path, reply: bytes, received: list[bytes]) -> Exchange:
    """Announce a body to a server that answers the header with these bytes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(reply)
        await writer.drain()
        received.append(await reader.read())
        writer.close()

    authority = Authority.make()
    async with serving(handle, authority.issue(NAME).context(folder)) as port:
        network = Network(
            Guard.parse(["127.0.0.0/8"]),
            ca_file=authority.write(folder),
            nameservers=[f"{LOCAL}:9"],
            seconds=1,
        )
        url = f"https://{NAME}:{port}/"
        return await network.request(Request(url, "POST", address=LOCAL, announced=SIZE))


@pytest.mark.parametrize(
    ("reply", "status", "fault"),
    [
        pytest.param(CONTINUE, 100, "", id="may be sent"),
        pytest.param(HINTS + CONTINUE, 100, "", id="may be sent, after hints"),
        pytest.param(answer(b"{}", status="401 Unauthorized"), 401, "", id="refused"),
        pytest.param(HINTS + answer(b"{}", status="413 Too Large"), 413, "", id="too large"),
        pytest.param(HINTS, 0, "timeout", id="only hints"),
        pytest.param(b"", 0, "timeout", id="waits for the body"),
    ],
)
def test_nothing_is_sent(tmp_path: Path, reply: bytes, status: int, fault: str) -> None:
    received: list[bytes] = []
    exchange = asyncio.run(announced(tmp_path, reply, received))
    assert exchange.status == status
    assert (exchange.error.kind if exchange.error else "") == fault
    assert b"Content-Length: 52428800\r\n" in received[0]
    assert b"Expect: 100-continue\r\n" in received[0]
    assert not any(received[1:])
