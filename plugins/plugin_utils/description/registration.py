# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may register, on which conditions, and what Synapse's settings must not say beside that."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from ...module_utils.synapse.settings import ALTERNATIVES, OURS, VARIABLES
from . import values
from .components import REGISTRATIONS
from .domains import domain_fault

DEFAULTS: dict[str, object] = {
    "registration": "invite",
    "registration_open_accepted": False,
    "registration_terms": {},
    "registration_email_patterns": [],
    "registration_captcha": {},
    "synapse_settings": {},
}
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SITE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_WITH_PARTS = {name.partition(".")[0] for name in VARIABLES if "." in name}


@dataclass(frozen=True)
class Conditions:
    """What is asked of everybody who registers; all of it is empty unless the operator says so."""

    terms: Mapping[str, str] = field(default_factory=dict)
    email_domains: tuple[str, ...] = ()
    captcha: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return what the role of the homeserver must know; the captcha is its public key."""
        return {
            "terms": dict(self.terms),
            "local_3pids": [
                {"medium": "email", "pattern": rf"[^@]+@{re.escape(domain)}\Z"}
                for domain in self.email_domains
            ],
            "captcha": self.captcha,
        }


def read(read_input: Callable[..., Any]) -> tuple[str, Conditions]:
    """Read the mode and its conditions, and leave their faults to whoever reads."""
    accepted = read_input(values.boolean, "registration_open_accepted")
    mode = read_input(read_mode, "registration", accepted) or ""
    conditions = Conditions(
        terms=read_input(read_terms, "registration_terms") or {},
        email_domains=read_input(read_email_patterns, "registration_email_patterns", mode) or (),
        captcha=read_input(read_captcha, "registration_captcha") or "",
    )
    read_input(check_settings, "synapse_settings", _said(conditions))
    return mode, conditions


def read_mode(name: str, value: object, accepted: bool | None) -> str:
    """Read who may register; nobody opens the door by one word alone."""
    mode = values.choice(name, value, REGISTRATIONS)
    if mode == "open" and accepted is False:
        raise ValueError(
            f"{name} 'open' lets anyone on the internet make accounts, and sooner or later "
            "spammers and robots overload such a server until wiping it is easier than cleaning "
            f"up; choose invite or email, or set {name}_open_accepted: true."
        )
    return mode


def read_terms(name: str, value: object) -> dict[str, str]:
    """Read the terms of use; a version that is a number or a date in YAML is a text as well."""
    given = _known(name, values.mapping(name, value), ("version", "text"))
    if not given:
        return {}
    version, text = str(given.get("version", "")), given.get("text")
    values.refuse(
        sentence
        for sentence, is_right in (
            (
                f"{name} cannot have the version {version!r}; write letters, digits, dots and "
                "hyphens, like 2026-01.",
                _VERSION.fullmatch(version),
            ),
            (
                f"{name} has no text; write the terms in HTML.",
                isinstance(text, str) and text.strip(),
            ),
        )
        if not is_right
    )
    return {"version": version, "text": str(text)}


def read_email_patterns(name: str, value: object, mode: str) -> tuple[str, ...]:
    """Read the domains of addresses that may register, where addresses are asked for at all."""
    given = values.items(name, value)
    if given and mode not in ("", "email"):
        raise ValueError(
            f"{name} says whose e-mail addresses may register, but matrix_registration {mode!r} "
            f"asks for none; set matrix_registration: email, or take {name} out."
        )
    values.refuse(
        f"{name} cannot have {item!r}; write a domain, the part after the @, like example.org."
        for item in given
        if domain_fault(name, item)
    )
    return tuple(dict.fromkeys(map(str, given)))


def read_captcha(name: str, value: object) -> str:
    """Return the public key of the captcha; the secret is judged without naming it."""
    given = _known(name, values.mapping(name, value), ("site_key", "secret"))
    if not given:
        return ""
    site_key, secret = given.get("site_key"), given.get("secret", "")
    if not isinstance(site_key, str) or not _SITE_KEY.fullmatch(site_key):
        raise ValueError(
            f"{name} cannot have the site_key {site_key!r}; write the public one of the two keys "
            "that reCAPTCHA has made for the server."
        )
    values.refuse([values.secret_fault(f"The secret of {name}", secret)])
    if secret == site_key:
        raise ValueError(
            f"The secret of {name} is its site_key, which everybody sees; write the other key."
        )
    return site_key


def _known(name: str, given: dict[str, object], keys: Collection[str]) -> dict[str, object]:
    values.refuse(
        f"{name} has the unknown key {key!r}; it has {' and '.join(keys)}."
        for key in given
        if key not in keys
    )
    return given


def setting_names(settings: Mapping[str, object]) -> dict[str, None]:
    """Return the names of settings, and with a dot those inside of some, without any value.

    Values may be secret, and those that Ansible has yet to make may follow from this description.
    """
    return dict.fromkeys(
        dotted
        for name in settings
        for dotted in (name, *(_inside(name, settings[name]) if name in _WITH_PARTS else ()))
    )


def _inside(name: str, value: object) -> list[str]:
    return [f"{name}.{part}" for part in value] if isinstance(value, Mapping) else []


def check_settings(name: str, value: object, said: Collection[str]) -> None:
    """Refuse settings that contradict a variable; `said` are the variables that say something."""
    found = setting_names(values.mapping(name, value))
    values.refuse(
        f"{name} cannot have {setting!r}, which follows from {VARIABLES[setting]}; set that "
        "instead."
        for setting in found
        if setting in VARIABLES
    )
    values.refuse(
        f"{name} cannot have {setting!r}: {OURS[setting]}; take it out."
        for setting in found
        if setting in OURS
    )
    values.refuse(
        f"{name} cannot have {setting!r} beside {ALTERNATIVES[setting]}; take one of them out."
        for setting in found
        if ALTERNATIVES.get(setting) in said
    )


def _said(conditions: Conditions) -> list[str]:
    """Return the variables that stand for settings which could be written as well."""
    said = {
        "matrix_registration_terms": conditions.terms,
        "matrix_registration_email_patterns": conditions.email_domains,
    }
    return [variable for variable, value in said.items() if value]
