# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single sign-on: the providers whose people log in, each as Synapse's `oidc_providers` has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Callable

from . import values
from .sign_on_entries import (
    Entry,
    check_client_secret,
    is_at,
    read_client_id,
    read_entry,
    read_id,
    read_issuer,
    read_new_accounts,
    read_requirements,
    read_scopes,
    read_settings,
    read_title,
)


@dataclass(frozen=True)
class Provider:
    """A provider as Synapse has it, but for the path of the secret."""

    id: str
    name: str
    new_accounts: bool
    secret_given: bool
    """Whether the description holds the secret; else the host must."""
    settings: Mapping[str, object]

    @property
    def secret(self) -> str:
        """The name of its secret on the host."""
        return f"oidc_{self.id}"


def read_providers(name: str, value: object, open_accepted: object) -> tuple[Provider, ...]:
    """Read the providers; none opens the door to everybody unless that is `open_accepted`."""
    accepted = values.Faults().read(values.boolean, "", open_accepted)  # its own reader tells more
    faults = values.Faults()
    found = [
        faults.read(_read_provider, f"entry {number} of {name}", item, accepted is True)
        for number, item in enumerate(values.items(name, value), start=1)
    ]
    faults.check()
    providers = [provider for provider in found if provider is not None]
    times = Counter(provider.id for provider in providers)
    values.refuse(
        f"{name} has the id {each!r} {n} times; give each provider one of its own."
        for each, n in times.items()
        if n > 1
    )
    return tuple(providers)


def _read_provider(name: str, item: object, open_accepted: bool) -> Provider:
    entry = read_entry(name, item)
    faults = values.Faults()
    for reader in _READERS:
        faults.read(reader, entry)
    faults.check()
    _refuse_everybody(entry, open_accepted)
    return Provider(
        id=read_id(entry),
        name=read_title(entry),
        new_accounts=read_new_accounts(entry),
        secret_given=bool(entry.given.get("client_secret")),
        settings=_merged(_derived(entry), read_settings(entry)),
    )


_READERS: tuple[Callable[[Entry], object], ...] = (
    read_id,
    read_title,
    read_issuer,
    read_client_id,
    check_client_secret,
    read_scopes,
    read_requirements,
    read_new_accounts,
    read_settings,
)


def _refuse_everybody(entry: Entry, open_accepted: bool) -> None:
    """Refuse a provider at which everybody may have an account, unless that is wanted."""
    preset = entry.preset
    is_closed = not set(read_requirements(entry)).isdisjoint(preset.closed_by)
    if not preset.closed_by or is_closed or not is_at(read_issuer(entry), preset):
        return
    if read_settings(entry).get("allow_existing_users"):
        raise entry.fault(
            f"has allow_existing_users, so whoever takes a name at {preset.title} takes the "
            f"account of that name here; write {preset.example}."
        )
    if read_new_accounts(entry) and not open_accepted:
        raise entry.fault(
            f"lets in everybody with an account at {preset.title}; write {preset.example}, or set "
            "matrix_registration_open_accepted to true if everybody may join."
        )


def _derived(entry: Entry) -> dict[str, object]:
    """Return what Synapse is told; it reads the templates (Jinja) with what is known of a user."""
    preset = entry.preset
    mapping = {
        "subject_template": preset.subject,
        "localpart_template": preset.localpart,
        "display_name_template": "{{ user.name }}",
    }
    return {
        "idp_id": read_id(entry),
        "idp_name": read_title(entry),
        "issuer": read_issuer(entry),
        "client_id": read_client_id(entry),
        "scopes": read_scopes(entry),
        "user_mapping_provider": {"config": mapping},
        "enable_registration": read_new_accounts(entry),
        **preset.settings,
        **_limits(entry),
    }


def _limits(entry: Entry) -> dict[str, object]:
    """Return the requirements; who has one domain is offered its accounts at once (`hd`)."""
    required = read_requirements(entry)
    limits: dict[str, object] = {}
    if required:
        limits["attribute_requirements"] = [
            {"attribute": claim, "one_of": texts} for claim, texts in required.items()
        ]
    if len(required.get("hd", ())) == 1:
        limits["additional_authorization_parameters"] = {"hd": required["hd"][0]}
    return limits


def _merged(ours: Mapping[str, object], theirs: Mapping[str, object]) -> dict[str, object]:
    """Return both, theirs winning at every depth."""
    merged = {**ours, **theirs}
    for key in ours.keys() & theirs.keys():
        one, other = ours[key], theirs[key]
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            merged[key] = _merged(one, other)
    return merged
