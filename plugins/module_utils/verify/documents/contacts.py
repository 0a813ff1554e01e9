# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The meaning of /.well-known/matrix/support (client-server API since v1.10, MSC1929)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from ... import names
from ..findings import Check, Finding

_REFERENCE = "Client-Server API, GET /.well-known/matrix/support"
_KEYS = frozenset({"contacts", "support_page"})
_CONTACT_KEYS = frozenset({"role", "matrix_id", "email_address"})
_LEGACY = "admins"
_COMPARED = 50
_KEYS_NAMED = 10
_PROPOSED = re.compile(r"msc[0-9]{1,5}(?![0-9])")

_REMEDIES = {
    "contacts": "Publish a list of contacts, each with a role and a matrix_id or email_address, "
    "or a support_page.",
    "contact": "Give each contact a role (m.role.admin or m.role.security) and a matrix_id, "
    "an email_address or both.",
    "role": "Use m.role.admin or m.role.security, or a role of your own like com.example.billing.",
    "mxid": "Write the full Matrix ID of an account, like @admin:example.com.",
    "email": "Write a plain e-mail address, like admin@example.com.",
    "page": "Write an absolute https address, like https://example.com/support.",
    "pgp": "Write where the key is: an https address, openpgp4fpr: and its fingerprint, or dns: "
    "and a name, as in the field Encryption of RFC 9116.",
    "no": "Give one contact the role m.role.admin, which is meant for queries of any kind.",
    "duplicate": "List each contact once.",
    "legacy": "Rename 'admins', which an old draft used, to 'contacts'.",
    "key": "Take the key out; names without a dot and names that begin with 'm.' are reserved.",
}


_CODES = (
    *("content", "neither", "legacy_admins", "key_custom", "key_reserved"),
    *("contacts_type", "contacts_empty", "duplicate_contact", "no_admin"),
    *("contact_type", "contact_no_role", "contact_no_method"),
    *("role_type", "role_invalid", "role_reserved", "role_not_namespaced", "role_custom"),
    *("mxid_type", "mxid_invalid", "mxid_too_long", "mxid_server_name"),
    *("mxid_historical", "mxid_non_compliant"),
    *("email_type", "email_invalid", "email_too_long"),
    *("email_non_ascii", "email_literal", "email_single_label"),
    *("page_type", "page_invalid", "page_http"),
    "pgp_key",
)


def _made(code: str) -> Check:
    topic = code.split("_", maxsplit=1)[0]
    remedy = _REMEDIES.get(topic, _REMEDIES["contacts"])
    return Check(f"well_known.support.{code}", "well-known", _REFERENCE, remedy)


CHECKS = {code: _made(code) for code in _CODES}
PROPOSAL = Check("well_known.support.{part}", "well-known", "MSC1929 and later proposals", "")


def _check(code: str) -> Check:
    return CHECKS[code]


def judge_support(value: dict[str, Any]) -> list[Finding]:
    """Judge the document's value by the released text, with advice where it is lenient."""
    findings = [*_presence(value), *_contacts(value), *_page(value), *_keys(value, _KEYS, "")]
    if any(finding.verdict == "error" for finding in findings):
        return findings
    return [_check("content").ok("The support document names a way to reach somebody."), *findings]


def _presence(value: dict[str, Any]) -> Iterator[Finding]:
    if _LEGACY in value:
        yield _check("legacy_admins").warning("The document has the outdated key 'admins'.")
    if not _KEYS & set(value):
        yield _check("neither").error("The document has neither contacts nor a support page.")


def _contacts(value: dict[str, Any]) -> Iterator[Finding]:
    if "contacts" not in value:
        return
    contacts = value["contacts"]
    if not isinstance(contacts, list):
        yield _check("contacts_type").error("'contacts' is not a list.")
    elif not contacts:
        check = _check("contacts_empty")
        judge = check.warning if "support_page" in value else check.error
        yield judge("The list of contacts is empty.")
    else:
        for number, contact in enumerate(contacts[:_COMPARED], 1):
            yield from _contact(contact, f"Contact {number}")
        yield from _contacts_together(contacts)


def _contacts_together(contacts: list[Any]) -> Iterator[Finding]:
    roles = [contact.get("role") for contact in contacts if isinstance(contact, dict)]
    if roles and all(isinstance(role, str) for role in roles) and names.ROLES[0] not in roles:
        yield _check("no_admin").warning("No contact has the catch-all role m.role.admin.")
    if any(contact in contacts[:index] for index, contact in enumerate(contacts[:_COMPARED])):
        yield _check("duplicate_contact").warning("A contact is listed twice.")


def _contact(contact: Any, which: str) -> Iterator[Finding]:
    if not isinstance(contact, dict):
        yield _check("contact_type").error(f"{which} is not an object.")
        return
    if "role" not in contact:
        yield _check("contact_no_role").error(f"{which} has no role.")
    if not {"matrix_id", "email_address"} & set(contact):
        yield _check("contact_no_method").error(
            f"{which} has neither a matrix_id nor an email_address."
        )
    judges = {
        "role": names.role_fault,
        "matrix_id": names.user_id_fault,
        "email_address": names.email_fault,
        **dict.fromkeys(names.PGP_KEYS, names.pgp_key_fault),
    }
    faults = [judge(contact[key]) for key, judge in judges.items() if key in contact]
    yield from _named(which, faults)
    yield from _keys(contact, _CONTACT_KEYS, f" of {which.lower()}")


def _page(value: dict[str, Any]) -> Iterator[Finding]:
    if "support_page" in value:
        yield from _named("The document", [names.page_fault(value["support_page"])])


def _named(where: str, faults: Iterable[names.NameFault | None]) -> Iterator[Finding]:
    for fault in faults:
        if fault:
            check = _check(fault.code)
            judge = {"error": check.error, "warning": check.warning, "info": check.info}
            yield judge[fault.severity](f"{where}: {fault.message}.")


def _keys(value: dict[str, Any], known: frozenset[str], where: str) -> Iterator[Finding]:
    """Judge keys that no released text has: namespaced ones are free, others are reserved."""
    for key in sorted(set(value) - known - {_LEGACY})[:_KEYS_NAMED]:
        if proposed := _PROPOSED.search(key):
            yield PROPOSAL.of(proposed[0]).info(f"The key {key!r}{where} belongs to a proposal.")
        elif "." in key and not key.startswith("m."):
            yield _check("key_custom").info(f"The key {key!r}{where} is one of your own.")
        else:
            yield _check("key_reserved").warning(
                f"The key {key!r}{where} is not in the specification."
            )
