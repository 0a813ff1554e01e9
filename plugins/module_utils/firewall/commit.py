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

from ..already_there import Found
from . import others
from .openings import Opening, changes
from .proof import Proof
from .ssh import configured_ports, lockout, session
from .system import FirewallError, Rules, System, require

ALREADY_THERE = (
    Found(
        "ufw or firewalld, active, and another `matrix_firewall` chosen",
        "refuses",
        "choose the one that is there, or disable it",
    ),
    Found(
        "ufw or firewalld, active and chosen",
        "adopts",
        "its former rules come back with `matrix_firewall: none`",
    ),
    Found(
        "a program that listens, and no firewall yet",
        "leaves alone",
        "strangers reach it no more unless `firewall_extra_ports` has it; the first diff names it",
    ),
)
FOLDER = "/run/homestead-firewall"
PREPARING, PENDING, PROVEN, UNDOING = (
    f"{FOLDER}/{name}" for name in ("preparing", "pending", "proven", "undoing")
)
LOCK = f"{FOLDER}.lock"
TIMER = "homestead-firewall-rollback"
UNDO = f"{FOLDER}.undo"
UNDO_SCRIPT = f"""\
# Brings the former rules back unless the new ones were confirmed.
[ -d {UNDOING} ] || mv {PENDING} {UNDOING} 2>/dev/null || exit 0
timeout 20 sh {UNDOING}/undo && rm -r {UNDOING}
"""
LONGEST = 60  # seconds after which a change without proof is undone, by whatever clock
ANSWERED = {"udp 68", "udp 546"}  # DHCP, which every host needs and gets
TOO_LATE = (
    "no new connection confirmed the new rules in time, so the host has put its former rules back"
)
THROUGH = (
    "; meanwhile packets came to {}, which the new rules do not open: if the way to this host is a "
    "tunnel that ends on it, list that in firewall_extra_ports"
)


class Backend(Protocol):
    """One firewall program: what is in force, what shall be, and the way between."""

    program: str

    def loaded(self) -> str:
        """Return our part of the rules as the kernel holds them."""

    def ports(self) -> list[Opening]:
        """Return the ports that the loaded rules open, whoever wrote them."""

    def faults(self, rules: Rules) -> list[str]:
        """Say what keeps these rules from being in force now and after the next boot."""

    def filters_alone(self) -> bool:
        """Tell whether the program filters this host without rules of ours."""

    def prepare(self) -> None:
        """Keep the program from filtering by itself as soon as it gets installed."""

    def check(self, rules: Rules) -> None:
        """Let the program judge the rules without loading them."""

    def save(self, folder: str) -> str:
        """Save what is in force and return the shell script that brings it back."""

    def load(self, rules: Rules, *, folder: str) -> None:
        """Put the rules in force until the next boot; the folder is the one that was saved to."""

    def keep(self, rules: Rules, *, folder: str) -> None:
        """Make the rules in force last over a boot."""


@dataclass(frozen=True)
class Intent:
    """What shall be true: the ports, and for each backend its rules (none: it is not ours)."""

    ports: list[Opening]
    rules: Mapping[str, Rules]


@dataclass(frozen=True)
class Ticket:
    """Whose change it is, how long it may wait for its proof, and over which connection it came."""

    token: str = ""
    seconds: int = 45
    connection: str = ""


@dataclass(frozen=True)
class Survey:
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
        self._proof = Proof(system)

    def wait(self) -> None:
        """Wait until a change that another run has made, or that died with it, is over."""
        self._system.wait(lambda: not self._is_waiting(), seconds=LONGEST)

    def _is_waiting(self) -> bool:
        return bool(self._system.names(PENDING) or self._system.names(UNDOING))

    def settle(self) -> None:
        """Finish what a run that died has left: keep what was proven, undo everything else."""
        if self._system.read(f"{PROVEN}/rules"):
            self._keep()
        elif self._is_waiting():
            self.undo()
        self._system.remove(PREPARING)

    def inspect(self, wish: Intent, *, over_ssh: bool) -> Survey:
        """Compare the host with the wish, and refuse one that would lock the controller out."""
        faults = {name: self._backends[name].faults(rules) for name, rules in wish.rules.items()}
        # What comes is loaded before what goes, so that nothing stands open in between.
        due = sorted(filter(faults.get, faults), key=lambda name: not wish.rules[name])
        if not due:
            return Survey()
        if any(wish.rules.values()):
            self._refuse_lockout(wish.ports, over_ssh=over_ssh)
            self._refuse_two_firewalls(wish)
            self._refuse_shut_out(wish.ports)
        # The proof of new rules is a table of nftables, whatever holds them.
        comes = {name for name in due if wish.rules[name]} | {"nftables"}
        wanted = comes if any(wish.rules.values()) else set()
        missing = sorted(name for name in wanted if not self._installed(name))
        for name in due:
            if name not in missing:
                self._backends[name].check(wish.rules[name])
        return Survey(
            due=due,
            missing=missing,
            changes=self._changes(wish),
            faults=[fault for name in due for fault in faults[name]],
        )

    def apply(self, wish: Intent, *, ticket: Ticket, over_ssh: bool) -> Survey:
        """Do what is due: prepare for programs that are missing, or else load the new rules.

        Their undoing is armed before: they last until then, or until a boot.
        """
        self.settle()
        report = self.inspect(wish, over_ssh=over_ssh)
        for name in report.missing:
            self._backends[name].prepare()
        if report.due and not report.missing:
            rules = {name: wish.rules[name] for name in report.due}
            self._load_with_undoing(rules, ports=wish.ports, ticket=ticket)
        return report

    def _load_with_undoing(
        self, rules: Mapping[str, Rules], *, ports: Sequence[Opening], ticket: Ticket
    ) -> None:
        self._system.write(UNDO, UNDO_SCRIPT)
        try:
            # Before anything is saved: a run that dies leaves nothing for which others would wait.
            self._arm(ticket.seconds)
            self._save(rules, ports=ports, ticket=ticket)
            with self._system.within(ticket.seconds):
                self._proof.begin(PENDING)
                self._load(rules)
        except (FirewallError, OSError) as error:
            self._give_up(str(error))

    def confirm(self, *, ticket: Ticket) -> None:
        """Make a change last, now that a new connection has come through it."""
        saved = Ticket(**json.loads(self._system.read(f"{PENDING}/ticket") or "{}"))
        if saved.token != ticket.token:
            raise FirewallError(self._too_late())
        if saved.connection and saved.connection == ticket.connection:
            self._give_up(
                "the connection plugin went on with its old connection, which proves nothing"
            )
        loaded = json.loads(self._system.read(f"{PENDING}/loaded") or "{}")
        if self._loaded(loaded) != loaded:
            self._give_up("somebody else changed the rules in the meantime")
        if not self._system.move(PENDING, PROVEN):
            raise FirewallError(self._too_late())
        self._disarm()
        self._keep()

    def undo(self) -> None:
        """Bring the former rules back now; if that fails, the timer goes on trying."""
        require(self._system, ["/bin/sh", UNDO])
        self._disarm()

    def _too_late(self) -> str:
        seen = self._proof.told()
        return TOO_LATE + (THROUGH.format(", ".join(seen)) if seen else "")

    def _load(self, rules: Mapping[str, Rules]) -> None:
        for name, files in rules.items():
            self._backends[name].load(files, folder=PENDING)
        self._system.write(f"{PENDING}/loaded", json.dumps(self._loaded(rules)))

    def _changes(self, wish: Intent) -> list[str]:
        """Say what opens and closes; without rules nothing is closed."""
        if not any(wish.rules.values()):
            return []
        former = [port for name in wish.rules for port in self._backends[name].ports()]
        return changes(former, wish.ports) + ([] if former else self._shut_off(wish.ports))

    def _shut_off(self, ports: Sequence[Opening]) -> list[str]:
        """Say which programs nobody will reach any more, where nothing filters yet."""
        found = sorted(self._system.listening().items(), key=lambda row: int(row[0].split()[1]))
        return [
            f"- {place} {program}, which listens there"
            for place, program in found
            if place not in ANSWERED and not any(port.covers(place) for port in ports)
        ]

    def _keep(self) -> None:
        rules = json.loads(self._system.read(f"{PROVEN}/rules") or "{}")
        try:
            self._proof.end(PROVEN)
            for name, files in rules.items():
                self._backends[name].keep(files, folder=PROVEN)
        except (FirewallError, OSError) as error:
            self._system.move(PROVEN, PENDING)
            self._give_up(f"the new rules could not be kept: {error}")
        self._system.remove(PROVEN)

    def _give_up(self, reason: str) -> NoReturn:
        try:
            self.undo()
        except FirewallError as error:
            raise FirewallError(
                f"{reason}; the former rules are not back yet ({error}), the host goes on trying"
            ) from None
        raise FirewallError(f"{reason}; the former rules are in force again")

    def _save(
        self, rules: Mapping[str, Rules], *, ports: Sequence[Opening], ticket: Ticket
    ) -> None:
        """Save what is in force, and how to bring it back; what goes comes back first."""
        self._system.remove(PREPARING)
        self._system.write(f"{PREPARING}/ticket", json.dumps(asdict(ticket)))
        self._system.write(f"{PREPARING}/rules", json.dumps(rules))
        scripts = [self._backends[name].save(PREPARING) for name in reversed(list(rules))]
        scripts.append(self._proof.save(PREPARING, ports=ports))
        lines = ["failed=0", *(f"(\n{script}\n) || failed=1" for script in scripts), "exit $failed"]
        undo = "\n".join(lines).replace(PREPARING, UNDOING)
        self._system.write(f"{PREPARING}/undo", f"{undo}\n")
        self._system.move(PREPARING, PENDING)

    def _arm(self, seconds: int) -> None:
        command = ["systemd-run", "--quiet", "--collect", f"--unit={TIMER}"]
        timer = [f"--on-active={seconds}", "--timer-property=AccuracySec=100ms"]
        service = ["--property=Restart=on-failure", "--property=RestartSec=3"]
        self._disarm()
        # The lock makes the undoing wait for a load or a confirmation that is under way.
        require(self._system, [*command, *timer, *service, "flock", LOCK, "/bin/sh", UNDO])

    def _disarm(self) -> None:
        self._system.run(["systemctl", "stop", f"{TIMER}.timer", f"{TIMER}.service"])

    def _loaded(self, due: Iterable[str]) -> dict[str, str]:
        return {name: self._backends[name].loaded() for name in due}

    def _installed(self, name: str) -> bool:
        return self._system.finds(self._backends[name].program)

    def _refuse_lockout(self, ports: Sequence[Opening], *, over_ssh: bool) -> None:
        current = session(self._system.ssh_connection()) if over_ssh else None
        if reason := lockout(ports, current=current, configured=self._ssh_ports()):
            raise FirewallError(f"{reason} Nothing was changed.")

    def _refuse_two_firewalls(self, wish: Intent) -> None:
        for name, rules in wish.rules.items():
            if not rules and self._backends[name].filters_alone():
                raise FirewallError(
                    f"{name} filters this host already and would go on doing so beside the new "
                    f"rules. Nothing was changed. Write matrix_firewall: {name}, or disable {name}."
                )

    def _refuse_shut_out(self, ports: Sequence[Opening]) -> None:
        if sentences := others.told(others.chains(self._system), ports):
            raise FirewallError(" ".join(sentences))

    def _ssh_ports(self) -> list[int]:
        socket = ["systemctl", "show", "--property=ActiveState,Listen", "ssh.socket"]
        shown = self._system.run(socket).output
        if "ActiveState=active" not in shown:
            shown = self._system.run(["sshd", "-T"]).output if self._system.finds("sshd") else ""
        return configured_ports(shown)
