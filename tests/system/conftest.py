# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab, provisioned once the way an operator does it; every test looks at the same server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import members
import pytest
from ansible_collections.homestead.matrix.tests.lab import identity
from ansible_collections.homestead.matrix.tests.lab.components.together import (
    Everything,
    surroundings,
)
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, Lab
from ansible_collections.homestead.matrix.tests.lab.provisioned import (
    bare_server,
    finished_server,
    hand_on,
)
from ansible_collections.homestead.matrix.tests.lab.relays import Relay, relay
from ansible_collections.homestead.matrix.tests.lab.runs import Run
from canaries import CAPTCHA, given
from changing import change, changes
from people import PASSWORD
from sign_ups import Resident
from witness import Witness


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    with bare_server() as lab:
        yield lab


@pytest.fixture(scope="session")
def server() -> Iterator[Lab]:
    """Return a finished server, for a file of tests that is a suite of its own."""
    with finished_server() as lab:
        yield lab


ACCOUNTS = "runuser -u matrix-synapse -- psql -At synapse -c 'select name from users'"


@pytest.fixture(scope="module")
def post(server: Lab) -> Iterator[Relay]:
    """Add a relay for e-mail to the finished server."""
    with relay(server) as post:
        yield post


@pytest.fixture(scope="module")
def resident(server: Lab) -> Iterator[Resident]:
    """Return somebody who stays logged in, whatever happens to the server in between."""
    resident = Resident.moves_in(server, "resident")
    yield resident
    resident.assert_at_home()


@pytest.fixture(scope="module")
def changing(server: Lab, resident: Resident) -> Iterator[Lab]:
    """Return the finished server, and leave it as it was, whatever was done to it."""
    accounts = set(server.ssh("matrix", ACCOUNTS).splitlines())
    assert f"@{resident.name}:{DOMAIN}" in accounts
    yield server
    back = server.play("site")
    assert back.status == 0, back.output[-8000:]
    assert changes(server) == 0
    assert accounts <= set(server.ssh("matrix", ACCOUNTS).splitlines())


PEOPLE = ("ircowner", "ircsecond", "mailowner", "pageuser")
"""Who has an account before there are components."""


@pytest.fixture(scope="session")
def everything(server: Lab) -> Iterator[Everything]:
    """Switch everything on, single sign-on the only way to an account, and all off at the end."""
    for name in PEOPLE:
        server.module("matrix", "homestead.matrix.user", name=name, password=PASSWORD)
    with surroundings(server) as choices, identity.surroundings(server):
        variables = {**choices.variables(), **identity.variables()}
        variables["matrix_registration"] = "closed"
        variables["matrix_registration_captcha"] = {"site_key": "public", "secret": given(CAPTCHA)}
        with Witness(server, "matrix") as witness:
            first = change(server, "-vvv", "--diff", **variables)
        assert first.status == 0, first.output[-8000:]
        yield Everything(server, variables, first, witness.command_lines)
    off = change(server, "--skip-tags", "verify")
    assert off.status == 0, off.output[-8000:]


@dataclass(frozen=True)
class Story:
    """What an operator did to the bare host, in order, at the highest verbosity."""

    dry_run_before: Run
    first: Run
    second: Run
    dry_run_after: Run
    command_lines: str

    @property
    def runs(self) -> dict[str, Run]:
        return {
            "dry run on the bare host": self.dry_run_before,
            "first run": self.first,
            "second run": self.second,
            "dry run on the finished host": self.dry_run_after,
        }


@pytest.fixture(scope="session")
def story(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Story:
    options = ("-vvv", "--diff", members.written(tmp_path_factory.mktemp("accounts")))
    with Witness(lab, "matrix") as witness:
        dry_run_before = lab.play_alone("site", *options, "--check")
        first = lab.play_alone("site", *options)
        second = lab.play_alone("site", *options)
        dry_run_after = lab.play_alone("site", *options, "--check")
    if first.status == 0:
        hand_on(lab)
    return Story(dry_run_before, first, second, dry_run_after, witness.command_lines)
