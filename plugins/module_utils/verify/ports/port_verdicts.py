# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it means that a port of the plan answers, is refused, or stays silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..expectations import PlannedPort
from ..findings import Check, Finding
from .port_probes import Seen

_AREA = "ports"
ADDRESS = Check(
    "ports.address",
    _AREA,
    "",
    "Correct the DNS record, or let the host answer at this address: clients and servers try it.",
)
OPEN = Check(
    "ports.open.{part}",
    _AREA,
    "",
    "Start the service, and let {part} through the firewalls of host and provider.",
)
CLOSED = Check(
    "ports.closed.{part}",
    _AREA,
    "",
    "Let the service listen on 127.0.0.1 only, and close {part} in the firewalls.",
)
_SMTP_PORT = 25
_ANSWERED = ("ok", "info")


@dataclass(frozen=True)
class Knock:
    """One port at one address, and what was seen there."""

    port: PlannedPort
    address: str
    seen: Seen

    @property
    def where(self) -> str:
        return f"{self.port} at {self.address}"

    @property
    def facts(self) -> dict[str, Any]:
        return {"address": self.address, "state": self.seen.state, **self.seen.facts}


def judge_open(knock: Knock, *, watcher: str = "") -> Finding:
    """Say what a port that must be open looks like, unless the `watcher` says it already."""
    finding = _judge_open(knock)
    if not watcher or finding.verdict in _ANSWERED:
        return finding
    message = f"{knock.where} does not answer as it should: see {watcher}."
    return OPEN.of(knock.port.part).skipped(message, **knock.facts)


def _judge_open(knock: Knock) -> Finding:
    check, seen, where = OPEN.of(knock.port.part), knock.seen, knock.where
    if knock.port.word == "quiet" and seen.state == "silent":
        return unknowable(knock.port, knock.address)
    if seen.state == "answers":
        return check.ok(f"{where} answers ({seen.what}).", **knock.facts)
    if knock.port.inside and seen.state in ("open", "silent", "refused"):
        message = (
            f"{where} does not answer strangers, as a name server for a private network should "
            "not; whether it runs the outside cannot know."
        )
        return check.info(message, **knock.facts)
    if seen.state == "open":
        return check.error(f"{where} is open, but does not speak {seen.what}.", **knock.facts)
    return _judge_shut(check, knock)


def _judge_shut(check: Check, knock: Knock) -> Finding:
    """Say what it means that a port is refused, or that nothing answers."""
    port, state, where = knock.port, knock.seen.state, knock.where
    if port.narrowed:
        message = f"{where} is open to some sources only, and not to this vantage."
        return check.info(message, **knock.facts)
    if state == "refused":
        judge = check.error if port.is_needed else check.info
        return judge(f"{where} is refused: nothing listens there.", **knock.facts)
    if port.word == "ssh":
        message = f"{where} is filtered: SSH is not open to this vantage."
        return check.info(message, **knock.facts)
    if port.first == _SMTP_PORT:
        message = f"{where} does not answer; many networks let nobody connect to port 25."
        return check.unknown(message, **knock.facts)
    return check.error(f"{where} does not answer: filtered, or not running.", **knock.facts)


def judge_closed(knock: Knock) -> Finding:
    """Say what a port that must be closed looks like."""
    check, state, where = CLOSED.of(knock.port.part), knock.seen.state, knock.where
    if state in ("answers", "open"):
        return check.error(f"{where} answers strangers.", **knock.facts)
    if state == "refused":
        return check.ok(f"{where} is closed: refused.", **knock.facts)
    if state in ("filtered", "unreachable"):
        return check.ok(f"{where} is closed: {state}.", **knock.facts)
    return check.unknown(f"{where} does not answer, which over UDP proves nothing.", **knock.facts)


def unknowable(port: PlannedPort, address: str) -> Finding:
    """Say of a port without a proof why there is none."""
    check, where = OPEN.of(port.part), f"{port} at {address}"
    if port.component == "coturn":
        message = f"{where} is never scanned: turn.relay_outside samples it."
        return check.skipped(message, address=address)
    return check.unknown(f"{where} never answers strangers, open or not.", address=address)


def deaf(address: str, knocks: Sequence[Knock]) -> Finding:
    """Say once that nothing answers at an address, whatever its ports are."""
    facts = {"address": address, "tried": [knock.port.part for knock in knocks]}
    states = {knock.seen.state for knock in knocks}
    if states == {"private"}:
        return ADDRESS.skipped(f"{address} is private, so no port was tried there.", **facts)
    if states == {"no_route"}:
        return ADDRESS.unknown(f"This vantage has no route to {address}.", **facts)
    return ADDRESS.error(f"Nothing answers at {address}.", **facts)
