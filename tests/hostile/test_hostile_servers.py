# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a server does, a run ends in time, in little memory, and with findings.

Each run is a process of its own; the servers stand in this one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import VERDICTS
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.ports import (
    component_ports,
)
from ansible_collections.homestead.matrix.tests.hostile import behaviours, look
from ansible_collections.homestead.matrix.tests.hostile.internet import (
    Internet,
    healthy_pages,
    serving,
)

SECONDS = 0.5
"""How long one question may take here; the default is ten times as much."""
RUN_SECONDS = 40 * SECONDS
PLAIN_MEGABYTES = 60
WORST_MEGABYTES = 120
RESULT_CHARACTERS = 2 * 1024 * 1024
HOST = "matrix.example.com"
PORTS = [("ssh", "tcp", 22), ("postmoogle", "tcp", 25), ("heisenbridge", "tcp", 113)]
PORTS += [("coturn", "udp", 3478), ("coturn", "tcp", 5349), ("dnsmasq", "udp", 53)]
EXPECTATIONS: dict[str, Any] = {
    "hostname": HOST,
    "turn": {"host": "turn.example.com"},
    "ports": {
        "open": [
            port.expected()
            for port in component_ports(dict.fromkeys(name for name, *_port in PORTS), ssh_port=22)
            if (port.component, port.protocol, port.first) in PORTS
        ],
        "closed": [],
    },
}
CREDENTIALS = {"username": "1:a", "password": "b"}


@pytest.fixture
def internet(tmp_path: Path) -> Iterator[Internet]:
    with Internet.up(tmp_path) as internet:
        yield internet


def looked(internet: Internet, zone: behaviours.Zone, **given: Any) -> dict[str, Any]:
    """Run the verifier in a process of its own."""
    nameserver = f"127.0.0.1:{internet.hear('udp-53', behaviours.name_server(zone))}"
    fixed = {"ports": internet.ports, "nameserver": nameserver, "ca_file": internet.ca_file}
    argument = json.dumps({**fixed, "seconds": SECONDS, **given})
    done = subprocess.run(
        [sys.executable, look.__file__, argument],
        capture_output=True,
        text=True,
        timeout=10 * RUN_SECONDS,
        check=False,
    )
    assert not done.returncode, done.stderr
    assert len(done.stdout) <= RESULT_CHARACTERS
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def assert_bounded(result: dict[str, Any], *, megabytes: float = WORST_MEGABYTES) -> None:
    assert {finding["verdict"] for finding in result["findings"]} <= set(VERDICTS)
    assert result["findings"]
    assert result["spent"] <= RUN_SECONDS
    assert result["megabytes"] <= megabytes


def web(internet: Internet, handler: behaviours.Handler) -> None:
    internet.serve("tcp", handler, internet.context())
    internet.serve("tcp-80", handler)


def test_a_plain_run_is_small(internet: Internet) -> None:
    internet.serve("tcp", serving(healthy_pages("https")), internet.context())
    internet.serve("tcp-80", serving(healthy_pages("http")))
    result = looked(internet, behaviours.plain_zone, seconds=5)
    assert [item for item in result["findings"] if item["verdict"] == "error"] == []
    assert_bounded(result, megabytes=PLAIN_MEGABYTES)


@pytest.mark.parametrize("name", behaviours.WEB)
def test_web_servers(internet: Internet, name: str) -> None:
    web(internet, behaviours.WEB[name])
    assert_bounded(looked(internet, behaviours.plain_zone))


@pytest.mark.parametrize("zone", behaviours.ZONES.values(), ids=list(behaviours.ZONES))
def test_name_servers(internet: Internet, zone: behaviours.Zone) -> None:
    web(internet, behaviours.WEB["silence"])
    result = looked(internet, zone, expectations=EXPECTATIONS, credentials=CREDENTIALS)
    assert_bounded(result)
    assert len(result["resolution"]["connect"]) <= 32


def test_a_handshake_that_never_ends(internet: Internet) -> None:
    internet.serve("tcp", behaviours.handshake_without_end)
    assert_bounded(looked(internet, behaviours.plain_zone, expectations=EXPECTATIONS))


def test_a_certificate_with_thousands_of_names(internet: Internet) -> None:
    names = [f"n{number}.example.com" for number in range(3000)]
    context = internet.context("example.com", HOST, *names)
    internet.serve("tcp", serving(healthy_pages("https")), context)
    result = looked(internet, behaviours.plain_zone)
    assert_bounded(result)
    seen = [item["evidence"].get("names", []) for item in result["findings"]]
    assert 2 <= max(map(len, seen)) <= 20


@pytest.mark.parametrize("name", behaviours.BANNERS)
def test_ports(internet: Internet, name: str) -> None:
    internet.serve("tcp", behaviours.BANNERS[name])
    assert_bounded(looked(internet, behaviours.plain_zone, expectations=EXPECTATIONS))


@pytest.mark.parametrize("answer", behaviours.TURN.values(), ids=list(behaviours.TURN))
@pytest.mark.parametrize("pause", [0, 0.9 * SECONDS], ids=["at once", "slowly"])
def test_turn_servers(
    internet: Internet, answer: Callable[[bytes], list[bytes]], pause: float
) -> None:
    internet.hear("udp-3478", answer)
    internet.serve("tcp-3478", behaviours.stun_over_tcp(answer, pause=pause))
    handler = behaviours.stun_over_tcp(answer, pause=pause)
    internet.serve("tcp-5349", handler, internet.context())
    result = looked(
        internet, behaviours.plain_zone, expectations=EXPECTATIONS, credentials=CREDENTIALS
    )
    assert_bounded(result)


def test_the_worst_of_all(internet: Internet) -> None:
    """Many places, each of which sends as much as it may, as slowly as it may."""
    web(internet, behaviours.worst(healthy_pages("https"), pause=0.9 * SECONDS))
    internet.hear("udp-3478", behaviours.TURN["strays"])
    result = looked(
        internet, behaviours.many_targets, expectations=EXPECTATIONS, credentials=CREDENTIALS
    )
    assert_bounded(result)
