# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An entry of `matrix_oidc_providers`: each of its keys read, or refused with one sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from . import values
from .domains import domain_fault
from .sign_on_presets import EVERYBODYS_TENANTS, PRESETS, Preset

CALLBACK = "/_synapse/client/oidc/callback"
_KEYS = (
    "id",
    "preset",
    "name",
    "issuer",
    "tenant",
    "client_id",
    "client_secret",
    "domain",
    "requirements",
    "scopes",
    "new_accounts",
    "settings",
)
_SAID_BESIDE = {
    "idp_id": "id",
    "idp_name": "name",
    "issuer": "issuer",
    "client_id": "client_id",
    "client_secret": "client_secret",
    "client_secret_path": "client_secret",
    "client_secret_jwt_key": "client_secret",
    "scopes": "scopes",
    "attribute_requirements": "requirements",
    "enable_registration": "new_accounts",
}
"""Synapse's names for what an entry says itself."""
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Entry:
    """An entry of the list; `name` is what sentences call it, `word` the preset's name."""

    name: str
    word: str
    given: Mapping[str, object]

    @property
    def preset(self) -> Preset:
        return PRESETS[self.word]

    def text(self, key: str, missing: str = "") -> str:
        """Return a line of text."""
        value = self.given.get(key) or missing
        if value and values.is_line(value) and value.strip() == value:
            return value
        raise ValueError(f"{self.name} cannot have the {key} {value!r}; write one line of text.")

    def fault(self, text: str) -> ValueError:
        return ValueError(f"{self.name} {text}")


def read_entry(name: str, item: object) -> Entry:
    """Read the keys and the preset; the other readers read the rest."""
    given = values.mapping(name, item)
    if unknown := sorted(set(given) - set(_KEYS)):
        known = values.listed(_KEYS)
        raise ValueError(f"In {name} the key {unknown[0]!r} is unknown; it may have {known}.")
    word = values.choice(f"The preset of {name}", given.get("preset") or "oidc", tuple(PRESETS))
    return Entry(name, word, given)


def read_id(entry: Entry) -> str:
    value = entry.given.get("id")
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise entry.fault(
        f"cannot have the id {value!r}, which also names a file; write up to 40 of a-z, 0-9, _ "
        "and -, like google, and keep it: accounts belong to it."
    )


def read_title(entry: Entry) -> str:
    return entry.text("name", entry.preset.title or str(entry.given.get("id")))


def read_client_id(entry: Entry) -> str:
    if entry.given.get("client_id"):
        return entry.text("client_id")
    raise entry.fault(
        "needs a client_id; the provider has one for you when you register this server there, with "
        f"the redirect URI https://MATRIX_HOSTNAME{CALLBACK}."
    )


def check_client_secret(entry: Entry) -> None:
    """Judge the secret without naming it; the host may have it instead."""
    secret = entry.given.get("client_secret") or ""
    values.refuse([values.secret_fault(f"The client_secret of {entry.name}", secret)])


def read_new_accounts(entry: Entry) -> bool:
    return values.boolean(f"new_accounts of {entry.name}", entry.given.get("new_accounts", True))


def read_issuer(entry: Entry) -> str:
    tenant, given = _tenant(entry), entry.given.get("issuer")
    if entry.preset.fixed:
        if given:
            raise entry.fault(f"has an issuer, which {entry.word} does without; take it out.")
        return entry.preset.issuer.format(tenant=tenant)
    issuer = given or entry.preset.issuer
    parts = urlsplit(issuer) if isinstance(issuer, str) else urlsplit("")
    if parts.scheme != "https" or not parts.hostname or _DISCOVERY in parts.path:
        raise entry.fault(
            f"cannot have the issuer {issuer!r}; write the address, beginning with https://, that "
            f"stands before {_DISCOVERY} at the provider."
        )
    for word, preset in PRESETS.items():
        if word != entry.word and is_at(issuer, preset):
            raise entry.fault(f"has the issuer of {preset.title}; write preset: {word}.")
    return str(issuer)


def is_at(issuer: object, preset: Preset) -> bool:
    """Whether an issuer is the one that a preset knows, and none of somebody's own."""
    known = urlsplit(preset.issuer).hostname
    return known is not None and urlsplit(str(issuer)).hostname == known


def _tenant(entry: Entry) -> str:
    tenant = entry.given.get("tenant")
    if "{tenant}" not in entry.preset.issuer:
        if tenant:
            raise entry.fault("has a tenant, which only microsoft has; take it out.")
        return ""
    if not isinstance(tenant, str) or not re.fullmatch(r"[0-9A-Za-z.-]+", tenant):
        raise entry.fault(
            f"cannot have the tenant {tenant!r}; write the id of your organisation, as its "
            "overview in Microsoft Entra shows it."
        )
    if tenant.lower() in EVERYBODYS_TENANTS:
        raise entry.fault(
            f"has the tenant {tenant!r}, which is everybody with an account at Microsoft; write "
            "the id of your organisation."
        )
    return tenant


def read_scopes(entry: Entry) -> list[str]:
    scopes = entry.given.get("scopes") or list(entry.preset.scopes)
    return _texts(f"The scopes of {entry.name}", scopes, "[openid, profile, email]")


def _texts(name: str, value: object, example: str) -> list[str]:
    """Read one text or some."""
    texts = [value] if isinstance(value, str) else value
    if isinstance(texts, list) and texts and all(isinstance(text, str) and text for text in texts):
        return [str(text) for text in texts]
    raise ValueError(f"{name} cannot be {value!r}; write text, like {example}.")


def read_requirements(entry: Entry) -> dict[str, list[str]]:
    """Return what the provider must say of everybody who comes in, Google's domains (`hd`) too."""
    given = values.mapping(f"The requirements of {entry.name}", entry.given.get("requirements"))
    found = {
        claim: _texts(f"The requirement {claim!r} of {entry.name}", texts, "matrix or [one, two]")
        for claim, texts in given.items()
    }
    if not entry.given.get("domain"):
        return found
    if entry.word != "google":
        raise entry.fault(
            "has a domain, which only google tells of people; write requirements, like "
            "{groups: matrix}."
        )
    name = f"The domain of {entry.name}"
    domains = _texts(name, entry.given["domain"], "example.com")
    values.refuse(domain_fault(name, domain) or "" for domain in domains)
    return {**found, "hd": domains}


def read_settings(entry: Entry) -> dict[str, object]:
    settings = values.mapping(f"The settings of {entry.name}", entry.given.get("settings"))
    values.refuse(
        f"{entry.name} has {key} in its settings; write {_SAID_BESIDE[key]} beside them."
        for key in settings
        if key in _SAID_BESIDE
    )
    return settings
