# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has an account and who is an administrator; no sentence here repeats a password."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...module_utils.homeserver.interface import ADMINISTRATOR
from ...module_utils.names import USER_ID_OCTETS, email_fault, user_id_fault
from . import values
from .components import COMPONENTS

DEFAULTS: dict[str, object] = {"admins": [], "users": [], "users_file": ""}
COLUMNS = ("name", "displayname", "admin", "state", "email", "password")
STATES = ("present", "deactivated")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 512
LONGEST_DISPLAYNAME = 256

Entry = tuple[str, Mapping[str, object]]
"""Where something stands, as a sentence begins with it, and what stands there."""


@dataclass(frozen=True)
class Account:
    """An account by its local name; what is None stays as it is."""

    name: str
    state: str = "present"
    admin: bool | None = None
    displayname: str | None = None
    email: str | None = None
    password: str | None = field(default=None, repr=False)

    def as_user(self) -> dict[str, Any]:
        """Return it as the module `user` has it; who cannot set a password gets one made."""
        own = {key: value for key, value in vars(self).items() if value is not None}
        made = {} if self.password or self.email else {"generate_password": True}
        return {**own, **made}


def read_accounts(
    domain: str, components: Iterable[str], given: Mapping[str, object]
) -> tuple[Account, ...]:
    """Read the accounts of all three inputs, or raise a ValueError of a sentence for each fault."""
    names = _Names(domain, tuple(components))
    faults = values.Faults()
    entries = faults.read(_entries, "matrix_users", given["users"]) or []
    entries += faults.read(_lines, "matrix_users_file", given["users_file"]) or []
    read = [(where, faults.read(_account, where, entry, names)) for where, entry in entries]
    admins = faults.read(_admins, "matrix_admins", given["admins"], names) or []
    accounts = [(where, account) for where, account in read if account is not None]
    faults.add(list(_twice(accounts)))
    faults.add(list(_unreached(accounts, given)))
    faults.add(list(_contradictions(accounts, admins)))
    faults.check()
    known = {account.name: account for _where, account in accounts}
    rights = {name: replace(known.get(name, Account(name)), admin=True) for name in admins}
    return tuple({**known, **rights}.values())


def _entries(variable: str, value: object) -> list[Entry]:
    if not isinstance(value, (list, tuple)):
        raise ValueError(  # noqa: TRY004 what an operator wrote, in one sentence
            f"{variable} must be a list with an entry like {{name: alice}} for each account."
        )
    named = [(f"Entry {number} of {variable}", item) for number, item in enumerate(value, start=1)]
    values.refuse(
        f"{where} must be a dictionary like {{name: alice}}."
        for where, item in named
        if not isinstance(item, Mapping)
    )
    values.refuse(
        f"{where} has the unknown key {key!r}; write {values.listed(COLUMNS)}."
        for where, item in named
        for key in item
        if key not in COLUMNS
    )
    return named


def _lines(variable: str, value: object) -> list[Entry]:
    """Read a file of comma-separated values (RFC 4180), whose first line names the columns."""
    if not value:
        return []
    rows = _rows(variable, str(value))
    header = [cell.strip() for cell in next(rows, (0, []))[1]]
    values.refuse(_header_faults(variable, header))
    lines = [(f"Line {number} of {variable}", row) for number, row in rows]
    values.refuse(
        f"{where} has {len(row)} values, but the first line names {len(header)} columns."
        for where, row in lines
        if len(row) != len(header)
    )
    return [
        (where, {key: cell.strip() or None for key, cell in zip(header, row)})
        for where, row in lines
    ]


def _rows(variable: str, path: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that are not empty, each with the number of its last line."""
    reader = csv.reader(io.StringIO(_text(variable, path), newline=""), strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(f"Line {reader.line_num} of {variable} is wrong: {error}.") from None


def _text(variable: str, path: str) -> str:
    if not path.startswith("/"):
        raise ValueError(
            f"{variable} cannot be {path!r}; write the whole path on the controller, like "
            f"{{{{ inventory_dir }}}}/{path}."
        )
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(
            f"{variable} is {path!r}, which the controller cannot read: {error.strerror}."
        ) from None
    except UnicodeDecodeError:
        raise ValueError(f"{variable} is {path!r}, which is no text in UTF-8.") from None
    if text.startswith("$ANSIBLE_VAULT"):
        raise ValueError(
            f"{variable} is {path!r}, which is encrypted as a whole; leave passwords out of it, "
            "or put these accounts into matrix_users, with passwords from a vault."
        )
    return text


def _header_faults(variable: str, header: list[str]) -> Iterator[str]:
    known = f"its first line names columns, like {','.join(COLUMNS)}"
    if "name" not in header:
        yield f"{variable} has no column 'name'; {known}."
    for column, times in Counter(header).items():
        if "name" in header and column not in COLUMNS:
            yield f"{variable} has the unknown column {column!r}; {known}."
        elif times > 1:
            yield f"{variable} has the column {column!r} {times} times; {known}, each once."


def _account(where: str, entry: Mapping[str, object], names: _Names) -> Account:
    name = names.read(where, entry.get("name"))
    state = entry.get("state")
    if state not in (None, *STATES):
        raise ValueError(f"{where} has a wrong state; choose {values.listed(STATES)}.")
    return Account(
        name=name,
        state=str(state or "present"),
        admin=_admin(where, entry.get("admin")),
        displayname=_displayname(where, entry.get("displayname")),
        email=_email(where, entry.get("email")),
        password=_password(where, entry.get("password"), name),
    )


def _admin(where: str, value: object) -> bool | None:
    try:
        return None if value is None else values.boolean("admin", value)
    except ValueError:
        raise ValueError(f"{where} has a wrong admin; write true or false.") from None


def _displayname(where: str, value: object) -> str | None:
    if value is None:
        return None
    if value and values.is_line(value) and len(str(value)) <= LONGEST_DISPLAYNAME:
        return str(value)
    raise ValueError(
        f"{where} has a wrong displayname; write one line of at most {LONGEST_DISPLAYNAME} "
        "characters, in quotes."
    )


def _email(where: str, value: object) -> str | None:
    fault = None if value is None else email_fault(value)
    if fault is not None and fault.severity == "error":
        raise ValueError(f"{where} has a wrong email: {fault.message}.")
    return None if value is None else str(value)


def _password(where: str, value: object, name: str) -> str | None:
    if value is None:
        return None
    if not (value and values.is_line(value)):
        raise ValueError(f"{where} has a wrong password; write one line of text, in quotes.")
    if not SHORTEST_PASSWORD <= len(str(value)) <= LONGEST_PASSWORD:
        raise ValueError(
            f"{where} has a password that is too short or too long; write {SHORTEST_PASSWORD} to "
            f"{LONGEST_PASSWORD} characters, or none, and the host makes one."
        )
    if name in str(value).lower():
        raise ValueError(f"{where} has a password with the name in it; choose another.")
    return str(value)


def _admins(variable: str, value: object, names: _Names) -> list[str]:
    faults = values.Faults()
    read = [faults.read(names.read, variable, item) for item in values.items(variable, value)]
    faults.check()
    admins = [name for name in read if name is not None]
    twice = [(name, times) for name, times in Counter(admins).items() if times > 1]
    values.refuse(
        f"{variable} lists {name!r} {times} times; list it once." for name, times in twice
    )
    return admins


def _twice(accounts: Collection[tuple[str, Account]]) -> Iterator[str]:
    first: dict[str, str] = {}
    for where, account in accounts:
        if account.name in first:
            yield f"{where} is {account.name!r} like {first[account.name]}; keep one of them."
        first.setdefault(account.name, where[0].lower() + where[1:])


def _unreached(
    accounts: Collection[tuple[str, Account]], given: Mapping[str, object]
) -> Iterator[str]:
    """Yield a sentence for each address that is somebody else's too, or gets no e-mail."""
    first: dict[str, str] = {}
    written = [(where, account.email.casefold()) for where, account in accounts if account.email]
    for where, email in written:
        if not given["smtp"]:
            yield f"{where} has an email, which needs matrix_smtp; set that, or take it out."
        elif email in first:
            yield f"{where} has the email of {first[email]}; each account needs one of its own."
        first.setdefault(email, where[0].lower() + where[1:])


def _contradictions(
    accounts: Iterable[tuple[str, Account]], admins: Collection[str]
) -> Iterator[str]:
    """Yield a sentence for each administrator who is none, or is not there."""
    for where, account in accounts:
        if account.name in admins and account.admin is False:
            yield f"{where} is no administrator, but matrix_admins lists it; choose one."
        is_admin = account.admin or account.name in admins
        if is_admin and account.state == "deactivated":
            yield f"{where} is {account.name!r}, deactivated and an administrator; choose one."


@dataclass(frozen=True)
class _Names:
    """What a new account of the server may be called (appendices, User Identifiers)."""

    domain: str
    components: tuple[str, ...]

    def read(self, where: str, value: object) -> str:
        """Read a local name, or a Matrix ID of this server's."""
        text = "" if value is None else str(value)
        if not text:
            raise ValueError(f"{where} has no name; write one like alice.")
        name = self._local(where, text)
        if fault := self._fault(name):
            raise ValueError(f"{where} has the name {text!r}, {fault}.")
        return name

    def _local(self, where: str, text: str) -> str:
        if not text.startswith("@") or ":" not in text:
            return text
        name, server = text[1:].split(":", 1)
        if server != self.domain:
            raise ValueError(
                f"{where} has {text!r}, an account of another server; list those of "
                f"{self.domain} only."
            )
        return name

    def _fault(self, name: str) -> str:
        """Return what is wrong with a local name; Synapse refuses all of this as well."""
        if len(f"@{name}:{self.domain}".encode()) > USER_ID_OCTETS:
            return f"which is too long: with the domain it may have {USER_ID_OCTETS} bytes"
        if ":" in name or user_id_fault(f"@{name}:example.com") is not None:
            return "but names consist of a-z, 0-9 and . _ = - / +"
        if name.startswith("_"):
            return "but only application services have names that begin with _"
        if name.isdigit():
            return "but only guests have names of digits; add a letter"
        if name == ADMINISTRATOR:
            return "the account by which the host itself works; take it out"
        if owner := self._owner(name):
            return f"which belongs to {owner!r}; choose another"
        return ""

    def _owner(self, name: str) -> str:
        for row in (COMPONENTS[component] for component in self.components):
            service = row.application_service
            if row.bot is not None and row.bot.name == name:
                return row.name
            if service and (service.sender == name or re.fullmatch(service.users, name)):
                return row.name
        return ""
