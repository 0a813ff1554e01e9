# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a server's clock is off, told from the Date of its answers (RFC 9110 section 6.6.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from itertools import combinations
from statistics import median

from ..findings import Check, Finding
from ..wire.recorder import Taken

CLOCK = Check(
    "web.clock",
    "web",
    "RFC 9110 section 6.6.1",
    "Let NTP set the clock of the host (timedatectl set-ntp true), and check that of the vantage.",
)
WARNED = 60
REFUSED = 600
"""So many seconds off, other servers and clients begin to refuse what the server signs."""
_ALIKE = 5
_DATE_LENGTH = 40
_UNITS = ((86400, "days"), (3600, "hours"), (60, "minutes"))


@dataclass(frozen=True)
class Clock:
    """A host's clock: how many seconds it is ahead (behind, if negative), as seen by us."""

    host: str
    ahead: float
    addresses: frozenset[str]
    matrix: bool

    @property
    def wrong(self) -> bool:
        return abs(self.ahead) > WARNED

    @property
    def described(self) -> str:
        direction = "ahead of" if self.ahead > 0 else "behind"
        return f"The clock of {self.host} is {_spelled(self.ahead)} {direction} this vantage's"


def judge_clocks(taken: Iterable[Taken]) -> list[Finding]:
    """Judge the clock of every host that told the time."""
    by_host: defaultdict[str, list[tuple[float, Taken]]] = defaultdict(list)
    for item in taken:
        if (ahead := ahead_of(item)) is not None:
            by_host[item.host].append((ahead, item))
    clocks = [_clock(host, samples) for host, samples in sorted(by_host.items())]
    alike = _is_ours(clocks)
    return [_judge(clock, alike=alike) for clock in clocks]


def ahead_of(taken: Taken) -> float | None:
    """Return by how much a Date is off at least: it was written between question and answer.

    It is cut to whole seconds. A cache's answer (Age) tells the time of another moment.
    """
    lines = taken.exchange.header("Date")
    if len(lines) != 1 or len(lines[0]) > _DATE_LENGTH or taken.exchange.header("Age"):
        return None
    try:
        date = parsedate_to_datetime(lines[0])
        stamp = (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    earliest, latest = stamp - taken.ended, stamp + 1 - taken.began
    return max(earliest, 0.0) if latest > 0 else latest


def _clock(host: str, samples: Sequence[tuple[float, Taken]]) -> Clock:
    """Take the middle of what a host says: one stale page is no clock."""
    ahead = median(ahead for ahead, _taken in samples)
    exchanges = [item.exchange for _ahead, item in samples]
    addresses = {exchange.address for exchange in exchanges if exchange.address}
    matrix = any("/_matrix/" in exchange.request.url for exchange in exchanges)
    return Clock(host, ahead, frozenset(addresses), matrix)


def _is_ours(clocks: Sequence[Clock]) -> bool:
    """Whether hosts on different machines all agree with each other, but not with this vantage."""
    aheads = [clock.ahead for clock in clocks]
    if not clocks or not all(clock.wrong for clock in clocks):
        return False
    return max(aheads) - min(aheads) <= _ALIKE and any(
        one.addresses.isdisjoint(other.addresses) for one, other in combinations(clocks, 2)
    )


def _judge(clock: Clock, *, alike: bool) -> Finding:
    """Judge one clock; only a host that serves Matrix does harm by it."""
    facts = {"host": clock.host, "seconds_ahead": round(clock.ahead)}
    if not clock.wrong:
        return CLOCK.ok(f"The clock of {clock.host} agrees with this vantage's.", **facts)
    if alike:
        message = f"{clock.described}, and all others agree: it may be the vantage's that is wrong."
        return CLOCK.unknown(message, **facts)
    harmful = clock.matrix and abs(clock.ahead) > REFUSED
    note = CLOCK.error if harmful else CLOCK.warning
    return note(f"{clock.described}.", **facts)


def _spelled(seconds: float) -> str:
    for length, unit in _UNITS:
        if abs(seconds) >= 2 * length:
            return f"{abs(seconds) / length:.0f} {unit}"
    return f"{abs(seconds):.0f} seconds"
