# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Silence is told from loss and from distance, thousands of times, and is not waited for long."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports.check_ports import (
    check_ports,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports.dns_recursion import (
    check_recursion,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports.port_probes import (
    PLAIN,
    Place,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.silence import RoundTrips
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_host import (
    IPV4,
    Port,
    always,
    opened,
    speak_dns,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.lossy import (
    LossyHost,
    hasty,
)

WEB: dict[str, Port] = {"tcp-443": always(b"TLS"), "tcp-80": always(b"HTTP/1.1 301 Moved")}
PORTS: dict[str, Port] = {
    **WEB,
    "tcp-22": always(b"SSH"),
    "tcp-23": "refused",
    "tcp-24": "timeout",
    "udp-22": always(b"hello"),
    "udp-24": always(b""),
}
DARK: dict[str, Port] = {"tcp-443": "timeout", "tcp-80": "timeout", "tcp-24": "timeout"}
LOSS, DELAY = 0.05, 0.3
LOOKS = 200
KNOCKS = 3000


def knocked(host: LossyHost, port: str, times: int = 1) -> tuple[Counter[str], float]:
    """Knock so often at a port, and return what was seen how often, and after how long."""
    protocol, number = port.split("-")

    async def look() -> Counter[str]:
        place = Place(host, "", IPV4.value, int(number), RoundTrips(host))
        seen = await asyncio.gather(*(PLAIN[protocol](place) for _knock in range(times)))
        return Counter(item.state for item in seen)

    return hasty(look())


@pytest.mark.parametrize(
    ("port", "state"),
    [
        pytest.param("tcp-22", "answers", id="open"),
        pytest.param("tcp-23", "refused", id="refused"),
        pytest.param("tcp-24", "filtered", id="filtered"),
        pytest.param("udp-22", "answers", id="open over UDP"),
        pytest.param("udp-24", "silent", id="silent over UDP"),
    ],
)
@pytest.mark.parametrize("trip", [pytest.param(0.001, id="near"), pytest.param(DELAY, id="far")])
def test_loss_makes_no_port_look_like_another(port: str, state: str, trip: float) -> None:
    times = KNOCKS if state in ("answers", "refused") else KNOCKS // 10
    assert knocked(LossyHost(PORTS, trip=trip, loss=LOSS), port, times)[0] == {state: times}


@pytest.mark.parametrize(
    ("ports", "port", "trip", "seconds"),
    [
        pytest.param(PORTS, "tcp-24", 0.001, 0.6, id="near"),
        pytest.param(PORTS, "tcp-24", 0.1, 0.8, id="some way off"),
        pytest.param(PORTS, "tcp-24", DELAY, 1.2, id="far"),
        pytest.param(DARK, "tcp-24", 0.001, 1.2, id="nothing answers"),
        pytest.param(PORTS, "udp-24", 0.001, 0.6, id="near, over UDP"),
        pytest.param(PORTS, "udp-24", DELAY, 1.6, id="far, over UDP"),
        pytest.param(PORTS, "tcp-22", DELAY, 0.3, id="an answer ends it"),
    ],
)
def test_silence_takes_as_long_as_the_way(
    ports: dict[str, Port], port: str, trip: float, seconds: float
) -> None:
    assert knocked(LossyHost(ports, trip=trip), port)[1] == pytest.approx(seconds, abs=0.001)


@pytest.mark.parametrize(
    ("port", "verdict", "seconds"),
    [
        pytest.param(
            opened("tcp", 24, "extra", sources=["10.0.0.0/8"]), "info", 0.6, id="narrowed"
        ),
        pytest.param(opened("udp", 24, "dnsmasq"), "info", 0.6, id="names for others"),
        pytest.param(opened("tcp", 24, "extra"), "error", 1.2, id="open to everybody"),
        pytest.param(opened("tcp", 24, "heisenbridge"), "error", 5, id="open, with a service"),
    ],
)
def test_only_what_is_for_others_is_given_up_soon(
    port: dict[str, Any], verdict: str, seconds: float
) -> None:
    web = [opened("tcp", number, "extra") for number in (443, 80)]
    expectations = {"hostname": IPV4.name, "ports": {"open": [port, *web]}}
    found, took = hasty(check_ports(LossyHost(PORTS, trip=0.001), Expectations.of(expectations)))
    name = f"ports.open.{port['protocol']}-24"
    assert [item.verdict for item in found if item.id == name] == [verdict]
    assert took == pytest.approx(seconds, abs=0.002)


def resolver(host: LossyHost, times: int = 1) -> tuple[Counter[str], float]:
    """Look so often whether the host is an open resolver."""

    async def look() -> Counter[str]:
        jobs = [check_recursion(host, IPV4.name) for _look in range(times)]
        return Counter(item.verdict for found in await asyncio.gather(*jobs) for item in found)

    return hasty(look())


@pytest.mark.parametrize(
    "trip", [pytest.param(0.001, id="near"), pytest.param(DELAY, id="far away")]
)
def test_an_open_resolver_that_takes_its_time_is_found(trip: float) -> None:
    ports: dict[str, Port] = {**WEB, "udp-53": speak_dns, "tcp-53": "timeout"}
    host = LossyHost(ports, trip=trip, loss=LOSS, slow=1.2)
    assert resolver(host, LOOKS)[0] == {"error": LOOKS}


@pytest.mark.parametrize(
    ("ports", "seconds"),
    [
        pytest.param({**WEB, "udp-53": always(b""), "tcp-53": "timeout"}, 0.6, id="nobody"),
        pytest.param({**DARK, "udp-53": always(b""), "tcp-53": "timeout"}, 2.0, id="no measure"),
        pytest.param({**WEB, "udp-53": always(b"no"), "tcp-53": "timeout"}, 0.6, id="not DNS"),
    ],
)
def test_nobody_there_is_known_soon(ports: dict[str, Port], seconds: float) -> None:
    assert resolver(LossyHost(ports, trip=0.001)) == (
        {"ok": 1},
        pytest.approx(seconds, abs=0.002),
    )
