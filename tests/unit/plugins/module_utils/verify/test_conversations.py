# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No conversation goes on for ever, however it is kept up."""

from __future__ import annotations

import asyncio
import time

from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.internet import (
    LOCAL,
    serving,
)

SECONDS = 0.1
CONVERSATION = 6 * SECONDS


async def _chat(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not writer.is_closing():
        writer.write(b"and")
        await asyncio.sleep(SECONDS / 2)


def test_a_stream_that_always_says_something_ends() -> None:
    async def talk() -> int:
        network = Network(Guard.parse(["127.0.0.0/8"]), nameservers=[LOCAL], seconds=SECONDS)
        async with serving(_chat) as port, network.channel(LOCAL, port, kind="tcp") as channel:
            count = 0
            while await channel.exchange(b"?"):
                count += 1
            assert await channel.exchange(b"?") == b""
            return count

    started = time.monotonic()
    assert asyncio.run(talk()) > 1
    assert CONVERSATION / 2 < time.monotonic() - started < CONVERSATION + 2
