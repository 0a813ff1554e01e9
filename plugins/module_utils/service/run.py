# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a parsed service to the answer; the same shape in success, failure and check mode."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from . import units
from .keys import PUBLIC
from .machine import Machine
from .model import Service, ServiceError
from .needs import Needs, find_needs
from .plan import Plan, make_plan
from .wish import diff, speakable

PATIENCE = 300.0


def make_true(service: Service, host: Machine, *, check: bool, show_diff: bool) -> dict[str, Any]:
    """Make the service true, or say what would change."""
    with _alone(host.places.locks, service.name, needed=not check):
        needs = find_needs(service, host) if service.present else Needs()
        plan = make_plan(service, needs, host, check=check or bool(needs))
        result = _answer(plan, show_diff=show_diff)
        if check:
            return result
        if plan.journal.is_litter:
            plan.journal.close()
        if not (plan.is_change or plan.is_stale):
            return result
        return _change(plan, host, result)


def _change(plan: Plan, host: Machine, result: dict[str, Any]) -> dict[str, Any]:
    from . import transaction  # compiled anew by each task, and few change anything

    if plan.needs:
        archives = bool(plan.needs.packages) and transaction.prepare(plan, host)
        if plan.needs.downloads:
            host.places.downloads.mkdir(mode=0o700, parents=True, exist_ok=True)
        return {**result, "needs": {**_needs(plan.needs), "archives": archives}}
    if not plan.is_change:
        transaction.save(host, plan, plan.final(""))
        return result
    try:
        progress = transaction.carry_out(plan, host)
    except ServiceError as failure:
        said = speakable(str(failure), plan.changes, plan.wished, plan.vault)
        return {**result, "failed": True, "changed": False, "msg": said}
    turned = _worth_saying(plan, progress.actions)
    return {**result, "commands": progress.ran, "units": turned}


def _worth_saying(plan: Plan, actions: dict[str, units.Action]) -> dict[str, units.Action]:
    own = plan.service.units
    return {unit: done for unit, done in actions.items() if done != "unchanged" or unit in own}


def _answer(plan: Plan, *, show_diff: bool) -> dict[str, Any]:
    actions = plan.actions(plan.intent)
    leaving = plan.leaving.copies if plan.leaving else {}
    changed, ours = [change.wish for change in plan.changes], plan.before.files
    return {
        "changed": plan.is_change,
        "packages": {"installed": [], "missing": list(plan.needs.packages)},
        "files": [wish.path for wish in changed if wish.node.kind != "absent"],
        "removed": [*(w.path for w in changed if w.node.kind == "absent"), *leaving],
        "commands": [" ".join(command.argv) for command in plan.due],
        "units": _worth_saying(plan, actions),
        "public": _public_halves(plan),
        "kept": {**plan.kept, **leaving},
        **_warned(plan),
        "diff": [diff(change, plan.vault, ours) for change in plan.changes] if show_diff else [],
    }


def _warned(plan: Plan) -> dict[str, list[str]]:
    """Name what is replaced though somebody else wrote it, and data that goes, for people."""
    said = [
        f"{p} was written by somebody else; a copy is kept as {c}" for p, c in plan.kept.items()
    ]
    if plan.leaving:
        said.append(
            f"the data of {plan.service.name} is removed; a copy is kept in {plan.leaving.place}"
        )
    return {"warnings": said} if said else {}


def _public_halves(plan: Plan) -> dict[str, str]:
    """Return the public half of each key; in check mode that of a missing one is made up."""
    wished = plan.service.secrets if plan.service.present else ()
    keys = (secret.name for secret in wished if secret.kind != "text")
    return {name: plan.vault.value(name + PUBLIC) for name in keys}


def _needs(needs: Needs) -> dict[str, Any]:
    return {
        "packages": list(needs.packages),
        "debconf": list(needs.debconf),
        "groups": list(needs.groups),
        "account": needs.account,
        "downloads": [asdict(entry) for entry in needs.downloads],
    }


@contextlib.contextmanager
def _alone(folder: Path, name: str, *, needed: bool) -> Iterator[None]:
    """Let one run at a time work on a service, also when an older one lost its controller."""
    if not needed:
        yield
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(folder / f"{name}.lock", "w", encoding="ascii") as lock:
        _wait_for(lock, name)
        yield


def _wait_for(lock: IO[str], name: str) -> None:
    end = time.monotonic() + PATIENCE
    while not _is_locked(lock):
        if time.monotonic() >= end:
            raise ServiceError(f"another run has worked on {name} for too long")
        time.sleep(0.2)


def _is_locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
