# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts made as wished, several at a time, with passwords from where they are kept."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..service.machine import Places
from ..service.secrets import generate
from .accounts import Account, Wish, full_user_id, outcome, plan
from .interface import HomeserverError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .interface import Homeserver, Secrets

PASSWORDS = Places().state / "passwords"
"""Where passwords wait for an operator, each in a file that has the name of the account."""
PASSWORD_LENGTH = 24
SECRET_LENGTH = 64
TOGETHER = min(8, 2 * (os.cpu_count() or 1))
"""So many accounts are made at a time; what takes the time is one processor for each password."""
TOLD = 10
"""Of so many accounts an error says what is wrong, of all others only their number."""


@dataclass(frozen=True)
class Person:
    """One account as it is wished, and where its password comes from if the wish has none.

    A `secret` of the host is for a program, whose account must not be somebody else's. One that is
    `generated` stands in a file until an operator takes it away.
    """

    name: str
    wish: Wish
    secret: str | None = None
    generated: bool = False


@dataclass(frozen=True)
class Settled:
    """What became of an account, or in check mode would; `file` has its password."""

    user_id: str
    before: Account | None
    after: Account | None
    changed: bool
    file: str | None


@dataclass(frozen=True)
class Registry:
    """A homeserver, if it can be asked already, and the two places for passwords on its host."""

    server: Homeserver | None
    secrets: Secrets
    passwords: Secrets
    check_mode: bool

    def settle(self, persons: Sequence[Person]) -> list[Settled]:
        """Make the accounts as wished; what cannot be made keeps no other from it."""
        user_ids = [self._user_id(person.name) for person in persons]
        if twice := [name for name, times in Counter(user_ids).items() if times > 1]:
            raise HomeserverError(f"{twice[0]} is listed more than once")
        known = self.server.accounts(set(user_ids)) if self.server else {}
        with ThreadPoolExecutor(TOGETHER) as pool:
            done = {
                user_id: pool.submit(self._settle, person, user_id, known.get(user_id))
                for person, user_id in zip(persons, user_ids)
            }
            return _results(done, pool)

    def _user_id(self, name: str) -> str:
        return full_user_id(name, self.server.server_name) if self.server else name

    def _settle(self, person: Person, user_id: str, current: Account | None) -> Settled:
        wish = replace(person.wish, password=self._password(person, user_id, current))
        changes = plan(wish, current, has_email=self._has_email(wish, user_id))
        if changes is not None and self.server and not self.check_mode:
            self._change(self.server, user_id, changes, is_new=current is None)
        file = self._file(file_name(user_id), wish)
        is_new = bool(self.server and self.server.new_account == user_id)
        changed = changes is not None or is_new
        return Settled(user_id, current, outcome(wish, current), changed, file)

    def _has_email(self, wish: Wish, user_id: str) -> bool:
        """Tell whether the account has the address that it shall have; no other may have it."""
        if not (self.server and wish.email and wish.state == "present"):
            return False
        owner = self.server.email_owner(wish.email)
        if owner not in (None, user_id):
            raise HomeserverError(f"{wish.email} belongs to {owner} already")
        return owner == user_id

    def _change(
        self, server: Homeserver, user_id: str, changes: Mapping[str, object], *, is_new: bool
    ) -> None:
        try:
            server.change_account(user_id, changes)
        except UnreachableError:
            raise  # perhaps after the account was made
        except HomeserverError:
            if is_new:
                self.passwords.write(file_name(user_id), "")
            raise

    def _file(self, name: str, wish: Wish) -> str | None:
        """Return where the password lies; that of nobody goes."""
        if wish.state == "present":
            return str(PASSWORDS / name) if self.passwords.read(name) else None
        if not self.check_mode and self.passwords.read(name):
            self.passwords.write(name, "")
        return None

    def _password(self, person: Person, user_id: str, current: Account | None) -> str | None:
        if person.secret is not None:
            return self._secret(person.secret, user_id, current)
        if person.generated and person.wish.sets_password(current):
            return self._generated(file_name(user_id), anew=person.wish.always)
        return person.wish.password

    def _secret(self, name: str, user_id: str, current: Account | None) -> str:
        """Return the password that this host keeps, made before the account: no run loses it."""
        password = self.secrets.read(name)
        if password is None and current is not None and not current.deactivated:
            raise HomeserverError(
                f"{user_id} exists, and this host does not have its password: deactivate it if "
                f"nobody uses it, or write its password to {Places().secrets / name}, readable by "
                "root only"
            )
        return password or self._made(self.secrets, name, SECRET_LENGTH)

    def _generated(self, name: str, *, anew: bool) -> str:
        """Return a password that is in its file; that of a run which died is used now."""
        waiting = None if anew else self.passwords.read(name)
        return waiting or self._made(self.passwords, name, PASSWORD_LENGTH)

    def _made(self, place: Secrets, name: str, length: int) -> str:
        password = generate(length)
        if not self.check_mode:
            place.write(name, password)
        return password


def file_name(user_id: str) -> str:
    """Return the name of the account's file: its local name, which may hold slashes and dots."""
    localpart = user_id.partition(":")[0].lstrip("@")
    return quote(localpart, safe="") if localpart.strip(".") else localpart.replace(".", "%2E")


def _results(done: dict[str, Future[Settled]], pool: ThreadPoolExecutor) -> list[Settled]:
    """Return what became of each, or raise one error that says what is wrong with which."""
    faults = {}
    for user_id, future in done.items():
        error = future.exception()
        if isinstance(error, HomeserverError) and not isinstance(error, UnreachableError):
            faults[user_id] = str(error)
        elif error is not None:  # which the others would meet as well
            pool.shutdown(cancel_futures=True)
            raise error
    if faults and len(done) > 1:
        raise HomeserverError(_told(faults, len(done)))
    return [future.result() for future in done.values()]


def _told(faults: dict[str, str], count: int) -> str:
    said = [
        fault if fault.startswith(user_id) else f"{user_id}: {fault}"
        for user_id, fault in faults.items()
    ]
    more = [f"and {len(said) - TOLD} more"] if len(said) > TOLD else []
    lines = "".join(f"\n- {line}" for line in [*said[:TOLD], *more])
    return f"{len(faults)} of {count} accounts are not as wished; the others are:{lines}"
