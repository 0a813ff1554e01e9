# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verification takes as long as its longest chain of questions that depend on each other.

`stranger.py` runs on the vantage, as a process of its own. It measures a whole verification, and,
with nothing beside it, each chain that a verification cannot do without: what a peer asks, what a
client asks, and a call over TLS. Both happen over the same network, which `delay.py` makes slow:
round trips of that many milliseconds to every server, the name server among them. So nobody has to
count round trips, and the servers' own time is in both. Waiting for ports that stay silent has to
fit in beside the chains.

The machine that plays the lab does other things too. They only ever add time, so of a few runs the
fastest counts, of the chains as well.
"""

from __future__ import annotations

import base64
import io
import json
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, HOSTNAME, ROOT, Lab

HERE = Path(__file__).parent
FOLDER = "/run/stranger"
COLLECTION = "ansible_collections/homestead/matrix"
MARGIN = 1.2
TIMEOUT = 3.0
PLAIN = 2.0
MEMORY = 60_000_000
JITTER = 2.0
RUNS = 4
SLOW, FAR = 200, 300
"""Milliseconds of a round trip."""
LOSS = 5
"""Percent of the packets, on each way."""


@dataclass(frozen=True)
class Stranger:
    """The programs on the vantage, and what the verifier is told there."""

    lab: Lab
    given: dict[str, Any]

    def measure(self, what: str) -> dict[str, Any]:
        """Run one measurement in a fresh process."""
        command = f"/opt/vantage/bin/python {FOLDER}/stranger.py {what}"
        measured: dict[str, Any] = json.loads(
            self.lab.ssh("vantage", command, json.dumps(self.given))
        )
        return measured

    def fastest(self, limit: float, dead: str = "") -> float:
        """Return the seconds of the first look within a limit, or of the fastest of a few."""
        seconds = []
        for _run in range(RUNS):
            seen = self.measure("look")
            faults = errors(seen)
            assert any(dead in fault for fault in faults) if dead else not faults, faults
            seconds.append(float(seen["seconds"]))
            if seconds[-1] <= limit:
                break
        return min(seconds)

    def longest_chain(self) -> float:
        """Return the seconds of the chain that takes longest, each at its fastest."""
        runs = [self.measure("chains") for _run in range(RUNS // 2)]
        return max(min(run[name] for run in runs) for name in runs[0])

    @contextmanager
    def delayed(self, milliseconds: int, dead: str = "", *, loss: int = 0) -> Iterator[None]:
        """Make round trips to every server longer for a while, and one address dead."""
        addresses = [self.lab.address(name, family) for name in NAMES for family in (4, 6)]
        addresses += self.given["nameservers"]
        options = f"--loss {loss} " + (f"--dead {dead}" if dead else "")
        command = f"python3 {FOLDER}/delay.py {options} {milliseconds} {' '.join(addresses)}"
        with subprocess.Popen(
            self.lab.login("vantage", command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as program:
            assert program.stdin
            assert program.stdout
            assert program.stdout.readline() == "ready\n"
            yield
            program.stdin.close()


NAMES = (DOMAIN, HOSTNAME)


def errors(seen: dict[str, Any]) -> list[str]:
    """Return what a look calls an error."""
    return [item["message"] for item in seen["findings"] if item["verdict"] == "error"]


def packed() -> str:
    """Return an archive of the verifier and of the programs that measure it."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(ROOT / "plugins/module_utils", f"{COLLECTION}/plugins/module_utils")
        for name in ("stranger.py", "delay.py"):
            tar.add(HERE / name, name)
    return base64.b64encode(archive.getvalue()).decode()


@pytest.fixture(scope="module")
def stranger(server: Lab) -> Iterator[Stranger]:
    server.ssh("vantage", f"mkdir -p {FOLDER}; base64 -d | tar -xzC {FOLDER}", packed())
    yield Stranger(server, {**server.verifier_arguments(), "timeout": TIMEOUT})
    server.ssh("vantage", f"rm -r {FOLDER}")


def test_a_plain_look_is_short(stranger: Stranger) -> None:
    assert stranger.fastest(PLAIN) < PLAIN


def test_a_look_needs_little_memory(stranger: Stranger) -> None:
    assert stranger.measure("look")["peak"] < MEMORY


def test_round_trips_are_as_slow_as_they_should_be(stranger: Stranger) -> None:
    with stranger.delayed(50):
        measured = stranger.measure("trips")
    assert len(measured) == 2 * len(NAMES) + 1
    for place, trips in measured.items():
        middle = sorted(trips)[len(trips) // 2]
        assert 50 <= min(trips) <= middle < 50 + JITTER, (place, trips)


@pytest.fixture(scope="module")
def limit(stranger: Stranger) -> float:
    """Return the seconds that a look may take over a slow network."""
    with stranger.delayed(SLOW):
        return MARGIN * stranger.longest_chain()


def test_a_slow_network_costs_the_longest_chain_only(stranger: Stranger, limit: float) -> None:
    with stranger.delayed(SLOW):
        assert stranger.fastest(limit) <= limit


def test_a_lossy_network_makes_no_port_look_like_another(stranger: Stranger) -> None:
    """With one attempt only, a tenth of the open ones would look closed."""
    with stranger.delayed(FAR, loss=LOSS):
        seen = stranger.measure("knocks")
    assert list(seen["open"]) == ["answers"]
    assert list(seen["closed"]) == ["filtered"]
    assert min(sum(kind.values()) for kind in seen.values()) >= 10


def address_of(name: str, family: int) -> Callable[[Lab], str]:
    return lambda lab: lab.address(name, family)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(address_of(HOSTNAME, 4), id="IPv4 of the Matrix host"),
        pytest.param(address_of(HOSTNAME, 6), id="IPv6 of the Matrix host"),
        pytest.param(address_of(DOMAIN, 4), id="IPv4 of the base domain"),
        pytest.param(address_of(DOMAIN, 6), id="IPv6 of the base domain"),
    ],
)
def test_a_dead_address_costs_one_timeout(
    stranger: Stranger, server: Lab, limit: float, address: Callable[[Lab], str]
) -> None:
    dead = address(server)
    with stranger.delayed(SLOW, dead):
        assert stranger.fastest(limit + TIMEOUT, dead) <= limit + TIMEOUT
