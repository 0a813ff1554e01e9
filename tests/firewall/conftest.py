# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server for every firewall on every release of Debian; each belongs to one process of tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible.plugins.loader import init_plugin_loader
from attempts import ATTEMPTS, FIREWALLS
from xdist.scheduler import LoadScopeScheduling

init_plugin_loader()  # before anything is imported from the collection

from firewall_server import Lab, Server  # noqa: E402 - see above

# What the templates make is rendered here as it is there.
sys.path.append(str(Path(__file__).parents[1] / "rendering"))

KINDS = [f"{name}-{release}" for name in reversed(FIREWALLS) for release in (12, 13)]
# Each firewall in that of its versions that is more trouble. What an attempt does to every firewall
# alike is tried on one of them, in turn. `make lockouts` takes all kinds for all, and changes rules
# fifty times. Molecule has firewalld on Debian 13, and tests/system nftables on 12.
LONG = "LOCKOUTS" in os.environ
HARDEST = os.environ.get("LOCKOUTS", "nftables-13 ufw-12 firewalld-12").split()
# Tests that are no attempts, and yet ask nothing of one firewall that they do not ask of another.
ALIKE = (
    "test_the_undoing_waits_by_a_clock_that_cannot_jump",
    "test_two_controllers_at_once",
    "test_a_listed_port_that_only_looks_like_ssh_does_not_help",
)
TURNS = [*(attempt for attempt in ATTEMPTS.values() if attempt.is_alike), *ALIKE]


class ByServer(LoadScopeScheduling):
    """Gives all tests of one server to the same process; lockouts, which wait, have their own."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        kind = next((kind for kind in KINDS if kind in nodeid), "")
        return f"{kind} {'lockouts' if file.endswith('test_lockouts.py') else ''}" if kind else file


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let the kinds share the attempts that are alike."""
    left = [item for item in items if not LONG and _is_anothers(item)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


def _is_anothers(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    given = call.params if call else {}
    what = (item.name.partition("[")[0], given.get("attempt"))
    turn = next((number for number, each in enumerate(TURNS) if each in what), None)
    return turn is not None and given["bare"] != HARDEST[turn % len(HARDEST)]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByServer:
    return ByServer(config, log)


@contextmanager
def a_bare_server(kind: str, name: str) -> Iterator[Server]:
    """Give a host that nothing filters yet."""
    firewall, _hyphen, release = kind.partition("-")
    server = Server(Lab(f"{name}-{kind}"), firewall)
    server.lab.down()
    server.up(release=release)
    try:
        yield server
    finally:
        server.lab.down()


@pytest.fixture(scope="session", params=HARDEST)
def bare(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Start the host of all tests but those that have one of their own."""
    with a_bare_server(request.param, "firewall") as server:
        yield server


@pytest.fixture
def server(bare: Server) -> Server:
    """Return a host whose rules are in force, whatever a test before has done."""
    run = bare.play()
    assert run.status == 0, run.output
    return bare
