# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commit with proof: a change undoes itself on the host unless a new connection confirms it.

A change passes through directories in /run, so that a boot forgets an unconfirmed one. Renaming
decides: of the confirmation and the timer, the first to rename ``pending`` wins, and the other
finds nothing to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import NoReturn, Protocol

from .ports import Port, changes
from .ssh import configured_ports, lockout, session
from .system import FirewallError, System, require

FOLDER = "/run/homestead-firewall"
PREPARING, PENDING, PROVEN, UNDOING = (
    f"{FOLDER}/{name}" for name in ("preparing", "pending", "proven", "undoing")
)
TIMER = "homestead-firewall-rollback"
UNDO = (
    f"[ -d {UNDOING} ] || mv {PENDING} {UNDOING} 2>/dev/null || exit 0; "
    f"sh {UNDOING}/undo && rm -r {UNDOING}"
)
TOO_LATE = (
    "no new connection confirmed the new rules in time, so the host has put its former rules back"
)


class Backend(Protocol):
    """One firewall program: what is in force, what shall be, and the way between."""

    program: str

    def loaded(self) -> str: ...

    def ports(self) -> list[Port]: ...

    def faults(self, rules: str) -> list[str]: ...

    def check(self, rules: str) -> None: ...

    def save(self, folder: str) -> str: ...

    def load(self, rules: str) -> None: ...

    def keep(self, rules: str) -> None: ...


@dataclass(frozen=True)
class Wish:
    """What shall be true: the ports, and for each backend its rules (none: it is not ours)."""

    ports: list[Port]
    rules: Mapping[str, str]


@dataclass(frozen=True)
class Ticket:
    """Whose change it is, how long it may wait for its proof, and over which connection it came."""

    token: str = ""
    seconds: int = 45
    connection: str = ""


@dataclass(frozen=True)
class Report:
    """What was found: backends with something to do, those not installed, and why."""

    due: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Firewall:
    """The firewall of one host, whatever backends it has."""

    def __init__(self, system: System, *, backends: Mapping[str, Backend]) -> None:
        self._system = system
        self._backends = backends

    def settle(self) -> None:
        """Finish what a run that died has left: an unconfirmed change is undone first."""
        if self._system.names(FOLDER):
            self.undo()
            for folder in (PREPARING, PROVEN):
                self._system.remove(folder)

    def inspect(self, wish: Wish, *, over_ssh: bool) -> Report:
        """Compare the host with the wish, and refuse one that would lock the controller out."""
        faults = {name: self._backends[name].faults(rules) for name, rules in wish.rules.items()}
        due = [name for name in faults if faults[name]]
        if not due:
            return Report()
        if any(wish.rules.values()):
            self._refuse_lockout(wish.ports, over_ssh=over_ssh)
        missing = [name for name in due if wish.rules[name] and not self._installed(name)]
        for name in due:
            if name not in missing:
                self._backends[name].check(wish.rules[name])
        return Report(
            due=due,
            missing=missing,
            changes=self._changes(wish, due=due),
            faults=[fault for name in due for fault in faults[name]],
        )

    def apply(self, wish: Wish, *, due: Sequence[str], ticket: Ticket) -> None:
        """Load the new rules with their undoing armed; they last until then, or until a boot."""
        self._save(due, ticket=ticket)
        self._arm(ticket.seconds)
        try:
            for name in due:
                self._backends[name].load(wish.rules[name])
            self._system.write(f"{PENDING}/loaded", json.dumps(self._loaded(due)))
        except (FirewallError, OSError):
            self.undo()
            raise

    def confirm(self, wish: Wish, *, ticket: Ticket) -> None:
        """Make a change last, now that a new connection has come through it."""
        saved = Ticket(**json.loads(self._system.read(f"{PENDING}/ticket") or "{}"))
        if saved.token != ticket.token:
            raise FirewallError(TOO_LATE)
        if saved.connection and saved.connection == ticket.connection:
            self._give_up(
                "the connection plugin went on with its old connection, which proves nothing"
            )
        loaded = json.loads(self._system.read(f"{PENDING}/loaded") or "{}")
        if self._loaded(loaded) != loaded:
            self._give_up("somebody else changed the rules in the meantime")
        if not self._system.move(PENDING, PROVEN):
            raise FirewallError(TOO_LATE)
        self._disarm()
        self._keep(wish, due=list(loaded))

    def undo(self) -> None:
        """Bring the former rules back now instead of waiting for the timer."""
        self._disarm()
        require(self._system, ["/bin/sh", "-c", UNDO])

    def _changes(self, wish: Wish, *, due: Sequence[str]) -> list[str]:
        """Say what opens and closes; without rules nothing is closed."""
        if not any(wish.rules.values()):
            return []
        former = [port for name in due for port in self._backends[name].ports()]
        return changes(former, wish.ports)

    def _keep(self, wish: Wish, *, due: Sequence[str]) -> None:
        try:
            for name in due:
                self._backends[name].keep(wish.rules[name])
        except (FirewallError, OSError) as error:
            self._system.move(PROVEN, PENDING)
            self._give_up(f"the new rules could not be kept: {error}")
        self._system.remove(PROVEN)

    def _give_up(self, reason: str) -> NoReturn:
        self.undo()
        raise FirewallError(f"{reason}; the former rules are in force again")

    def _save(self, due: Sequence[str], *, ticket: Ticket) -> None:
        self._system.remove(PREPARING)
        self._system.write(f"{PREPARING}/ticket", json.dumps(asdict(ticket)))
        lines = [self._backends[name].save(PREPARING).format(folder=UNDOING) for name in due]
        self._system.write(f"{PREPARING}/undo", "\n".join(lines) + "\n")
        self._system.move(PREPARING, PENDING)

    def _arm(self, seconds: int) -> None:
        command = ["systemd-run", "--quiet", "--collect", f"--unit={TIMER}"]
        timer = [f"--on-active={seconds}", "--timer-property=AccuracySec=100ms"]
        service = ["--property=Restart=on-failure", "--property=RestartSec=3"]
        self._disarm()
        try:
            require(self._system, [*command, *timer, *service, "/bin/sh", "-c", UNDO])
        except FirewallError:
            self._system.remove(PENDING)
            raise

    def _disarm(self) -> None:
        self._system.run(["systemctl", "stop", f"{TIMER}.timer"])

    def _loaded(self, due: Iterable[str]) -> dict[str, str]:
        return {name: self._backends[name].loaded() for name in due}

    def _installed(self, name: str) -> bool:
        return self._system.finds(self._backends[name].program)

    def _refuse_lockout(self, ports: Sequence[Port], *, over_ssh: bool) -> None:
        current = session(self._system.ssh_connection()) if over_ssh else None
        if reason := lockout(ports, current=current, configured=self._ssh_ports()):
            raise FirewallError(f"{reason} Nothing was changed.")

    def _ssh_ports(self) -> list[int]:
        socket = ["systemctl", "show", "--property=ActiveState,Listen", "ssh.socket"]
        shown = self._system.run(socket).output
        if "ActiveState=active" not in shown:
            shown = self._system.run(["sshd", "-T"]).output if self._system.finds("sshd") else ""
        return configured_ports(shown)
