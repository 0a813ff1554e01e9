# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is taken over of an older Synapse, and what speaks against it."""

from __future__ import annotations

import json
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.adoption import old as adoption
from ansible_collections.homestead.matrix.plugins.module_utils.adoption.old import (
    MEGABYTE,
    SCHEMA,
    Demand,
    Findings,
    Old,
    facts,
    faults,
    not_taken_over,
)
from ansible_collections.homestead.matrix.plugins.module_utils.adoption.reading import Reader
from ansible_collections.homestead.matrix.plugins.module_utils.adoption.running import (
    Unit,
    configured_at,
    keys_directory,
    pythons,
    read_units,
)
from ansible_collections.homestead.matrix.plugins.module_utils.answers import adopt
from ansible_collections.homestead.matrix.plugins.module_utils.request import ModuleRequest
from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import (
    Outcome,
    Places,
)
from ansible_collections.homestead.matrix.plugins.module_utils.service.model import ServiceError

SHOWN = """\
Id=chat.service
User=chat
WorkingDirectory=/srv/chat
ExecStart={ path=/srv/env/bin/python ; argv[]=/srv/env/bin/python -m synapse.app.homeserver \
-c /srv/chat/homeserver.yaml --config-path=more.yaml ; ignore_errors=no ; pid=0 }
ActiveState=active
UnitFileState=enabled
DropInPaths=/etc/systemd/system/matrix-synapse.service.d/a.conf /run/systemd/system/b.conf

Id=chat-old.service
User=
WorkingDirectory=!/srv/older
ExecStart={ path=/srv/env/bin/synctl ; argv[]=/srv/env/bin/synctl start ; ignore_errors=no }
ActiveState=inactive
UnitFileState=disabled
"""
CHAT, OLDER = read_units(SHOWN)
WORKER = replace(CHAT, name="w.service", command="/srv/env/bin/synapse_worker -c w.yaml")
FILES = ("/srv/chat/homeserver.yaml",)
PLAIN: dict[str, Any] = {"server_name": "example.com"}
POSTGRESQL = {"name": "psycopg2", "args": {"dbname": "chat", "host": "localhost", "port": 5433}}


def old(**settings: Any) -> Old:
    return Old((CHAT, OLDER), FILES, {**PLAIN, **settings})


def test_units_are_read() -> None:
    words = "/srv/env/bin/python -m synapse.app.homeserver "
    words += "-c /srv/chat/homeserver.yaml --config-path=more.yaml"
    drop_ins = (f"{adoption._DROP_INS}a.conf", "/run/systemd/system/b.conf")
    assert Unit("chat.service", words, "chat", "/srv/chat", True, True, drop_ins) == CHAT
    assert (OLDER.user, OLDER.folder, OLDER.active, OLDER.enabled) == (
        "root",
        "/srv/older",
        False,
        False,
    )


@pytest.mark.parametrize(
    ("units", "paths"),
    [
        pytest.param(
            [CHAT, OLDER], ["/srv/chat/homeserver.yaml", "/srv/chat/more.yaml"], id="options"
        ),
        pytest.param([OLDER], ["/srv/older/homeserver.yaml"], id="synctl"),
        pytest.param(
            [WORKER],
            ["/etc/matrix-synapse/homeserver.yaml", "/etc/matrix-synapse/conf.d"],
            id="only a worker",
        ),
        pytest.param(
            [],
            ["/etc/matrix-synapse/homeserver.yaml", "/etc/matrix-synapse/conf.d"],
            id="no unit",
        ),
    ],
)
def test_where_the_configuration_is(units: list[Unit], paths: list[str]) -> None:
    assert configured_at(units) == paths


def test_the_python_is_the_units_own_or_the_systems() -> None:
    assert pythons([CHAT, OLDER]) == [
        "/srv/env/bin/python",
        "/opt/venvs/matrix-synapse/bin/python",
        "/usr/bin/python3",
    ]


def test_the_key_is_beside_the_configuration_or_where_the_unit_says() -> None:
    told = replace(CHAT, command=f"{CHAT.command} --keys-directory /srv/keys")
    assert keys_directory([CHAT], FILES) == "/srv/chat"
    assert keys_directory([told], FILES) == "/srv/keys"
    assert old().signing_key == "/srv/chat/example.com.signing.key"
    assert old(signing_key_path="my.key").signing_key == "/srv/chat/my.key"


def test_facts() -> None:
    kept = {"ed25519:a": {"key": "k", "expired_ts": 1}}
    found = Findings(has_media=True, same_disk=True)
    given = old(old_signing_keys=kept, password_config={"pepper": "p"}, macaroon_secret_key="m")
    assert facts(given, found) == {
        "units": ["chat.service", "chat-old.service"],
        "drop_ins": [{"path": f"{adoption._DROP_INS}a.conf", "state": "absent"}],
        "signing_key": "/srv/chat/example.com.signing.key",
        "media": {"path": "/srv/chat/media_store", "same_disk": True},
        "sqlite": "/srv/chat/homeserver.db",
        "postgresql": {"name": "", "port": 5432},
        "keeps": {"pepper": True, "settings": {"old_signing_keys": kept}},
    }


GIGABYTE = 1024 * MEGABYTE


@pytest.mark.parametrize(
    ("given", "found", "words"),
    [
        pytest.param(old(server_name="other.org"), Findings(), "serves other.org", id="domain"),
        pytest.param(replace(old(), settings={}), Findings(), "no domain yet", id="unconfigured"),
        pytest.param(
            replace(old(), unreadable="line 1 is odd"), Findings(), "line 1 is odd", id="YAML"
        ),
        pytest.param(
            replace(old(), units=(CHAT, replace(OLDER, active=True))),
            Findings(),
            "chat.service and chat-old.service both run Synapse",
            id="two of them",
        ),
        pytest.param(replace(old(), strays=(7,)), Findings(), "(process 7)", id="no unit's"),
        pytest.param(
            old(stream_writers={"events": "w"}), Findings(), "(stream_writers)", id="workers"
        ),
        pytest.param(
            old(instance_map={"main": {}, "w": {}}), Findings(), "(instance_map)", id="instances"
        ),
        pytest.param(
            replace(old(), units=(CHAT, WORKER)), Findings(), "(w.service)", id="a worker's unit"
        ),
        pytest.param(old(signing_key="ed25519 a b"), Findings(), "write it to a file", id="key"),
        pytest.param(
            old(),
            Findings(missing=("/srv/chat/example.com.signing.key",)),
            "signing_key_path must name it",
            id="no key",
        ),
        pytest.param(
            old(), Findings(missing=("/srv/chat/homeserver.db",)), "is not there", id="no database"
        ),
        pytest.param(old(databases={}), Findings(), "several databases", id="several databases"),
        pytest.param(
            old(database=POSTGRESQL),
            Findings(),
            "cannot be read (chat, at PostgreSQL's port 5433)",
            id="PostgreSQL does not answer",
        ),
        pytest.param(
            old(database={**POSTGRESQL, "args": {"dbname": "chat", "host": "db.example.com"}}),
            Findings(schema=SCHEMA),
            "on another one (db.example.com)",
            id="PostgreSQL elsewhere",
        ),
        pytest.param(
            old(), Findings(schema=SCHEMA + 1), f"newer (schema {SCHEMA + 1})", id="newer"
        ),
        pytest.param(
            old(),
            Findings(
                disks=(
                    Demand(1, "/a", GIGABYTE, 400 * MEGABYTE),
                    Demand(1, "/b", GIGABYTE, 125 * MEGABYTE),
                )
            ),
            "1025 MB must be free at /a, and 1024 MB are",
            id="one disk for all",
        ),
    ],
)
def test_what_speaks_against_it(given: Old, found: Findings, words: str) -> None:
    (sentence,) = faults(given, found, domain="example.com")
    assert words in sentence


def test_an_ordinary_one_is_taken_over() -> None:
    disks = (Demand(1, "/a", GIGABYTE, 400 * MEGABYTE), Demand(2, "/b", GIGABYTE, 400 * MEGABYTE))
    given = old(instance_map={"main": {}}, macaroon_secret_key="m")
    assert faults(given, Findings(schema=SCHEMA, disks=disks), domain="example.com") == []


def test_one_with_postgresql_is_taken_over() -> None:
    given = old(database=POSTGRESQL)
    assert faults(given, Findings(schema=SCHEMA), domain="example.com") == []
    taken = facts(given, Findings())
    assert (taken["sqlite"], taken["postgresql"]) == ("", {"name": "chat", "port": 5433})


def test_settings_that_nobody_keeps_are_named_with_their_variables() -> None:
    before = {
        **PLAIN,
        "listeners": [],
        "form_secret": "s",
        "report_stats": False,
        "password_config": {"pepper": "p", "enabled": None},
        "max_upload_size": "10M",
        "url_preview_enabled": True,
        "retention": {"enabled": True},
        "pid_file": "/x",
        "email": None,
    }
    ours = {"report_stats": False, "max_upload_size": "50M", "url_preview_enabled": False}
    assert not_taken_over(before, ours) == [
        "max_upload_size (matrix_max_upload_mb)",
        "retention",
        "url_preview_enabled",
    ]
    policy = {"password_config": {"pepper": "p", "policy": {"minimum_length": 9}}}
    assert not_taken_over(policy, ours) == ["password_config"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a directory that looks like a host with a Synapse whose unit is `chat`."""
    files = {
        "etc/systemd/system/chat.service": "ExecStart=/x -m synapse.app.homeserver -c /srv/chat",
        "etc/systemd/system/cat.service": "ExecStart=/bin/cat\n",
        "etc/systemd/system/w@.service": "ExecStart=/x -m synapse.app.generic_worker\n",
        "srv/chat/b.yaml": "macaroon_secret_key: newer\nform_secret_path: /srv/chat/form\n",
        "srv/chat/a.yaml": "server_name: example.com\nmacaroon_secret_key: older\n"
        "password_config: {pepper: salty}\nregistration_shared_secret: shared\n",
        "srv/chat/form": "formal\n",
        "srv/chat/example.com.signing.key": "ed25519 a_x key\n",
        "srv/chat/media_store/a": "picture",
        "proc/7/cmdline": "/x\0-m\0synapse.app.homeserver\0",
        "proc/7/cgroup": "0::/system.slice/chat.service\n",
        "proc/8/cmdline": "/x\0-m\0synapse.app.homeserver\0",
        "proc/8/cgroup": "0::/docker/abc\n",
        "proc/9/cmdline": "cat\0",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    with sqlite3.connect(tmp_path / "srv/chat/homeserver.db") as database:
        database.execute("create table schema_version (version int)")
        database.execute("insert into schema_version values (84)")
    database.close()
    return tmp_path


@pytest.fixture
def reader(root: Path) -> Reader:
    shown = f"""\
Id=chat.service
User=chat
WorkingDirectory=/srv/chat
ExecStart={{ path=x ; argv[]={sys.executable} -m synapse.app.homeserver -c /srv/chat ; x=y }}
ActiveState=active
"""

    def run(argv: Any, **_how: Any) -> Outcome:
        if argv[0] == "systemctl":
            assert argv[3:] == ["chat.service"]
            return Outcome(0, shown)
        from ansible_collections.homestead.matrix.plugins.module_utils.service import machine

        return machine.run_program(argv)

    return Reader(root, run)


def test_a_host_with_one_is_read(reader: Reader) -> None:
    found = reader.old()
    assert found.files == ("/srv/chat/a.yaml", "/srv/chat/b.yaml")
    assert found.settings["macaroon_secret_key"] == "newer"
    assert found.strays == (8,)
    assert "salty" not in repr(found)
    measured = reader.findings(found)
    assert (measured.missing, measured.schema, measured.has_media) == ((), 84, True)
    assert measured.same_disk
    sentences, taken = reader.judged("example.com")
    assert sentences == [
        "A Synapse runs that no unit of systemd has started (process 8); stop it, so that its "
        "database is at rest."
    ]
    assert taken == {}


def test_postgresql_is_asked_for_its_schema_and_size(reader: Reader, root: Path) -> None:
    words = "{name: psycopg2, args: {database: chat, port: 5433}}"
    (root / "srv/chat/b.yaml").write_text(f"database: {words}\n", encoding="utf-8")
    asked: list[Any] = []

    def run(argv: Any, **how: Any) -> Outcome:
        if argv[0] != "psql":
            return reader.run(argv, **how)
        asked.append((argv[2:4], how))
        return Outcome(0, "84\n" if "schema_version" in argv[-1] else "1000000\n")

    other = replace(reader, run=run)
    measured = other.findings(other.old())
    assert asked[0] == (["--port=5433", "--dbname=chat"], {"user": "postgres"})
    assert measured.schema == 84
    assert [disk.needed for disk in measured.disks] == [2000000]


def test_a_host_without_postgresql_answers_nothing(reader: Reader, root: Path) -> None:
    (root / "srv/chat/b.yaml").write_text("database: {name: psycopg2}\n", encoding="utf-8")

    def run(argv: Any, **how: Any) -> Outcome:
        if argv[0] == "psql":
            raise ServiceError("there is no user 'postgres'")
        return reader.run(argv, **how)

    other = replace(reader, run=run)
    assert other.findings(other.old()).schema == 0


def test_a_broken_configuration_is_said_by_its_own_python(reader: Reader, root: Path) -> None:
    (root / "srv/chat/b.yaml").write_text("a: [", encoding="utf-8")
    (sentence,) = reader.judged("example.com")[0]
    assert sentence.startswith("The configuration of the Synapse on the host cannot be read: ")


def ask(
    settings: dict[str, Any], adoption: dict[str, Any], *, check: bool = False
) -> ModuleRequest:
    return ModuleRequest({"adoption": adoption, "settings": settings}, check=check, diff=False)


def test_secrets_are_kept_and_only_names_are_told(reader: Reader, tmp_path: Path) -> None:
    places = Places(tmp_path / "state", tmp_path / "secrets")
    result = adopt.answer(ask({}, {"units": ["chat.service"]}), places, reader)
    assert result["changed"]
    kept = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert kept == {
        "synapse_form": "formal\n",
        "synapse_macaroon": "newer\n",
        "synapse_registration": "shared\n",
        "synapse_pepper": "salty\n",
    }
    assert not any(value.strip() in json.dumps(result) for value in kept.values())
    begun = json.loads((tmp_path / "state/adoption.json").read_text())
    assert begun == {"units": ["chat.service"], "begun": True}
    again = adopt.answer(ask({}, begun), places, reader)
    assert again == {"changed": False, "not_taken_over": []}


def test_a_check_writes_nothing(reader: Reader, tmp_path: Path) -> None:
    places = Places(tmp_path / "state", tmp_path / "secrets")
    assert adopt.answer(ask({}, {"units": []}, check=True), places, reader)["changed"]
    assert not places.state.exists()
    assert not places.secrets.exists()
