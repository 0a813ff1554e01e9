# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: everything that would change, computed once, for check mode and for real."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import record as records
from . import units
from .aside import set_aside
from .commands import fingerprint, is_due
from .journal import Journal, open_journal
from .machine import Machine
from .model import Command, Data, Reaction, Service
from .needs import Needs
from .nodes import digest
from .record import Inputs, Record
from .secrets import Vault, open_vault
from .wish import Change, Wish, differences, wishes

if TYPE_CHECKING:
    from .retired import Leaving


@dataclass(frozen=True)
class Plan:
    service: Service
    needs: Needs
    vault: Vault
    wished: tuple[Wish, ...]
    changes: tuple[Change, ...]
    due: tuple[Command, ...]
    before: Record
    states: dict[str, units.State]
    inputs: dict[str, Inputs]
    journal: Journal
    kept: dict[str, str]
    """Where copies of files belong that somebody else wrote and we replace, by their paths."""
    leaving: Leaving | None = None
    """The data that goes with a service that is taken away, if any does."""

    @property
    def intent(self) -> Record:
        """The record while we write: every path that may be ours, no input we may change."""
        intent = replace(
            self.before,
            files={**self.before.files, **_managed(self.wished)},
            folders=tuple(dict.fromkeys((*self.before.folders, *self.made_folders))),
            units=tuple(dict.fromkeys((*self.before.units, *self.service.units))),
            data=self.data,
        )
        for reaction in self.reactions:
            intent = intent.forget(reaction)
        return intent

    @property
    def data(self) -> Data:
        """Return what the record says of data, until it is gone."""
        if self.service.present:
            return self.service.data
        return Data() if self.service.removes_data and not self.leaving else self.before.data

    @property
    def reactions(self) -> tuple[Reaction, ...]:
        changed = (change.wish.reaction for change in self.changes)
        return (*changed, *(command.reaction for command in self.due))

    @property
    def made_folders(self) -> tuple[str, ...]:
        wished = (change.wish for change in self.changes)
        return tuple(w.path for w in wished if w.node.kind == "directory" and not w.keep)

    @property
    def planned(self) -> dict[str, str]:
        """The content that managed files will have, for those who read them."""
        files = (wish for wish in self.wished if wish.node.kind == "file")
        return {wish.path: hashlib.sha256(wish.node.content).hexdigest() for wish in files}

    def actions(self, known: Record) -> dict[str, units.Action]:
        """Return what each unit needs, given the inputs with which it is known to run."""
        own = self.service.units if self.service.present else ()
        retired = (*self.retired, *self.replaced)
        found: dict[str, units.Action] = {}
        for unit, state in self.states.items():
            wished = self.inputs.get(unit, Inputs())
            have = known.inputs.get(unit, Inputs())
            if unit in retired:
                found[unit] = units.retire_action(state)
            elif unit in own:
                found[unit] = units.own_action(state, have, wished)
            else:
                found[unit] = units.foreign_action(state, have, wished)
        return found

    @property
    def retired(self) -> tuple[str, ...]:
        return retired_units(self.service, self.before)

    @property
    def replaced(self) -> tuple[str, ...]:
        """Return the units of others in whose place ours run."""
        return tuple(u for u in self.service.instead_of if u not in self.service.units)

    @property
    def is_change(self) -> bool:
        acting = set(self.actions(self.intent).values()) - {"unchanged"}
        going = self.needs or self.changes or self.due or self.leaving
        return bool(going or acting or self.journal.left_over)

    @property
    def is_stale(self) -> bool:
        """Whether only the record is out of date (nothing on the host would change)."""
        return self.final("") != replace(self.before, transaction="")

    def final(self, transaction: str) -> Record:
        """Return the record of success."""
        if not self.service.present:
            return Record(transaction=transaction, data=self.data)
        present = {wish.path for wish in self.wished if wish.node.kind != "absent"}
        files = {path: r for path, r in _managed(self.wished).items() if path in present}
        above = tuple(f for f in self.intent.folders if any(p.startswith(f + "/") for p in present))
        return Record(
            files=files,
            folders=above,
            units=self.service.units,
            inputs={unit: entry for unit, entry in self.inputs.items() if entry != Inputs()},
            commands=self.prints,
            transaction=transaction,
            data=self.data,
        )

    def reread(self) -> Plan:
        """Return the plan with what units read now."""
        return replace(self, inputs=unit_inputs(self.service, self.wished, self.needs))

    @property
    def prints(self) -> tuple[str, ...]:
        return tuple(sorted({fingerprint(c, self.planned) for c in self.service.commands}))


def make_plan(service: Service, needs: Needs, host: Machine, *, check: bool) -> Plan:
    """Compare the wish with the host, without touching it."""
    before = _remembered(service, host)
    journal = open_journal(host.places.state / "transactions" / service.name, before.transaction)
    vault = open_vault(
        host.places.secrets, service.secrets if service.present else (), host.run, check=check
    )
    wished = tuple(wishes(service, before, vault, host.places, check=check))
    inputs = unit_inputs(service, wished, needs)
    names = {*service.units, *before.units, *service.instead_of, *inputs, *before.inputs}
    states = units.show(host, sorted(names))
    changes = tuple(differences(wished))
    kept = set_aside(changes, before.files, host)
    plan = Plan(service, needs, vault, wished, changes, (), before, states, inputs, journal, kept)
    return replace(plan, due=find_due(plan, host), leaving=_leaving(plan, host))


def _remembered(service: Service, host: Machine) -> Record:
    """Return the record of the service, with those of the services that it replaces."""
    names = (service.name, *service.replaces)
    paths = (records.path_of(host.places, name) for name in names)
    own, *others = map(records.read, paths)
    for other in others:
        own = own.including(other)
    return own


def _leaving(plan: Plan, host: Machine) -> Leaving | None:
    if plan.service.present or not plan.service.removes_data or plan.before.data == Data():
        return None
    from .retired import leaving  # compiled anew by each task, and hardly any removes data

    return leaving(plan.service.name, plan.before.data, host)


def find_due(plan: Plan, host: Machine) -> tuple[Command, ...]:
    commands = plan.service.commands if plan.service.present else ()
    return tuple(c for c in commands if is_due(c, host, plan.before, plan.planned))


def retired_units(service: Service, before: Record) -> tuple[str, ...]:
    """Return the units that were ours, as the record says, and shall run no longer."""
    kept = (*service.units, *service.lets_go) if service.present else ()
    return tuple(unit for unit in before.units if unit not in kept)


def unit_inputs(service: Service, wished: Iterable[Wish], needs: Needs) -> dict[str, Inputs]:
    """Return fingerprints of everything each unit reads: files, watched paths, packages, groups."""
    standing = (wish for wish in wished if wish.node.kind != "absent")
    found = [(wish.reaction, f"{wish.path}={wish.node.fingerprint()}") for wish in standing]
    if service.present:
        found += _foreign_inputs(service, needs)
    readers = {
        unit for reaction, _unused in found for unit in (*reaction.restart, *reaction.reload)
    }
    return {unit: _inputs(unit, found) for unit in sorted(readers)}


def _foreign_inputs(service: Service, needs: Needs) -> list[tuple[Reaction, str]]:
    own = Reaction(restart=service.units)
    groups = sorted(service.account.groups) if service.account else []
    return [
        *((entry.reaction, f"{entry.path}={digest(entry.path)}") for entry in service.watch),
        *((own, f"{name} {version}") for name, version in needs.versions.items()),
        *((own, f"member of {group}") for group in groups),
    ]


def _inputs(unit: str, found: list[tuple[Reaction, str]]) -> Inputs:
    return Inputs(
        restart=_hash(text for reaction, text in found if unit in reaction.restart),
        reload=_hash(text for reaction, text in found if unit in reaction.reload),
    )


def _hash(texts: Iterable[str]) -> str:
    together = "\n".join(sorted(texts))
    return hashlib.sha256(together.encode()).hexdigest() if together else ""


def _managed(wished: Iterable[Wish]) -> dict[str, Reaction]:
    """Return the paths whose removal is ours: files and links, not secrets or directories."""
    files = (wish for wish in wished if wish.node.kind != "directory" and not wish.keep)
    return {wish.path: wish.reaction for wish in files}
