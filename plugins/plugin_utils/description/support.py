# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom to ask about a server (client-server API, GET /.well-known/matrix/support)."""

from __future__ import annotations

from typing import Callable

from ...module_utils import names
from . import values

_WAYS: dict[str, Callable[[object], names.NameFault | None]] = {
    "matrix_id": names.user_id_fault,
    "email_address": names.email_fault,
}
_CONTACT_KEYS = (*_WAYS, "role")
_KEYS = ("contacts", "support_page")


def read_support(variable: str, value: object) -> dict[str, object]:
    """Read the document that is published; nothing said is nothing published."""
    given = _present(values.mapping(variable, value))
    if not given:
        return {}
    _refuse_unknown(variable, given, _KEYS)
    if not given.get("contacts") and "support_page" not in given:
        raise ValueError(f"{variable} needs at least one contact or a support_page.")
    faults = values.Faults()
    contacts = faults.read(_read_contacts, given.pop("contacts", []))
    if "support_page" in given:
        faults.read(_read_page, given["support_page"])
    faults.check()
    return {"contacts": contacts, **given} if contacts else given


def _read_contacts(value: object) -> list[dict[str, object]]:
    faults = values.Faults()
    contacts: list[dict[str, object]] = []
    for number, item in enumerate(values.items("matrix_support.contacts", value), start=1):
        contact = faults.read(_read_contact, f"Contact {number} of matrix_support", item) or {}
        if contact and contact in contacts:
            faults.add([f"Contact {number} of matrix_support is listed twice; list it once."])
        contacts.append(contact)
    faults.check()
    return contacts


def _read_contact(variable: str, item: object) -> dict[str, object]:
    contact = _present(values.mapping(variable, item))
    _refuse_unknown(variable, contact, _CONTACT_KEYS)
    ways = [key for key in _WAYS if key in contact]
    faults = [_role_sentence(variable, contact.get("role"))]
    faults += [_sentence(variable, _WAYS[key](contact[key])) for key in ways]
    if not ways:
        faults.append(f"{variable} cannot be reached; give it a matrix_id or an email_address.")
    values.refuse([fault for fault in faults if fault])
    return {key: contact[key] for key in (*ways, *(key for key in contact if key not in ways))}


def _role_sentence(variable: str, role: object) -> str:
    """Refuse also roles that only warn: nobody would look for them."""
    if role is None:
        return f"{variable} has no role; write {values.listed(names.ROLES)}."
    fault = names.role_fault(role)
    if fault is None or fault.severity == "info":
        return ""
    return f"{variable} has a wrong role: {fault.message}."


def _sentence(variable: str, fault: names.NameFault | None) -> str:
    """Refuse errors; what only warns may be an old account."""
    if fault is None or fault.severity != "error":
        return ""
    return f"{variable} is wrong: {fault.message}."


def _read_page(value: object) -> None:
    fault = names.page_fault(value)
    if fault is not None and fault.severity == "error":
        raise ValueError(f"matrix_support.support_page is wrong: {fault.message}.")


def _refuse_unknown(variable: str, given: dict[str, object], known: tuple[str, ...]) -> None:
    """Refuse keys of nobody; keys with a dot are extensions and pass."""
    unknown = sorted(key for key in given if key not in known and "." not in key)
    if unknown:
        raise ValueError(
            f"{variable} has the unknown key {unknown[0]!r}; write {values.listed(known)}."
        )


def _present(given: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in given.items() if value is not None}
