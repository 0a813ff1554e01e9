# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom to ask about a server (client-server API, GET /.well-known/matrix/support)."""

from __future__ import annotations

from . import values
from .documents import refuse_faulty

_WAYS = ("matrix_id", "email_address")
_CONTACT_KEYS = (*_WAYS, "role")
_KEYS = ("contacts", "support_page")


def read_support(variable: str, value: object) -> dict[str, object]:
    """Read the document that is published; nothing said is nothing published."""
    given = _present(values.mapping(variable, value))
    if not given:
        return {}
    from ...module_utils.verify.documents.contacts import judge_support

    _refuse_unknown(variable, given, _KEYS)
    items = values.items(f"{variable}.contacts", given.pop("contacts", []))
    contacts = [
        _read_contact(f"Contact {number} of {variable}", item)
        for number, item in enumerate(items, start=1)
    ]
    document = {"contacts": contacts, **given} if contacts else given
    refuse_faulty(variable, document, judge_support)
    return document


def _read_contact(variable: str, item: object) -> dict[str, object]:
    """Read a contact, its ways first."""
    contact = _present(values.mapping(variable, item))
    _refuse_unknown(variable, contact, _CONTACT_KEYS)
    return {key: contact[key] for key in dict.fromkeys([*_WAYS, *contact]) if key in contact}


def _refuse_unknown(variable: str, given: dict[str, object], known: tuple[str, ...]) -> None:
    """Refuse keys of nobody, most often mistyped; keys with a dot are extensions and pass."""
    unknown = sorted(key for key in given if key not in known and "." not in key)
    if unknown:
        raise ValueError(
            f"{variable} has the unknown key {unknown[0]!r}; write {values.listed(known)}."
        )


def _present(given: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in given.items() if value is not None}
