# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A slow network in memory that loses packets, and a clock that jumps instead of waiting."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Literal, TypeVar

from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.channels import (
    DatagramChannel,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Channel,
    Connection,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_host import (
    IPV4,
    FakeHost,
    Port,
    conversation,
)

_SYNS = (0.0, 1.0, 3.0)
"""When a kernel sends the first packets of a connection (RFC 6298 section 2)."""
_T = TypeVar("_T")


class _Jumping(selectors.DefaultSelector):
    """Passes the time until the next timer at once."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        self.now += timeout or 0.0
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def hasty(work: Coroutine[Any, Any, _T]) -> tuple[_T, float]:
    """Do the work without waiting, and return how many seconds it would have taken."""
    loop = _Loop()
    try:
        return loop.run_until_complete(work), loop.time()
    finally:
        loop.close()


class LossyHost(FakeHost):
    """A host some way off: each way loses a part of the packets, the same part with each seed.

    A port that is "timeout" drops what comes; the others answer, UDP ports after `slow` seconds.
    """

    def __init__(
        self, ports: Mapping[str, Port], *, trip: float, loss: float = 0.0, slow: float = 0.0
    ) -> None:
        super().__init__(ports, records=(IPV4,))
        self._trip, self._slow = trip, slow
        self._lost, self._random = 1 - (1 - loss) ** 2, Random(1)

    def arrives(self) -> bool:
        """Tell whether this packet comes there, and its answer back."""
        return self._random.random() >= self._lost

    async def connect(
        self, address: str, port: int, *, banner: bool = False, patience: float = 0
    ) -> Connection:
        found = self._port(address, "tcp", port)
        sent = (second for second in _SYNS if found != "timeout" and self.arrives())
        came = next(sent, patience) + self._trip
        await asyncio.sleep(min(came, patience))
        if came > patience:
            return Connection("timeout", round(1000 * patience))
        seen = await super().connect(address, port, banner=banner)
        return Connection(seen.state, round(1000 * came))

    @asynccontextmanager
    async def channel(
        self, address: str, port: int, *, kind: Literal["udp", "tcp", "tls"], name: str = ""
    ) -> AsyncIterator[Channel]:
        found = self._port(address, "udp" if kind == "udp" else "tcp", port)
        if kind == "udp" and not isinstance(found, str):
            channel = DatagramChannel()
            channel.connection_made(_Way(self, channel, found))
            yield channel
            return
        await asyncio.sleep(5 if found == "timeout" else self._trip)
        yield conversation(found, name)

    def answer_later(self, channel: DatagramChannel, answer: bytes, *, slow: bool) -> None:
        """Let an answer come, unless it is none, or lost."""
        if answer and self.arrives():
            seconds = self._trip + (self._slow if slow else 0)
            asyncio.get_running_loop().call_later(seconds, channel.datagram_received, answer, None)


class _Way(asyncio.DatagramTransport):
    """Leads the datagrams of one of our ports to a port of the host."""

    def __init__(self, host: LossyHost, channel: DatagramChannel, speech: Any) -> None:
        super().__init__({"sockname": ("192.0.2.99", 40000)})
        self._host, self._channel, self._speech = host, channel, speech

    def sendto(self, data: Any, addr: Any = None) -> None:  # noqa: ARG002 - asyncio's form
        is_foreign = b"\7example" in data
        self._host.answer_later(self._channel, self._speech(data), slow=is_foreign)
