# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a server thinks before it answers."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from ..evidence import seen
from ..findings import Check, Finding
from ..wire.transport import Exchange

TIME = Check(
    "web.response_time",
    "web",
    "",
    "Look at the load of the host and of what is slow: web server, homeserver or database; "
    "look from another vantage too, because the way there may be slow.",
)
SLOW = 3000


def judge_times(exchanges: Iterable[Exchange]) -> list[Finding]:
    """Report the slowest answer and the middle of all; what did not answer is not counted."""
    answers = [exchange for exchange in exchanges if exchange.status]
    if not answers:
        return []
    slowest = max(answers, key=lambda exchange: exchange.milliseconds)
    middle = round(median(exchange.milliseconds for exchange in answers))
    most = slowest.milliseconds
    facts = {"answers": len(answers), "median": middle, "slowest": seen(slowest)}
    message = f"Half of {len(answers)} answers took at most {middle} ms, the slowest one {most} ms"
    if most > SLOW:
        return [TIME.warning(f"{message}: {slowest.request.url}.", **facts)]
    return [TIME.ok(f"{message}.", **facts)]
