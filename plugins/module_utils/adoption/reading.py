# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads an older Synapse: its units, its configuration with all secrets, and what that names."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..host.disks import existing, free_at
from ..host.homeservers import UNIT_FOLDERS
from ..service.machine import Run, run_program
from ..service.model import ServiceError
from .old import PEPPER, SECRETS, Database, Demand, Findings, Old, facts, faults
from .running import PROGRAMS, PROPERTIES, Unit, configured_at, pythons, read_units

DATA = "var/lib/matrix-synapse"
_POSTGRESQL = "var/lib/postgresql"
_UNIT_OF_PROCESS = re.compile(r"/(?P<name>[^/]+\.service)(?:/|$)")
_MERGE = """
import json, sys, yaml
settings = {}
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as stream:
        read = yaml.safe_load(stream)
    settings.update(read if isinstance(read, dict) else {})
json.dump(settings, sys.stdout, default=str)
"""
"""As Synapse itself merges its files."""
_BYTES = "select pg_database_size(current_database())"
_SCHEMA = "select max(version) from schema_version"


@dataclass(frozen=True)
class Reader:
    """Reads below `root`; programs are run as they are."""

    root: Path = Path("/")
    run: Run = run_program

    def old(self) -> Old:
        """Return what there is of an older Synapse."""
        units = tuple(self.units())
        files = tuple(self._files(units))
        old = Old(units, files, {}, strays=tuple(self._strays(units)))
        if not files:
            return replace(old, unreadable=f"{', '.join(configured_at(units))} is not there.")
        return self._with_settings(old)

    def judged(self, domain: str) -> tuple[list[str], dict[str, Any]]:
        """Return what speaks against taking it over, and what the role needs for that."""
        old = self.old()
        found = Findings() if old.unreadable else self.findings(old)
        sentences = faults(old, found, domain=domain)
        return sentences, {} if sentences else facts(old, found)

    def units(self) -> list[Unit]:
        """Return the units that start Synapse."""
        names = sorted(set(unit_names(self.root)))
        if not names:
            return []
        shown = self.run(["systemctl", "show", f"--property={PROPERTIES}", *names])
        return read_units(shown.output)

    def _files(self, units: Iterable[Unit]) -> Iterator[str]:
        for path in configured_at(units):
            place = self._place(path)
            if place.is_dir():
                yield from (f"{path}/{name.name}" for name in sorted(place.glob("*.yaml")))
            elif place.is_file():
                yield path

    def _with_settings(self, old: Old) -> Old:
        """Let a Python that knows YAML read the files: the old Synapse's own, or the system's."""
        paths = [str(self._place(path)) for path in old.files]
        words = "there is no Python with YAML; install python3-yaml."
        for python in pythons(old.units):
            if not os.access(python, os.X_OK):
                continue
            done = self.run([python, "-c", _MERGE, *paths])
            if done.code == 0:
                return replace(old, settings=json.loads(done.output))
            if "No module named 'yaml'" not in done.errors:
                words = done.last_words(1)
        return replace(old, unreadable=words)

    def _strays(self, units: Iterable[Unit]) -> Iterator[int]:
        """Return processes of Synapse that belong to no unit; a container's belong to none."""
        names = {unit.name for unit in units}
        for process in sorted((self.root / "proc").glob("[0-9]*"), key=lambda path: path.name):
            if PROGRAMS.search(_text(process / "cmdline").replace("\0", " ")):
                unit = _UNIT_OF_PROCESS.search(_text(process / "cgroup").strip())
                if unit is None or unit["name"] not in names:
                    yield int(process.name)

    def findings(self, old: Old) -> Findings:
        """Measure what the configuration names."""
        database = old.database
        named = [old.signing_key, *([database.path] if database.path else [])]
        missing = tuple(path for path in named if not self._place(path).exists())
        schema = self._schema(database) if not missing else 0
        same_disk = self._shares_disk(old.media)
        return Findings(
            missing,
            schema,
            tuple(self._disks(old, same_disk=same_disk)),
            has_media=self._place(old.media).is_dir(),
            same_disk=same_disk,
        )

    def _schema(self, database: Database) -> int:
        if database.path:
            return self._schema_of_file(database.path)
        return self._number(database, _SCHEMA) if database.is_local else 0

    def _number(self, database: Database, question: str) -> int:
        """Ask PostgreSQL; 0 if there is no answer."""
        where = ["--host=/run/postgresql", f"--port={database.port}", f"--dbname={database.name}"]
        how = ["--no-psqlrc", "--no-align", "--tuples-only", f"--command={question}"]
        try:
            done = self.run(["psql", *where, *how], user="postgres")
        except ServiceError:  # there is no such account, and no PostgreSQL
            return 0
        answer = done.output.strip()
        return int(answer) if done.code == 0 and answer.isdigit() else 0

    def _schema_of_file(self, path: str) -> int:
        import sqlite3  # only an adoption needs it

        place = f"{self._place(path).as_uri()}?mode=ro"
        try:
            with sqlite3.connect(place, uri=True) as connection:
                return int(connection.execute(_SCHEMA).fetchone()[0] or 0)
        except (sqlite3.Error, TypeError):
            return 0

    def _disks(self, old: Old, *, same_disk: bool) -> Iterator[Demand]:
        """Return what is written where: a copy of the database, the new one, other disks' media."""
        if old.database.path:
            size = _size(self._place(old.database.path))
            yield self._disk(DATA, size)
            yield self._disk(_POSTGRESQL, 2 * size)
        elif old.database.is_local:
            yield self._disk(_POSTGRESQL, 2 * self._number(old.database, _BYTES))
        if not same_disk:
            yield self._disk(DATA, sum(map(_size, self._place(old.media).rglob("*"))))

    def _disk(self, path: str, needed: int) -> Demand:
        place = existing(self.root / path)
        return Demand(os.stat(place).st_dev, f"/{path}", free_at(place), needed)

    def _shares_disk(self, path: str) -> bool:
        """Tell whether a file there can have a second name among our data."""
        places = (existing(self._place(path)), existing(self.root / DATA))
        return len({os.stat(place).st_dev for place in places}) == 1

    def secrets(self, old: Old) -> dict[str, str]:
        """Return the secrets that go on, by our names of them."""
        found = {name: self._secret(old.settings, names) for name, names in SECRETS.items()}
        return {name: value for name, value in {**found, PEPPER: old.pepper}.items() if value}

    def _secret(self, settings: Mapping[str, Any], names: Iterable[str]) -> str:
        for name in names:
            if settings.get(name):
                return str(settings[name])
            if settings.get(f"{name}_path"):
                return _text(self._place(str(settings[f"{name}_path"]))).strip()
        return ""

    def _place(self, path: str) -> Path:
        return self.root / path.lstrip("/")


def unit_names(root: Path) -> Iterator[str]:
    """Return the names of the units whose files start Synapse; templates run only as instances."""
    for folder in UNIT_FOLDERS:
        for path in (root / folder).glob("*.service"):
            if "@" not in path.name and PROGRAMS.search(_text(path)):
                yield path.name


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
