# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that was made on Debian 12, whose host is upgraded to 13 as Debian's notes say.

About ten minutes of two cores: two releases of Debian, and Synapse's environment for each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, Lab

CLIENT = """
import sys
from urllib.request import Request, urlopen
method, url, token = sys.argv[1:]
body = sys.stdin.buffer.read() if method != "GET" else None
headers = {"Authorization": token, "Content-Type": "application/json"}
print(urlopen(Request(url, body, headers, method=method), timeout=60).read().decode())
"""
PASSWORD = "correct horse battery staple"
UPGRADE = """
sed -i s/bookworm/trixie/g /etc/apt/sources.list
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get full-upgrade -qqy -o Dpkg::Options::=--force-confold
apt-get autoremove -qqy
"""
# A table that no restore can fill: its index calls a function that fails by now.
UNRESTORABLE = """
create function odd(integer) returns integer language sql immutable as 'select $1';
create table odd as select 1 as number;
create index on odd (odd(number));
create or replace function odd(integer) returns integer language sql immutable as 'select 1 / 0';
"""
PSQL = ("runuser", "-u", "postgres", "--", "psql", "--quiet", "synapse")
SYNAPSES_PYTHON = ("/opt/matrix-synapse/current/bin/python",)
CLUSTER = 'pg_lsclusters --no-header | awk \'$4 == "online" {print $1 "/" $2, $3}\''


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Give a server on Debian 12 with an account and a room."""
    lab = Lab("release")
    lab.up(release="12")
    assert (made := lab.play("site")).status == 0, made.output[-4000:]
    yield lab
    lab.down()


def ask(lab: Lab, method: str, path: str, token: str = "", **body: object) -> dict[str, Any]:
    """Ask Synapse on its host, as a client does."""
    asked = [method, f"http://127.0.0.1:8008/_matrix/client/v3{path}", f"Bearer {token}"]
    said = lab.run("matrix", "python3", "-c", CLIENT, *asked, stdin=json.dumps(body))
    return dict(json.loads(said))


def test_an_upgrade_of_the_release_loses_nothing(lab: Lab) -> None:
    """The same session sees the same room, in the old version of PostgreSQL and in the new one."""
    lab.module("matrix", "homestead.matrix.user", name="alice", password=PASSWORD)
    login = {"type": "m.login.password", "user": "alice", "password": PASSWORD}
    token = ask(lab, "POST", "/login", **login)["access_token"]
    room = ask(lab, "POST", "/createRoom", token, name="Before")["room_id"]

    def is_as_before() -> bool:
        return ask(lab, "GET", f"/rooms/{room}/state/m.room.name", token) == {"name": "Before"}

    refused = lab.play("upgrade_database")
    assert "There is nothing to move" in refused.output
    assert refused.recap("matrix")["changed"] == 0
    assert is_as_before()

    lab.shell("matrix", UPGRADE)
    assert lab.attempt("matrix", *SYNAPSES_PYTHON, "-c", "import synapse").returncode != 0
    lab.run("matrix", "systemctl", "stop", "matrix-synapse")  # it would not survive a boot
    run = lab.play("site")
    assert run.status == 0, run.output[-8000:]
    assert lab.shell("matrix", CLUSTER) == "15/main 5432\n"
    assert is_as_before()
    assert lab.play("site").recap("matrix")["changed"] == 0

    # What cannot be restored leaves everything where it is.
    lab.run("matrix", *PSQL, stdin=UNRESTORABLE)
    failed = lab.play("upgrade_database")
    assert "could not be moved and is in PostgreSQL's cluster 15/main as before" in failed.output
    assert lab.shell("matrix", CLUSTER) == "15/main 5432\n"
    assert is_as_before()
    lab.run("matrix", *PSQL, stdin="drop table odd; drop function odd;")

    moved = lab.play("upgrade_database")
    assert moved.status == 0, moved.output[-8000:]
    assert lab.shell("matrix", CLUSTER) == "17/main 5432\n"
    assert is_as_before()
    last = lab.play("site")
    assert (last.status, last.recap("matrix")["changed"]) == (0, 0), last.output[-8000:]
    lab.reboot("matrix")
    assert lab.shell("matrix", CLUSTER) == "17/main 5432\n"
    assert is_as_before()
    assert lab.read("matrix", "/var/lib/homestead/server_name").strip() == DOMAIN
