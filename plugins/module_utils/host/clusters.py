# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster of PostgreSQL is the Matrix server's, among those that a host may have.

It is the one that the record of the service `postgresql` names; the others are left alone. While
there is none yet, Debian's own cluster `main` is taken if nobody has put anything into it, else
one of the name `homestead` is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..already_there import Found

FIRST_PORT = 5432
OWN_NAME = "homestead"
_DATA = re.compile(r"^\s*data_directory\s*[=\s]\s*'([^']*)'", re.MULTILINE)
_PORT = re.compile(r"^\s*port\s*[=\s]\s*'?(\d+)", re.MULTILINE)

ALREADY_THERE = (
    Found(
        "a cluster of PostgreSQL that holds something, like an application's database",
        "leaves alone",
        "the Matrix server gets a cluster of its own, on another port",
    ),
    Found("Debian's cluster `main` of PostgreSQL, empty", "uses", "nobody has put anything there"),
)


@dataclass(frozen=True)
class Cluster:
    """A cluster as Debian's postgresql-common keeps it, in /etc/postgresql/VERSION/NAME."""

    version: int
    name: str
    settings: str = ""
    """What its configuration files say, in the order in which PostgreSQL reads them."""
    marked: bool = False
    """Whether a file of our settings stands among them."""
    used: bool = False
    """Whether somebody made a database or a table in it, or it cannot be seen."""

    @property
    def title(self) -> str:
        return f"{self.version}/{self.name}"

    @property
    def unit(self) -> str:
        return f"postgresql@{self.version}-{self.name}.service"

    @property
    def own_settings(self) -> str:
        """Return where our settings stand in it."""
        return f"/etc/postgresql/{self.title}/conf.d/homestead.conf"

    @property
    def port(self) -> int:
        """Return the port, which is a part of its socket's name; the last word counts."""
        return int(_last(_PORT, self.settings) or FIRST_PORT)

    @property
    def data(self) -> str:
        """Return where its data are, empty if that is not said."""
        return _last(_DATA, self.settings)


def _last(setting: re.Pattern[str], settings: str) -> str:
    values: list[str] = setting.findall(settings)
    return values[-1] if values else ""


@dataclass(frozen=True)
class Databases:
    """What a host has of PostgreSQL, and what is remembered of ours."""

    clusters: tuple[Cluster, ...] = ()
    units: tuple[str, ...] = ()
    """The units of the service `postgresql`, as its record has them; older ones come first."""
    files: frozenset[str] = frozenset()
    """The files of that record."""
    programs: frozenset[int] = frozenset()
    """The versions that are installed."""

    def ours(self) -> Cluster | None:
        """Return the cluster of the Matrix server; the marks count if the record is lost."""
        known = (c for unit in self.units for c in self.clusters if c.unit == unit)
        return next(known, None) or next((c for c in self.clusters if c.marked), None)

    def chosen(self, version: int, busy: Iterable[int]) -> Cluster:
        """Return that cluster, or the one that shall be it, which may still be made.

        It is made in this version, on a port that nobody has. The order is such that a run which
        failed half way is followed by one that chooses the same.
        """
        if found := self.ours():
            return found
        name = self._free_name(version)
        taken = {*busy, *(cluster.port for cluster in self.clusters)}
        free = next(port for port in range(FIRST_PORT, 65536) if port not in taken)
        return self._find(version, name) or Cluster(version, name, settings=f"port = {free}")

    def _free_name(self, version: int) -> str:
        main = self._find(version, "main")
        if self._find(version, OWN_NAME) or (main and main.used):
            return OWN_NAME
        return "main"

    def _find(self, version: int, name: str) -> Cluster | None:
        named = (c for c in self.clusters if (c.version, c.name) == (version, name))
        return next(named, None)

    def is_shared(self, cluster: Cluster) -> bool:
        """Whether our database is a guest there: then none of our settings stands in it."""
        return cluster.unit in self.units and cluster.own_settings not in self.files

    def moved(self, cluster: Cluster, version: int) -> Cluster:
        """Return what a cluster becomes when it is moved to this version."""
        name = self._free_name(version)
        there = self._find(version, name)
        return replace(cluster, version=version, name=name, used=bool(there and there.used))


def faults(databases: Databases, cluster: Cluster, *, version: int, expected: bool) -> list[str]:
    """Return a sentence for everything that would part the Matrix server from its database.

    `version` is what this release of Debian has, `expected` whether there must be a database.
    """
    if expected and not (cluster in databases.clusters and cluster.used):
        return [
            f"Synapse has run on this host, but PostgreSQL's cluster {cluster.title} has no "
            "database for it, and with an empty one all accounts and rooms would be lost from "
            "sight; bring the cluster or its databases back."
        ]
    if cluster.version not in {version, *databases.programs}:
        return [
            f"The database is in PostgreSQL's cluster {cluster.title}, but PostgreSQL "
            f"{cluster.version} is not installed any more, and this release of Debian has only "
            f"{version}; install postgresql-{cluster.version} again, for instance from "
            "apt.postgresql.org."
        ]
    return []


def move_fault(databases: Databases, cluster: Cluster, target: Cluster) -> str:
    """Return why a cluster cannot be moved, empty if it can."""
    if cluster not in databases.clusters:
        return "The host has no database of a Matrix server that could be moved."
    if cluster.version >= target.version:
        return (
            f"There is nothing to move: the database is in PostgreSQL's cluster {cluster.title}, "
            f"and this release of Debian has PostgreSQL {target.version}."
        )
    if databases.is_shared(cluster):
        return (
            f"The cluster {cluster.title} of PostgreSQL is not ours alone; move it with "
            "pg_upgradecluster when all who use it agree."
        )
    if target.used:
        return (
            f"The cluster {target.title} of PostgreSQL holds something already; look at it, and "
            f"drop it with pg_dropcluster {target.version} {target.name} if nobody needs it."
        )
    return ""


def facts(databases: Databases, cluster: Cluster, *, version: int) -> dict[str, object]:
    """Return what the roles want to know about it, and about where it could be moved."""
    target = databases.moved(cluster, version)
    return {
        **_words(databases, cluster),
        "data": cluster.data,
        "next": {
            **_words(databases, target),
            "fault": move_fault(databases, cluster, target),
        },
    }


def _words(databases: Databases, cluster: Cluster) -> dict[str, object]:
    return {
        "version": cluster.version,
        "cluster": cluster.name,
        "port": cluster.port,
        "shared": databases.is_shared(cluster),
    }
