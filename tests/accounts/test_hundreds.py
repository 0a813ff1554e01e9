# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hundreds of accounts in one task: how long it takes, and what a death in the middle leaves."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from ansible_collections.homestead.matrix.tests.lab.provisioned import finished_server
from ansible_collections.homestead.matrix.tests.lab.runs import Run, kill, wait_until

COUNT = int(os.environ.get("ACCOUNTS", "500"))
MADE_SECONDS, CHECKED_SECONDS = 60, 5
"""For a task of 500 accounts, as long as no password has to be hashed."""
PLAY = """
- hosts: matrix
  become: true
  gather_facts: false
  tasks:
    - name: Make them
      homestead.matrix.user:
        users: "{{ users }}"
"""
HASH = """
import bcrypt, concurrent.futures, os, time
def hashed(number):
    bcrypt.hashpw(b"a password of 24 letters", bcrypt.gensalt(12))
count = 4 * len(os.sched_getaffinity(0))
began = time.perf_counter()
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    list(pool.map(hashed, range(count)))
print((time.perf_counter() - began) / count)
"""
"""What a password costs on this host while all its processors are at work."""
MODULE = "^/usr/bin/python3$"
"""How a module looks that Ansible has sent and that is at work."""
PYTHON = "/opt/matrix-synapse/current/bin/python"
LOG_IN = """
import json, pathlib, sys, urllib.request
found = sorted(pathlib.Path("/var/lib/homestead/passwords").glob(sys.argv[1] + "*"))
for path in found[:: len(found) // 3]:
    body = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": path.name},
            "password": path.read_text().strip()}
    url = "http://127.0.0.1:8008/_matrix/client/v3/login"
    with urllib.request.urlopen(url, json.dumps(body).encode()) as answer:
        print(json.load(answer)["user_id"])
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Lab]:
    with finished_server() as lab:
        yield lab


@pytest.fixture
def name() -> str:
    """Return how names begin that this server does not have yet."""
    return f"m{token_hex(4)}x"


def described(lab: Lab, users: list[dict[str, Any]]) -> tuple[Path, str]:
    """Write the playbook and its accounts, and return what runs it with them."""
    playbook = lab.state / "hundreds.yml"
    playbook.write_text(PLAY, encoding="utf-8")
    variables = lab.state / "hundreds.json"
    variables.write_text(json.dumps({"users": users}), encoding="utf-8")
    return playbook, f"--extra-vars=@{variables}"


def made(lab: Lab, name: str) -> int:
    """Return how many accounts there are."""
    query = f"select count(*) from users where name like '@{name}%'"
    return int(lab.shell("matrix", f'runuser -u matrix-synapse -- psql -At synapse -c "{query}"'))


def tell(figures: str) -> None:
    """Say what was measured, for whoever runs this with --capture=no or sees it fail."""
    sys.stdout.write(f"{figures}\n")


def succeeded(run: Run) -> Run:
    assert run.status == 0, run.output[-4000:]
    return run


def test_hundreds_are_made_in_a_minute_and_checked_in_seconds(server: Lab, name: str) -> None:
    names = [f"{name}{number}" for number in range(COUNT)]
    given = described(server, [{"name": one, "email": f"{one}@example.org"} for one in names])
    first, second = (succeeded(server.play(*given)) for _run in range(2))
    idle = succeeded(server.play(*described(server, []))).seconds
    tell(
        f"{COUNT} accounts: {first.seconds:.1f} s, checked in {second.seconds:.1f} s, of which a "
        f"task without any takes {idle:.1f} s"
    )
    assert made(server, name) == COUNT
    assert first.seconds < MADE_SECONDS
    assert second.recap("matrix")["changed"] == 0
    assert second.seconds - idle < CHECKED_SECONDS


def test_what_a_death_left_is_finished_by_the_next_run(server: Lab, name: str) -> None:
    """Both the controller and what it has started on the host die."""
    names = [f"{name}{number}" for number in range(COUNT)]
    given = described(server, [{"name": one, "generate_password": True} for one in names])
    dying = server.start(*given)
    wait_until(lambda: made(server, name) > COUNT // 10, seconds=300)
    kill(dying)
    server.run("matrix", "pkill", "-KILL", "-f", MODULE)
    left = made(server, name)
    assert COUNT // 10 < left < COUNT
    finishing, second = (succeeded(server.play(*given)) for _run in range(2))
    cost = float(server.ssh("matrix", f"{PYTHON} -", HASH))
    tell(
        f"{COUNT - left} accounts with passwords: {finishing.seconds:.1f} s, of which "
        f"{cost * (COUNT - left):.1f} s for hashes"
    )
    assert made(server, name) == COUNT
    assert second.recap("matrix")["changed"] == 0
    assert server.run("matrix", PYTHON, "-c", LOG_IN, name).count(f"@{name}") >= 3
