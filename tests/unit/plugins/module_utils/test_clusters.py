# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster of PostgreSQL is the Matrix server's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.host.clusters import (
    Cluster,
    Databases,
    facts,
    faults,
)
from ansible_collections.homestead.matrix.plugins.module_utils.host.reading import observe

OURS = ("postgresql@15-main.service",)
SETTINGS = "/etc/postgresql/15/main/conf.d/homestead.conf"


def cluster(version: int, name: str, port: int = 5432, *, used: bool = True) -> Cluster:
    return Cluster(version, name, settings=f"port = {port}\n", used=used)


@pytest.mark.parametrize(
    ("databases", "choice"),
    [
        pytest.param(Databases(), (17, "main", 5432), id="bare host"),
        pytest.param(
            Databases((cluster(17, "main", used=False),)), (17, "main", 5432), id="empty main"
        ),
        pytest.param(
            Databases((cluster(17, "main"),)), (17, "homestead", 5433), id="main of others"
        ),
        pytest.param(
            Databases((cluster(17, "app"), cluster(17, "main", 5433, used=False))),
            (17, "main", 5433),
            id="two clusters, one of them empty",
        ),
        pytest.param(
            Databases((cluster(17, "app"), cluster(17, "main", 5433))),
            (17, "homestead", 5434),
            id="two clusters of others",
        ),
        pytest.param(
            Databases((cluster(18, "main"),)), (17, "main", 5433), id="a newer version of others"
        ),
        pytest.param(
            Databases((cluster(17, "homestead", 5435, used=False), cluster(17, "main"))),
            (17, "homestead", 5435),
            id="a run that failed before its record",
        ),
        pytest.param(
            Databases((cluster(15, "main"), cluster(17, "main", 5433, used=False)), OURS),
            (15, "main", 5432),
            id="ours is older than the release",
        ),
        pytest.param(
            Databases((cluster(17, "app"), replace(cluster(17, "main", 5433), marked=True))),
            (17, "main", 5433),
            id="a lost record",
        ),
        pytest.param(
            Databases(
                (cluster(15, "main"), cluster(17, "main", 5433)),
                (*OURS, "postgresql@17-main.service"),
            ),
            (15, "main", 5432),
            id="an interrupted move",
        ),
    ],
)
def test_the_choice(databases: Databases, choice: tuple[int, str, int]) -> None:
    found = databases.chosen(17, busy=())
    assert (found.version, found.name, found.port) == choice


def test_a_new_cluster_gets_a_port_that_nobody_has() -> None:
    taken = Databases((cluster(17, "main", 5433),))
    assert taken.chosen(17, busy=[22, 5432]).port == 5434


@pytest.mark.parametrize(
    ("settings", "port"),
    [
        pytest.param("", 5432, id="none"),
        pytest.param("port = 5433\t# (change requires restart)", 5433, id="as Debian writes it"),
        pytest.param("#port = 5433", 5432, id="a comment"),
        pytest.param("port = 5433\nport '5434'", 5434, id="the last word"),
    ],
)
def test_the_port(settings: str, port: int) -> None:
    assert Cluster(17, "main", settings).port == port


def test_facts_of_our_own() -> None:
    ours = cluster(15, "main")
    assert facts(Databases((ours,), OURS, frozenset({SETTINGS})), ours, version=17) == {
        "version": 15,
        "cluster": "main",
        "port": 5432,
        "shared": False,
        "data": "",
        "next": {"version": 17, "cluster": "main", "port": 5432, "shared": False, "fault": ""},
    }


def test_a_cluster_without_our_settings_is_shared() -> None:
    ours = cluster(15, "main")
    assert facts(Databases((ours,), OURS), ours, version=17)["shared"]


@pytest.mark.parametrize(
    "databases",
    [
        pytest.param(Databases(), id="no cluster"),
        pytest.param(Databases((cluster(17, "main", used=False),)), id="an empty one"),
        pytest.param(
            Databases((cluster(17, "app"), cluster(17, "main", 5433, used=False)), OURS),
            id="the database went into the wrong one",
        ),
        pytest.param(Databases((cluster(17, "main"),)), id="another one"),
    ],
)
def test_an_empty_database_never_takes_the_place_of_ours(databases: Databases) -> None:
    choice = databases.chosen(17, busy=())
    [sentence] = faults(databases, choice, version=17, expected=True)
    assert f"PostgreSQL's cluster {choice.title} has no database for it" in sentence
    assert faults(databases, choice, version=17, expected=False) == []


@pytest.mark.parametrize(
    ("databases", "words"),
    [
        pytest.param(Databases(), "no database of a Matrix server", id="nothing there"),
        pytest.param(
            Databases((cluster(17, "main"),), ("postgresql@17-main.service",)),
            "nothing to move: the database is in PostgreSQL's cluster 17/main",
            id="nothing newer",
        ),
        pytest.param(Databases((cluster(15, "main"),), OURS), "not ours alone", id="shared"),
        pytest.param(
            Databases(
                (cluster(15, "main"), cluster(17, "homestead"), cluster(17, "main")),
                OURS,
                frozenset({SETTINGS}),
            ),
            "pg_dropcluster 17 homestead",
            id="no place",
        ),
    ],
)
def test_what_is_not_moved(databases: Databases, words: str) -> None:
    told = facts(databases, databases.chosen(17, busy=()), version=17)
    assert words in str(told["next"])


@pytest.mark.parametrize(
    ("others", "name"),
    [
        pytest.param((), "main", id="nothing there"),
        pytest.param((cluster(17, "main", 5433, used=False),), "main", id="as Debian made it"),
        pytest.param((cluster(17, "main", 5433),), "homestead", id="main of others"),
    ],
)
def test_where_it_is_moved(others: tuple[Cluster, ...], name: str) -> None:
    databases = Databases((cluster(15, "main"), *others), OURS, frozenset({SETTINGS}))
    told = facts(databases, databases.chosen(17, busy=()), version=17)
    place = {"version": 17, "cluster": name, "port": 5432, "shared": False, "fault": ""}
    assert told["next"] == place


@pytest.mark.parametrize(
    ("programs", "number"),
    [pytest.param({15, 17}, 0, id="installed"), pytest.param({17}, 1, id="removed")],
)
def test_a_version_that_is_gone(programs: set[int], number: int) -> None:
    ours = cluster(15, "main")
    databases = Databases((ours,), OURS, programs=frozenset(programs))
    found = faults(databases, ours, version=17, expected=True)
    assert len(found) == number
    assert all("install postgresql-15 again" in sentence for sentence in found)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a directory that looks like a host with Debian's own cluster."""
    files = {
        "etc/postgresql/15/main/postgresql.conf": "data_directory = '/data/15'\nport = 5432\n",
        "etc/postgresql/15/main/conf.d/more.conf": "port = 5444\n",
        "usr/lib/postgresql/15/bin/postgres": "",
        "data/15/base/1/13410": "",
        "data/15/base/5/2619_fsm": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_cluster_is_read(root: Path) -> None:
    databases = observe(root).databases
    [found] = databases.clusters
    assert (found.title, found.port, found.marked, found.used) == ("15/main", 5444, False, False)
    assert databases.programs == {15}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("data/15/base/16384/1259", id="a database"),
        pytest.param("data/15/base/5/16385_vm", id="a table in a database of PostgreSQL's own"),
    ],
)
def test_what_somebody_made_is_seen(root: Path, path: str) -> None:
    (root / path).parent.mkdir(exist_ok=True)
    (root / path).touch()
    assert observe(root).databases.clusters[0].used


def test_what_cannot_be_seen_counts_as_used(root: Path) -> None:
    configuration = root / "etc/postgresql/15/main/postgresql.conf"
    configuration.write_text("data_directory = '/elsewhere'\n", encoding="utf-8")
    assert observe(root).databases.clusters[0].used


def test_the_record_is_read(root: Path) -> None:
    record = root / "var/lib/homestead/services/postgresql.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"files": {SETTINGS: {}}, "units": OURS}), encoding="utf-8")
    databases = observe(root).databases
    assert (databases.units, databases.files) == (OURS, {SETTINGS})
    assert databases.ours() == databases.clusters[0]
    record.write_text("rubbish", encoding="utf-8")
    assert observe(root).databases.units == ()
