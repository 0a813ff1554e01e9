# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that already runs a Synapse: refused, and with matrix_adopt taken over with all it has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from ansible_collections.homestead.matrix.tests.lab.provisioned import RELEASE
from ansible_collections.homestead.matrix.tests.lab.runs import Run, kill, wait_until
from ansible_collections.homestead.matrix.tests.lived_in import old_synapse
from ansible_collections.homestead.matrix.tests.lived_in.old_synapse import (
    HOME,
    NAME,
    PASSWORD,
    Client,
)

DESCRIPTION = {"matrix_domain": NAME, "matrix_hostname": NAME}
ADOPT = {**DESCRIPTION, "matrix_adopt": True}
PICTURE = "a picture " * 1000
SECRETS = ("an old macaroon", "an old form", "an old registration", "an old pepper")


@dataclass(frozen=True)
class Life:
    """What there was before us."""

    alice: Client
    bob: Client
    room: str
    media: str
    key: str
    database: str
    """The checksum of the file of SQLite."""
    refused: Run
    dry: Run
    failed: Run
    after_failure: str
    """Whether the old server ran then."""
    interrupted: Run
    first: Run
    second: Run


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    lab = Lab("adoption")
    lab.up(release=RELEASE, only=("ns", "matrix", "vantage", "peer"))
    yield lab
    lab.down()


@pytest.fixture(scope="module")
def life(lab: Lab) -> Life:
    """Live with the old Synapse for a while, and then run the collection as its owner would."""
    old_synapse.install(lab, old_synapse.SETTINGS)
    alice, bob = Client(lab, NAME).registered("alice"), old_synapse.on_peer(lab).registered("bob")
    made = alice.ask("POST", "v3/createRoom", {"preset": "public_chat"})
    room: str = made["room_id"]
    bob.ask("POST", f"v3/join/{room}?server_name={NAME}", {})
    alice.say(room, "before")
    wait_until(lambda: "before" in bob.texts(room), seconds=30)
    uploaded = json.loads(alice.fetch("POST", "/_matrix/media/v3/upload", PICTURE))
    media = uploaded["content_uri"].removeprefix("mxc://")
    old_synapse.behind_a_web_server(lab)
    key = lab.read("matrix", old_synapse.KEY).split()[1]
    refused = run(lab, DESCRIPTION)
    dry = run(lab, ADOPT, "--check", "--diff")
    wrong = {**lab.settings["synapse_settings"], "max_upload_size": "as much as you like"}
    failed = run(lab, {**ADOPT, "synapse_settings": wrong})
    after_failure = lab.run("matrix", "systemctl", "is-active", "chat.service").strip()
    database = killed_while_it_ports(lab)
    interrupted = run(lab, DESCRIPTION)
    first = run(lab, ADOPT)
    assert first.status == 0, first.output[-8000:]
    second = run(lab, ADOPT)
    runs = (refused, dry, failed, after_failure, interrupted, first, second)
    return Life(alice, bob, room, media, key, database, *runs)


def run(lab: Lab, variables: dict[str, Any], *options: str) -> Run:
    return lab.play("site", "--limit", "matrix", *options, **variables)


def killed_while_it_ports(lab: Lab) -> str:
    """Let a run die on both sides in the middle, and return the checksum of the old database."""
    working = ("pgrep", "--full", "synapse_port_db|homestead-matrix")
    process = lab.start("site", "--limit", "matrix", "--extra-vars", json.dumps(ADOPT))
    porting = ("pgrep", "--full", "bin/synapse_port_db")
    wait_until(lambda: lab.attempt("matrix", *porting).returncode == 0, seconds=900)
    kill(process)
    lab.run("matrix", "kill", "-9", *lab.run("matrix", *working).split())
    assert lab.attempt("matrix", "systemctl", "is-active", "chat.service").returncode != 0
    return checksum(lab)


def checksum(lab: Lab) -> str:
    return lab.run("matrix", "sha256sum", f"{HOME}/homeserver.db").split()[0]


def test_without_the_word_it_is_refused_and_both_ways_are_named(life: Life) -> None:
    assert life.refused.status != 0
    assert life.refused.recap("matrix")["changed"] == 0
    assert (
        "has a Synapse that this collection did not set up (/etc/systemd/system/chat.service)"
        in (life.refused.output)
    )
    assert "Adopt it with matrix_adopt: true, or take another host" in life.refused.output


def test_a_dry_run_names_what_would_not_be_kept(life: Life) -> None:
    assert life.dry.status == 0, life.dry.output[-4000:]
    assert "were not taken over" in life.dry.output
    assert "user_directory" in life.dry.output
    assert "max_upload_size (matrix_max_upload_mb)" in life.dry.output


def test_the_old_server_runs_again_after_a_failure(life: Life) -> None:
    assert life.failed.status != 0
    assert "Running as before: chat.service." in life.failed.output
    assert life.after_failure == "active"


def test_a_killed_run_is_finished_and_never_begun_anew(life: Life) -> None:
    assert life.interrupted.status != 0
    assert "adoption of the Synapse on the host was interrupted" in life.interrupted.output
    assert life.first.status == 0


def test_the_second_run_changes_nothing(life: Life) -> None:
    assert life.second.status == 0, life.second.output[-4000:]
    assert life.second.recap("matrix")["changed"] == 0


def test_a_session_goes_on_in_its_room(life: Life) -> None:
    assert life.alice.ask("GET", "v3/account/whoami")["user_id"] == life.alice.user
    assert "before" in life.alice.texts(life.room)


def test_passwords_hold(life: Life) -> None:
    body: dict[str, Any] = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": "alice"},
        "password": PASSWORD,
    }
    anybody = Client(life.alice.lab, NAME)
    assert anybody.ask("POST", "v3/login", body)["user_id"] == life.alice.user


def test_media_are_there(life: Life) -> None:
    assert life.alice.fetch("GET", f"/_matrix/client/v1/media/download/{life.media}") == PICTURE


def test_the_other_server_accepts_events_of_the_same_key(life: Life, lab: Lab) -> None:
    assert lab.read("matrix", "/var/lib/matrix-synapse/signing.key").split()[1] == life.key
    event = life.alice.say(life.room, "after")
    wait_until(lambda: "after" in life.bob.texts(life.room), seconds=60)
    life.bob.say(life.room, "answer")
    wait_until(lambda: "answer" in life.alice.texts(life.room), seconds=60)
    assert event.startswith("$")
    keys = json.loads(life.alice.fetch("GET", "/_matrix/key/v2/server"))
    assert "ed25519:older" in keys["old_verify_keys"]


def test_what_was_there_is_still_there(life: Life, lab: Lab) -> None:
    assert checksum(lab) == life.database
    state = lab.attempt("matrix", "systemctl", "is-enabled", "chat.service").stdout.decode()
    assert state.strip() == "disabled"
    assert lab.attempt("matrix", "systemctl", "is-active", "chat.service").returncode != 0
    lab.run("matrix", "test", "-f", "/etc/systemd/system/chat.service")


def test_no_secret_was_told(life: Life, lab: Lab) -> None:
    for done in (life.refused, life.dry, life.failed, life.interrupted, life.first, life.second):
        assert not [secret for secret in SECRETS if secret in done.output]
    kept = lab.read("matrix", "/etc/homestead/secrets/synapse_macaroon")
    assert kept == "an old macaroon secret\n"


@pytest.fixture(scope="module")
def with_postgresql() -> Iterator[Lab]:
    lab = Lab("adoption-postgresql")
    lab.up(release=RELEASE, only=("ns", "matrix", "vantage"))
    yield lab
    lab.down()


def test_one_on_postgresql_is_taken_over(with_postgresql: Lab) -> None:
    """Its database stays as it is, and ours has a cluster of its own beside it."""
    lab = with_postgresql
    old_synapse.install(lab, old_synapse.ON_POSTGRESQL)
    alice = Client(lab, NAME).registered("alice")
    room: str = alice.ask("POST", "v3/createRoom", {"preset": "public_chat"})["room_id"]
    alice.say(room, "before")
    old_synapse.behind_a_web_server(lab)
    key = lab.read("matrix", old_synapse.KEY).split()[1]
    first = run(lab, ADOPT)
    assert first.status == 0, first.output[-8000:]
    assert alice.ask("GET", "v3/account/whoami")["user_id"] == alice.user
    assert "before" in alice.texts(room)
    assert lab.read("matrix", "/var/lib/matrix-synapse/signing.key").split()[1] == key
    alice.say(room, "after")
    count = "select count(*) from events where type = 'm.room.message'"
    asked = ["psql", "--tuples-only", "--no-align", "--dbname=chat", f"--command={count}"]
    assert lab.run("matrix", "runuser", "-u", "postgres", "--", *asked).strip() == "1"
    assert run(lab, ADOPT).recap("matrix")["changed"] == 0
