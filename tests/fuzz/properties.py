# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true whatever a stranger's server sends, and the decorator that tries it."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from types import FrameType
from typing import Any, NoReturn, TypeVar

from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import (
    EVIDENCE_LIMIT,
    MESSAGE_LIMIT,
    VERDICTS,
    Finding,
)
from hypothesis import given, settings

Result = TypeVar("Result")
Test = Callable[..., None]
SECONDS_OF_WORK = 0.8
"""How long the processor may be busy with one input; waiting for the machine does not count."""
REPORT_LIMIT = 2 * 1024 * 1024
"""How many characters the result of a run has at most as JSON."""
SECONDS_OF_WAITING = 20
TALLY: Counter[str] = Counter()
_IDENTITY = re.compile(r"[a-z_]+(\.[a-z0-9_-]+)+")


class TooSlowError(AssertionError):
    """One input takes longer than any may."""


def fuzzed(*arguments: Any, share: float = 1, **named: Any) -> Callable[[Test], Test]:
    """Do as `given` does, count the inputs, and stop one that takes too long.

    A test with slow inputs tries only a share of the profile's number.
    """

    def decorate(test: Test) -> Test:
        @functools.wraps(test)
        def counted(*args: Any, **kwargs: Any) -> None:
            TALLY["inputs"] += 1
            former = signal.signal(signal.SIGPROF, _too_slow)
            signal.setitimer(signal.ITIMER_PROF, SECONDS_OF_WORK)
            try:
                test(*args, **kwargs)
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
                signal.signal(signal.SIGPROF, former)

        number = max(5, int(settings().max_examples * share))
        return settings(max_examples=number)(given(*arguments, **named)(counted))

    return decorate


def _too_slow(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise TooSlowError(f"one input keeps the processor busy for {SECONDS_OF_WORK} s")


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end, which must come."""
    return asyncio.run(asyncio.wait_for(coroutine, SECONDS_OF_WAITING))


def assert_sound(findings: Iterable[Finding]) -> None:
    """Expect findings to be bounded and serialisable, with a verdict of the set."""
    for finding in findings:
        assert finding.verdict in VERDICTS
        assert _IDENTITY.fullmatch(finding.id), finding.id
        assert len(finding.id) < 100
        assert 0 < len(finding.message) <= MESSAGE_LIMIT
        text = json.dumps(finding.as_dict()["evidence"], allow_nan=False)
        assert len(text) <= EVIDENCE_LIMIT
        json.dumps(finding.as_dict(), ensure_ascii=False).encode("utf-8")


def value_or_refusal(parse: Callable[..., Result], *args: Any, **kwargs: Any) -> Result | None:
    """Return what a parser makes of its input, or None if it refuses with one clear phrase."""
    try:
        return parse(*args, **kwargs)
    except ValueError as error:
        phrase = str(error)
    assert phrase
    return None
