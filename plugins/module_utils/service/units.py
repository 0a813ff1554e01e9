# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units: how they are, what they need, and making it so."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from . import workers
from .machine import Machine
from .model import ServiceError
from .record import Inputs

Action = Literal["started", "restarted", "reloaded", "enabled", "stopped", "unchanged"]

_PROPERTIES = "LoadState,ActiveState,SubState,UnitFileState,Type,RemainAfterExit,Result,NRestarts"
_UNIT_FOLDERS = ("/etc/systemd/system/", "/usr/lib/systemd/system/", "/run/systemd/system/")


@dataclass(frozen=True)
class State:
    """What `systemctl show` says of a unit."""

    loaded: bool
    active: str
    sub: str
    file: str
    passing: bool
    result: str
    restarts: int

    @property
    def running(self) -> bool:
        """Active, or a unit of one pass that has passed."""
        if self.active in ("active", "reloading", "refreshing"):
            return True
        return self.passing and self.active == "inactive" and self.result == "success"

    @property
    def enabled(self) -> bool:
        return self.loaded and self.file not in ("disabled", "linked", "linked-runtime", "masked")


def is_unit_file(path: str) -> bool:
    return path.startswith(_UNIT_FOLDERS)


def show(host: Machine, units: Iterable[str]) -> dict[str, State]:
    """Return the states of all these units with one call."""
    names = list(dict.fromkeys(units))
    if not names:
        return {}
    outcome = host.run(["systemctl", "show", f"--property={_PROPERTIES}", *names])
    blocks = outcome.output.strip().split("\n\n")
    if outcome.code != 0 or len(blocks) != len(names):
        raise ServiceError(f"systemctl show failed: {outcome.last_words()}")
    return {name: _state(block) for name, block in zip(names, blocks)}


def _state(block: str) -> State:
    said = dict(line.partition("=")[::2] for line in block.splitlines())
    return State(
        loaded=said.get("LoadState") in ("loaded", "masked"),
        active=said.get("ActiveState", ""),
        sub=said.get("SubState", ""),
        file=said.get("UnitFileState", ""),
        passing=said.get("Type") == "oneshot" and said.get("RemainAfterExit") == "no",
        result=said.get("Result", ""),
        restarts=int(said.get("NRestarts", "0") or 0),
    )


def own_action(state: State, known: Inputs, wished: Inputs) -> Action:
    """Return what a unit of the service itself needs."""
    if not state.running or not state.loaded:
        return "started"
    if known.restart != wished.restart:
        return "restarted"
    if known.reload != wished.reload:
        return "reloaded"
    return "unchanged" if state.enabled else "enabled"


def foreign_action(state: State, known: Inputs, wished: Inputs) -> Action:
    """Return what a unit of another service needs; one that does not run needs nothing."""
    if not state.running or not state.loaded:
        return "unchanged"
    if known.restart != wished.restart:
        return "restarted"
    return "reloaded" if known.reload != wished.reload else "unchanged"


def retire_action(state: State) -> Action:
    stopped = state.active in ("", "inactive", "failed")
    return "unchanged" if stopped and not state.file.startswith("enabled") else "stopped"


def retire(host: Machine, units: list[str]) -> None:
    """Stop and disable units, while their files still stand."""
    if not units:
        return
    stop(host, units)
    enabled = [
        unit for unit, state in show(host, units).items() if state.file.startswith("enabled")
    ]
    if enabled:
        _systemctl(host, "disable", *enabled)


def stop(host: Machine, units: Iterable[str]) -> None:
    if names := list(units):
        _systemctl(host, "stop", *names)


def apply(host: Machine, actions: Mapping[str, Action], own: tuple[str, ...]) -> list[str]:
    """Enable, restart and reload, make sure that all of it stays up, and return what was turned."""
    chosen: dict[Action, list[str]] = {}
    for unit, action in actions.items():
        chosen.setdefault(action, []).append(unit)
    began = time.time()
    states = show(host, own)
    disabled = [unit for unit in own if not states[unit].enabled]
    if disabled:
        _systemctl(host, "enable", *disabled)
    fresh = [*chosen.get("started", ()), *chosen.get("restarted", ())]
    _turn(host, "restart", fresh, began)
    _turn(host, "reload-or-restart", chosen.get("reloaded", []), began)
    turned = [*fresh, *chosen.get("reloaded", ())]
    settle(host, turned, began)
    return turned


def _turn(host: Machine, verb: str, units: list[str], began: float) -> None:
    if not units:
        return
    before = workers.look(host, units) if verb == "reload-or-restart" else []
    host.run(["systemctl", "reset-failed", *units])
    outcome = host.run(["systemctl", verb, *units])
    if outcome.code != 0:
        raise ServiceError(last_words(host, units, began) or outcome.last_words())
    workers.wait_for_new_ones(host, before)


def settle(host: Machine, units: list[str], began: float) -> None:
    """Watch the units for a moment: a program that dies right after its start has failed."""
    end = time.monotonic() + (host.settle if units else 0)
    while units:
        ensure_running(host, units, began)
        if time.monotonic() >= end:
            return
        time.sleep(0.1)


def ensure_running(host: Machine, units: Iterable[str], began: float) -> None:
    """Raise the last words of the first unit that does not run or had to be started again."""
    for unit, state in show(host, units).items():
        if not state.running or state.restarts:
            words = last_words(host, [unit], began)
            raise ServiceError(f"{unit} does not stay up: {words or state.sub}")


def last_words(host: Machine, units: list[str], began: float) -> str:
    """Return what the units that do not run wrote to the journal since `began`."""
    states = show(host, units)
    guilty = [unit for unit in units if not states[unit].running] or units
    options = [f"--unit={unit}" for unit in guilty]
    since = f"--since=@{began:.6f}"
    show_journal = ["journalctl", "--no-pager", "--output=cat", "--lines=20", since, *options]
    host.run(["journalctl", "--sync"])
    return host.run(show_journal).last_words()


def reload_manager(host: Machine) -> None:
    _systemctl(host, "daemon-reload")


def _systemctl(host: Machine, *words: str) -> None:
    outcome = host.run(["systemctl", *words])
    if outcome.code != 0:
        raise ServiceError(f"systemctl {' '.join(words)}: {outcome.last_words()}")
