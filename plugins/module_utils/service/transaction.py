# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transaction: all of the plan comes true, or the host is as before."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from . import aside, commands, health, nodes, units
from . import record as records
from .journal import Journal, UnitBefore
from .machine import Machine
from .model import Draft, Health, Reaction, ServiceError, words
from .plan import Plan
from .record import Record
from .wish import Change, Wish

APT = "/etc/apt/"


class TransactionError(ServiceError):
    """A failed transaction: the program's last words, and what was put back."""


@dataclass
class Progress:
    """What has been done so far, for the answer and for the way back."""

    journal: Journal
    record: Record
    began: float = field(default_factory=time.time)
    ran: list[str] = field(default_factory=list)
    actions: dict[str, units.Action] = field(default_factory=dict)
    reached_units: bool = False
    at_rest: bool = False


def prepare(plan: Plan, host: Machine) -> bool:
    """Note all units, as installing packages may start some; tell apt of archives, if any."""
    archives = [change for change in plan.changes if change.wish.path.startswith(APT)]
    _protect(plan, host, archives)
    if archives:
        save(host, plan, plan.intent)
        _write(change.wish for change in archives)
    return bool(archives)


def carry_out(plan: Plan, host: Machine) -> Progress:
    """Make the plan true as one transaction."""
    progress = Progress(
        _protect(plan, host, plan.changes), plan.intent, reached_units=plan.journal.left_over
    )
    with _WayBack(plan, host, progress):
        save(host, plan, plan.intent)
        _retire(plan, host, progress, plan.retired)
        if plan.leaving:
            plan.leaving.copy(host)
        _write(change.wish for change in plan.changes if not change.wish.late)
        _run_commands(plan, host, progress)
        _retire(plan, host, progress, plan.replaced)
        _write(change.wish for change in plan.changes if change.wish.late)
        for check in plan.service.checks if plan.service.present else ():
            commands.check(check, host)
        plan = plan.reread()  # commands may have changed what units read
        _turn_units(plan, host, progress)
        save(host, plan, plan.final(progress.journal.identity))
    progress.journal.close()
    if plan.leaving:
        plan.leaving.remove(host)
        save(host, plan, Record())
    for name in plan.service.replaces:
        shutil.rmtree(host.places.state / "transactions" / name, ignore_errors=True)
    return progress


def _write(wished: Iterable[Wish]) -> None:
    for wish in wished:
        nodes.write(wish.path, wish.node)


def _protect(plan: Plan, host: Machine, changes: Sequence[Change]) -> Journal:
    """Return the journal with the paths of changes and the state of all units in it."""
    paths = [change.wish.path for change in changes]
    states = {
        unit: UnitBefore(active=state.running and state.loaded, enabled=state.enabled)
        for unit, state in plan.states.items()
    }
    try:
        aside.keep(plan.kept, changes)
        return plan.journal.protect(
            [records.path_of(host.places, plan.service.name), *paths], states
        )
    except OSError as error:
        if not plan.journal.left_over:
            plan.journal.close()
        raise TransactionError(f"{words(error)}\nNothing on the host was changed.") from error


def save(host: Machine, plan: Plan, record: Record) -> None:
    path = records.path_of(host.places, plan.service.name)
    (host.places.state / "services").mkdir(mode=0o700, parents=True, exist_ok=True)
    empty = record == Record(transaction=record.transaction)
    nodes.write(path, nodes.ABSENT if empty else records.dump(record))


def _retire(plan: Plan, host: Machine, progress: Progress, retired: Iterable[str]) -> None:
    actions = plan.actions(plan.intent)
    leaving = [unit for unit in retired if actions.get(unit) == "stopped"]
    progress.reached_units |= bool(leaving)
    progress.actions.update({unit: actions[unit] for unit in leaving})
    units.retire(host, leaving)


def _run_commands(plan: Plan, host: Machine, progress: Progress) -> None:
    """Run what is due, also what became due by the new files; its units are noted beforehand."""
    for command in plan.service.commands if plan.service.present else ():
        if command in plan.due or commands.is_due(command, host, plan.before, plan.planned):
            _note(plan, host, progress, command.reaction)
            if command.at_rest and not progress.at_rest:
                _let_rest(plan, host, progress)
            commands.run(command, host, plan.vault)
            progress.ran.append(" ".join(command.argv))


def _let_rest(plan: Plan, host: Machine, progress: Progress) -> None:
    """Stop what a command must not meet at work; on the way back it runs again."""
    progress.reached_units = progress.at_rest = True
    resting = (*plan.service.units, *plan.replaced)
    units.stop(host, [unit for unit in resting if plan.states[unit].loaded])


def _note(plan: Plan, host: Machine, progress: Progress, reaction: Reaction) -> None:
    noted = progress.record.forget(reaction)
    if noted != progress.record:
        progress.record = noted
        save(host, plan, noted)


def _turn_units(plan: Plan, host: Machine, progress: Progress) -> None:
    actions = plan.actions(progress.record)
    service = plan.service
    if any(units.is_unit_file(path) for path, _unused in progress.journal.entries):
        units.reload_manager(host)
    progress.actions.update(actions)
    progress.reached_units = True
    turning = {unit: action for unit, action in actions.items() if action != "stopped"}
    turned = units.apply(host, turning, service.units if service.present else ())
    for wished in service.health if service.present else ():
        _wait_for(wished, turned, host, progress.began)


def _wait_for(wished: Health, turned: list[str], host: Machine, began: float) -> None:
    """Wait for health; what the units said meanwhile explains why there is none."""
    try:
        health.wait_until_healthy(wished, host, lambda: units.ensure_running(host, turned, began))
    except health.HealthError as error:
        said = units.last_words(host, turned, began) if turned else ""
        raise ServiceError(f"{error}\n{said}".strip()) from error


@dataclass
class _WayBack:
    """Puts the host back when its block fails, and says so in the failure."""

    plan: Plan
    host: Machine
    progress: Progress

    def __enter__(self) -> None:
        return

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            return
        sentence = _put_back(self.plan, self.host, self.progress)
        if isinstance(error, (ServiceError, OSError)):
            raise TransactionError(f"{words(error)}\n{sentence}") from error


def _put_back(plan: Plan, host: Machine, progress: Progress) -> str:
    """Return one sentence about what is as before again, and what is not."""
    try:
        journal = progress.journal
        if progress.reached_units:
            _stop_new_units(host, journal, plan.intent.units)
        paths = journal.restore()
        _clear(plan.service.drafts)
        if any(units.is_unit_file(path) for path in paths):
            units.reload_manager(host)
        running = _run_again(plan, host, progress) if progress.reached_units else []
        journal.close()
    except (ServiceError, OSError) as problem:
        return f"Not everything could be put back ({words(problem)}); the next run tries again."
    return _sentence(
        [path for path in paths if not path.startswith(str(host.places.state))], running
    )


def _clear(drafts: Iterable[Draft]) -> None:
    """Take away what commands left half done: it may be what fills the disk."""
    for draft in drafts:
        current = os.path.join(os.path.dirname(draft.directory), "current")
        runs = os.path.realpath(current) == os.path.realpath(draft.directory)
        if not (runs or (draft.whole and os.path.exists(draft.whole))):
            shutil.rmtree(draft.directory, ignore_errors=True)


def _stop_new_units(host: Machine, journal: Journal, known: Iterable[str]) -> None:
    """Stop and disable what did not run and was not enabled before, while its file stands."""
    states = units.show(host, known)
    before = dict(journal.units)
    fresh = [u for u in states if u in before and states[u].loaded and not before[u].active]
    if fresh:
        host.run(["systemctl", "stop", *fresh])
        host.run(["systemctl", "reset-failed", *fresh])
    enabled = [u for u in states if u in before and states[u].enabled and not before[u].enabled]
    if enabled:
        host.run(["systemctl", "disable", *enabled])


def _run_again(plan: Plan, host: Machine, progress: Progress) -> list[str]:
    """Run again what ran before, with its old files; return those units."""
    journal = progress.journal
    states = units.show(host, dict(journal.units))
    enabled = [u for u, b in journal.units if b.enabled and not states[u].enabled]
    if enabled:
        host.run(["systemctl", "enable", *enabled])
    acted = {unit for unit, action in progress.actions.items() if action != "unchanged"}
    if journal.left_over:
        acted |= plan.before.forgotten
    ran = [u for u, b in journal.units if b.active and (u in acted or not states[u].running)]
    reloaded = [unit for unit in ran if progress.actions.get(unit) == "reloaded"]
    units.apply(
        host,
        {unit: "reloaded" if unit in reloaded else "restarted" for unit in ran},
        own=(),
    )
    return ran


def _sentence(paths: list[str], running: list[str]) -> str:
    parts = []
    if paths:
        parts.append(f"Put back: {', '.join(paths)}.")
    if running:
        parts.append(f"Running as before: {', '.join(running)}.")
    return " ".join(parts) or "Nothing on the host was changed."
