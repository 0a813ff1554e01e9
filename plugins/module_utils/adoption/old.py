# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An older Synapse on the host: what a run keeps of it, and what speaks against taking it over."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..host.disks import MEGABYTE
from ..synapse.settings import ALTERNATIVES, VARIABLES
from .running import Unit, keys_directory

SCHEMA = 94
"""The version of the tables of the Synapse that the role installs."""
SPARE = 500 * MEGABYTE
"""What must stay free beside what an adoption writes."""
SECRETS = {
    "synapse_form": ("form_secret",),
    "synapse_macaroon": ("macaroon_secret_key", "registration_shared_secret"),
    "synapse_registration": ("registration_shared_secret",),
}
"""Our secrets, and the settings that hold them; each may also stand in a file, as NAME_path."""
PEPPER = "synapse_pepper"
_DROP_INS = "/etc/systemd/system/matrix-synapse.service.d/"
"""What people changed there about the former unit would change ours, which has the same name."""
_LOCAL = ("", "localhost", "127.0.0.1", "::1", "/run/postgresql", "/var/run/postgresql")
_WORKERS = ("worker_app", "stream_writers", "federation_sender_instances", "pusher_instances")
_OUT_OF_FORCE = {
    *("listeners", "log_config", "pid_file", "server_name", "database", "media_store_path"),
    *("signing_key_path", "old_signing_keys", "suppress_key_server_warning"),
    *("tls_certificate_path", "tls_private_key_path", "turn_shared_secret", "turn_uris"),
    *(form for names in SECRETS.values() for name in names for form in (name, f"{name}_path")),
}
"""Settings of which nothing is left to keep: taken over, or about what is ours now."""
_VARIABLES = {
    "max_upload_size": "matrix_max_upload_mb",
    "email": "matrix_smtp",
    "public_baseurl": "matrix_hostname",
    **VARIABLES,
    **ALTERNATIVES,
}
"""Settings that follow from a variable of the description."""


@dataclass(frozen=True)
class Database:
    """A file of SQLite, or a database of PostgreSQL."""

    path: str = ""
    name: str = ""
    host: str = ""
    port: int = 5432

    @property
    def is_local(self) -> bool:
        return self.host in _LOCAL


@dataclass(frozen=True)
class Old:
    """What was read of it; nobody may print `settings`, which hold its secrets."""

    units: tuple[Unit, ...]
    files: tuple[str, ...]
    settings: Mapping[str, Any] = field(repr=False)
    unreadable: str = ""
    """Why there are no settings."""
    strays: tuple[int, ...] = ()
    """Processes of Synapse that no unit has started."""

    @property
    def folder(self) -> str:
        """Return the directory from which relative paths count."""
        return next((unit.folder for unit in self.units if not unit.is_worker), "/")

    @property
    def database(self) -> Database:
        told = self.settings.get("database") or {}
        given = told.get("args") or {}
        if told.get("name", "sqlite3") == "sqlite3":
            return Database(self._absolute(given.get("database") or "homeserver.db"))
        name = given.get("dbname") or given.get("database") or ""
        host, port = str(given.get("host") or ""), int(given.get("port") or 5432)
        return Database("", name, host, port)

    @property
    def signing_key(self) -> str:
        named = self.settings.get("signing_key_path")
        folder = keys_directory(self.units, self.files)
        default = os.path.join(folder, f"{self.settings.get('server_name')}.signing.key")
        return self._absolute(named or default)

    @property
    def media(self) -> str:
        return self._absolute(self.settings.get("media_store_path") or "media_store")

    @property
    def pepper(self) -> str:
        """Return what was mixed into every password."""
        return str((self.settings.get("password_config") or {}).get("pepper") or "")

    def _absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.folder, path))


@dataclass(frozen=True)
class Demand:
    """A file system, by its number: what is free on it, and what an adoption writes there."""

    number: int
    path: str
    free: int
    needed: int


@dataclass(frozen=True)
class Findings:
    """What was measured on the host where the configuration leads."""

    missing: tuple[str, ...] = ()
    """Paths that are named and not there."""
    schema: int = 0
    """The version of the database's tables; 0 if nobody could read it."""
    disks: tuple[Demand, ...] = ()
    has_media: bool = False
    same_disk: bool = False
    """Whether the media can have second names among our data."""


def faults(old: Old, found: Findings, *, domain: str) -> list[str]:
    """Return a sentence for everything that speaks against taking it over."""
    if old.unreadable:
        return [f"The configuration of the Synapse on the host cannot be read: {old.unreadable}"]
    return [
        sentence
        for sentence in (
            _name_fault(old, domain),
            _process_fault(old),
            _worker_fault(old),
            _key_fault(old, found),
            _database_fault(old, found),
            _schema_fault(found),
            *_disk_faults(found),
        )
        if sentence
    ]


def _name_fault(old: Old, domain: str) -> str:
    name = old.settings.get("server_name")
    if name == domain:
        return ""
    return (
        f"The Synapse on the host serves {name or 'no domain yet'}, and its accounts cannot become "
        f"those of {domain}; set matrix_domain to that, or take another host."
    )


def _process_fault(old: Old) -> str:
    running = [unit.name for unit in old.units if unit.active and not unit.is_worker]
    if len(running) > 1:
        return f"{' and '.join(running)} both run Synapse; stop all but the one to be adopted."
    if not old.strays:
        return ""
    return (
        f"A Synapse runs that no unit of systemd has started (process {old.strays[0]}); stop it, "
        "so that its database is at rest."
    )


def _worker_fault(old: Old) -> str:
    keys = [key for key in _WORKERS if old.settings.get(key)]
    keys += ["instance_map"] if set(old.settings.get("instance_map") or ()) - {"main"} else []
    keys += [unit.name for unit in old.units if unit.is_worker and (unit.active or unit.enabled)]
    if not keys:
        return ""
    return (
        f"The Synapse on the host runs with workers ({', '.join(keys)}), and only one of a single "
        "process can be adopted; let it run as one process first."
    )


def _key_fault(old: Old, found: Findings) -> str:
    if "signing_key" in old.settings:
        return (
            "The signing key of the Synapse on the host stands in its configuration; write it to a "
            "file and name that as signing_key_path."
        )
    if old.signing_key not in found.missing:
        return ""
    return (
        f"The signing key of the Synapse on the host is not there ({old.signing_key}); "
        "signing_key_path must name it."
    )


def _database_fault(old: Old, found: Findings) -> str:
    if "databases" in old.settings:
        return "The Synapse on the host has several databases, and only one can be adopted."
    database = old.database
    if database.path:
        gone = database.path in found.missing
        return (
            f"The database of the Synapse on the host is not there ({database.path})."
            if gone
            else ""
        )
    return _postgresql_fault(database, found)


def _postgresql_fault(database: Database, found: Findings) -> str:
    if not database.is_local:
        return (
            f"The database of the Synapse on the host is on another one ({database.host}); move it "
            "to a PostgreSQL of this host first."
        )
    if found.schema:
        return ""
    return (
        f"The database of the Synapse on the host cannot be read ({database.name}, at PostgreSQL's "
        f"port {database.port}); start its cluster."
    )


def _schema_fault(found: Findings) -> str:
    if found.schema <= SCHEMA:
        return ""
    return (
        f"The database of the Synapse on the host is newer (schema {found.schema}) than the "
        f"Synapse of this release ({SCHEMA}); take a newer release of this collection."
    )


def _disk_faults(found: Findings) -> list[str]:
    """Judge each file system once, with all that shall be written on it."""
    needed: dict[int, int] = {}
    for disk in found.disks:
        needed[disk.number] = needed.get(disk.number, SPARE) + disk.needed
    places = {disk.number: disk for disk in reversed(found.disks)}
    return [
        f"To adopt the Synapse on the host, {needed[number] // MEGABYTE} MB must be free at "
        f"{disk.path}, and {disk.free // MEGABYTE} MB are; make room."
        for number, disk in sorted(places.items())
        if disk.free < needed[number]
    ]


def kept_settings(old: Old) -> dict[str, Any]:
    """Return settings without which others could not check what was signed."""
    settings: dict[str, Any] = {}
    if old.settings.get("old_signing_keys"):
        settings["old_signing_keys"] = old.settings["old_signing_keys"]
    return settings


def facts(old: Old, found: Findings) -> dict[str, Any]:
    """Return what the role needs to take it over, without a secret."""
    return {
        "units": [unit.name for unit in old.units],
        "drop_ins": [
            {"path": path, "state": "absent"}
            for unit in old.units
            for path in unit.drop_ins
            if path.startswith(_DROP_INS)
        ],
        "signing_key": old.signing_key,
        "media": {"path": old.media if found.has_media else "", "same_disk": found.same_disk},
        "sqlite": old.database.path,
        "postgresql": {"name": old.database.name, "port": old.database.port},
        "keeps": {"pepper": bool(old.pepper), "settings": kept_settings(old)},
    }


def not_taken_over(old: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    """Return the names of settings that the operator may miss, each with the variable it follows.

    Those that ours have with the same value are in force, and those that the operator sets now
    were thought of.
    """
    return [
        f"{name} ({_VARIABLES[name]})" if name in _VARIABLES else name
        for name, value in sorted(old.items())
        if name not in _OUT_OF_FORCE and _rest(name, value) and value != ours.get(name)
    ]


def _rest(name: str, value: object) -> bool:
    """Tell whether anything is left of a setting once its secret was taken over."""
    if name == "password_config" and isinstance(value, Mapping):
        return bool({key for key, item in value.items() if item} - {"pepper"})
    return value is not None
