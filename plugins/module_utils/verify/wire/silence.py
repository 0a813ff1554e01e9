# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long silence is waited for: a few attempts, then as long as the way there and back asks for.

A packet that is lost once is seldom lost five times: where each way loses 5 %, all five attempts
fail once in 100 000 times. Time is counted in short slices, so that a machine which is busy for a
moment does not take its own pause for silence.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Optional, TypeVar

from .transport import Connection, Transport

ATTEMPTS = 5
GAP = 0.1
"""Seconds between two attempts."""
TRIPS = 4
"""How many round trips the last attempt is given."""
LEAST = 0.2
"""Seconds that the last attempt is given at least."""
LONGEST = 1.2
"""Seconds until a connection is given up where nothing tells how long a round trip takes."""
_PORTS = (443, 80)
_ANSWERED = ("open", "refused")
_T = TypeVar("_T")
Trip = asyncio.Future[Optional[float]]
"""The seconds of a round trip as soon as they are known; None if they never will be."""


class RoundTrips:
    """The time of a round trip to each address, measured once for a whole look."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._trips: dict[str, Trip] = {}

    def to(self, address: str) -> Trip:
        """Begin to measure, unless it has begun already."""
        if address not in self._trips:
            self._trips[address] = asyncio.ensure_future(self._measured(address))
        return self._trips[address]

    async def _measured(self, address: str) -> float | None:
        """Connect to where a web server should be; a refusal takes as long as a welcome."""
        ports = itertools.cycle(_PORTS)

        def attempt() -> Awaitable[Connection]:
            return self._transport.connect(address, next(ports), patience=LONGEST)

        found = await repeated(attempt, decided=lambda seen: seen.state in _ANSWERED)
        return found.milliseconds / 1000 if found else None


async def repeated(
    attempt: Callable[[], Awaitable[_T]],
    *,
    decided: Callable[[_T], bool],
    trip: Trip | None = None,
    longest: float = LONGEST,
) -> _T | None:
    """Attempt the same a few times, a moment apart, until one decides; None is silence."""
    running: set[asyncio.Future[_T]] = set()
    number = 0
    try:
        while number * GAP < _bound(trip, longest) and (running or number < ATTEMPTS):
            if number < ATTEMPTS:
                running.add(asyncio.ensure_future(attempt()))
            if found := await _decision(running, decided):
                return found[0]
            number += 1
        return None
    finally:
        for each in running:
            each.cancel()


def _bound(trip: Trip | None, longest: float) -> float:
    """Return after how many seconds it is silence, as far as is known by now."""
    seconds = trip.result() if trip is not None and trip.done() else None
    if seconds is None:
        return longest
    return min(longest, (ATTEMPTS - 1) * GAP + max(LEAST, TRIPS * seconds))


async def _decision(
    running: set[asyncio.Future[_T]], decided: Callable[[_T], bool]
) -> tuple[_T] | None:
    """Wait for a slice of time, or until something decides or nothing is under way."""
    now = asyncio.get_running_loop().time
    end = now() + GAP
    while running and (left := end - now()) > 0:
        done, _unused = await asyncio.wait(
            running, timeout=left, return_when=asyncio.FIRST_COMPLETED
        )
        running -= done
        for each in done:
            if decided(found := each.result()):
                return (found,)
    return None
