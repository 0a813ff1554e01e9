# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of a service that is taken away: copied aside, and removed once all else has gone.

A copy is whole or it is not there, so what cannot be copied stays where it is. A run that was
killed before all was removed leaves the rest to the next one, which copies that once more.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from . import record as records
from .keys import PUBLIC
from .machine import Machine
from .model import Data, ServiceError
from .secrets import generation_path

FOLDER = "retired"
"""Below our own state; in it a directory for each day, and in that one for each service."""
_PATIENCE = 3600.0
_DATABASE = "database "


@dataclass(frozen=True)
class Leaving:
    """What goes: paths that stand, and databases."""

    place: str
    paths: tuple[str, ...]
    databases: tuple[tuple[str, str, int], ...]

    @property
    def copies(self) -> dict[str, str]:
        """Return where the copy of each belongs, as people read it."""
        files = {path: f"{self.place}{path}" for path in self.paths}
        dumps = {f"{_DATABASE}{name}": _dump(self.place, name) for name, *_more in self.databases}
        return {**files, **dumps}

    def copy(self, host: Machine) -> None:
        """Copy all of it to where only root reads it, or leave nothing of the copy."""
        part = f"{self.place}.part"
        _run(host, "rm", "-rf", part)
        os.makedirs(host.places.state / FOLDER, mode=0o700, exist_ok=True)
        try:
            os.makedirs(part, mode=0o700)
            for path in self.paths:
                os.makedirs(part + os.path.dirname(path), exist_ok=True)
                _run(host, "cp", "--archive", "--reflink=auto", path, part + path)
            for name, _owner, port in self.databases:
                program = ["pg_dump", f"--port={port}", "--format=custom", name]
                into = 'exec runuser --user=postgres -- "$@" >"$0"'
                _run(host, "sh", "-c", into, _dump(part, name), *program)
            os.rename(part, self.place)
        except (ServiceError, OSError):
            host.run(["rm", "-rf", part])
            raise

    def remove(self, host: Machine) -> None:
        """Remove all of it; what has a copy may go."""
        try:
            if self.paths:
                _run(host, "rm", "-rf", "--one-file-system", *self.paths)
            for name, owner, port in self.databases:
                for program, what in (("dropdb", name), ("dropuser", owner)):
                    _run(host, program, f"--port={port}", "--if-exists", what, user="postgres")
        except ServiceError as error:
            raise ServiceError(
                f"{error}\nAll of the data has a copy in {self.place}, but not all of it could be "
                "removed; the next run tries again."
            ) from error


def leaving(name: str, data: Data, host: Machine) -> Leaving | None:
    """Return what there is of a service's data, without what other services share."""
    others = [have for other, have in records.all_of(host.places).items() if other != name]
    shared = {secret for record in others for secret in record.data.secrets}
    folder = host.places.secrets
    secrets = (
        path
        for secret in data.secrets
        if secret not in shared
        for path in (folder / secret, folder / (secret + PUBLIC), generation_path(folder, secret))
    )
    paths = tuple(p for p in (*data.paths, *map(str, secrets)) if os.path.lexists(p))
    databases = tuple(entry for entry in data.databases if _exists(entry, host))
    return Leaving(_place(name, host), paths, databases) if paths or databases else None


def _exists(database: tuple[str, str, int], host: Machine) -> bool:
    name, _owner, port = database
    asking = f"select 1 from pg_database where datname = '{name}'"
    told = _run(host, "psql", f"--port={port}", "-AtXc", asking, "postgres", user="postgres")
    return told.strip() == "1"


def _place(name: str, host: Machine) -> str:
    """Return a directory that is not there yet."""
    today = host.places.state / FOLDER / time.strftime("%Y-%m-%d", time.gmtime())
    number, place = 1, today / name
    while place.exists():
        number += 1
        place = today / f"{name}-{number}"
    return str(place)


def _dump(place: str, database: str) -> str:
    return f"{place}/{database}.dump"


def _run(host: Machine, *argv: str, user: str | None = None) -> str:
    outcome = host.run(argv, user=user, seconds=_PATIENCE)
    if outcome.code != 0:
        raise ServiceError(outcome.last_words())
    return outcome.output
