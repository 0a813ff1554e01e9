# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several addresses are tried a moment apart, and one connection comes of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire import sockets


@dataclass
class Open:
    """A connection that remembers whether it was closed."""

    closed: bool = False

    def close(self) -> None:
        self.closed = True


def test_the_loser_of_two_that_succeed_at_once_is_closed() -> None:
    streams = [Open(), Open()]

    async def race() -> object:
        both = asyncio.Event()

        async def slow() -> Open:
            await both.wait()
            return streams[0]

        async def quick() -> Open:
            both.set()
            return streams[1]

        return await sockets._first([slow, quick])  # type: ignore[list-item]  # stand-ins

    won = asyncio.run(race())
    assert [stream.closed for stream in streams] == [stream is not won for stream in streams]
