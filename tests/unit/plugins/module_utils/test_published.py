# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.host.published import (
    Destination,
    Published,
    open_to_everybody,
    remedy,
    unexpected,
)

WEB = Published("tcp", 8080, 8080, Destination("172.17.0.2", 80, 80))
RANGE = Published("udp", 8000, 8003, Destination("172.17.0.2", 8000, 8003))


def opened(protocol: str, first: int, last: int, *sources: str) -> dict[str, Any]:
    return {"protocol": protocol, "first": first, "last": last, "sources": list(sources)}


@pytest.mark.parametrize(
    ("text", "target"),
    [
        pytest.param("172.17.0.2:80", Destination("172.17.0.2", 80, 80), id="IPv4 with a port"),
        pytest.param("172.17.0.2", Destination("172.17.0.2"), id="IPv4 alone"),
        pytest.param("172.17.0.2:80-90", Destination("172.17.0.2", 80, 90), id="IPv4 with a range"),
        pytest.param("172.17.0.2-172.17.0.5", Destination("172.17.0.2-172.17.0.5"), id="addresses"),
        pytest.param("[fd00::2]:80", Destination("fd00::2", 80, 80), id="IPv6 with a port"),
        pytest.param("fd00::2", Destination("fd00::2"), id="IPv6 alone"),
        pytest.param(":80", Destination("", 80, 80), id="the host itself"),
    ],
)
def test_a_target_is_read_and_written(text: str, target: Destination) -> None:
    assert Destination.parse(text) == target
    assert str(target) == text


@pytest.mark.parametrize("port", [WEB, RANGE])
def test_a_port_is_the_same_as_data(port: Published) -> None:
    assert Published.of(port.as_dict()) == port


def test_the_data_of_a_port() -> None:
    data = {"protocol": "udp", "first": 8000, "last": 8003, "to": "172.17.0.2:8000-8003"}
    assert RANGE.as_dict() == data


@pytest.mark.parametrize(
    ("port", "given", "is_named"),
    [
        pytest.param(WEB, [], True, id="nothing is open"),
        pytest.param(WEB, [opened("tcp", 8080, 8080)], False, id="open"),
        pytest.param(WEB, [opened("tcp", 8000, 9000)], False, id="in an open range"),
        pytest.param(WEB, [opened("udp", 8080, 8080)], True, id="the other protocol"),
        pytest.param(WEB, [opened("tcp", 8080, 8080, "10.0.0.0/8")], True, id="open to some"),
        pytest.param(RANGE, [opened("udp", 8000, 8002)], True, id="partly open"),
        pytest.param(
            RANGE, [opened("udp", 8000, 8001), opened("udp", 8002, 8003)], False, id="open in parts"
        ),
    ],
)
def test_what_nobody_opened(port: Published, given: list[dict[str, Any]], is_named: bool) -> None:
    assert unexpected([port], admitted=open_to_everybody(given)) == ([port] if is_named else [])


@pytest.mark.parametrize(
    ("to", "example"),
    [
        pytest.param("172.17.0.2:80", "on 127.0.0.1 … -p 127.0.0.1:8080:80,", id="IPv4"),
        pytest.param("172.17.0.2", "on 127.0.0.1 … -p 127.0.0.1:8080:8080,", id="no port there"),
        pytest.param("[fd00::2]:80", "on ::1 … -p [::1]:8080:80,", id="IPv6"),
    ],
)
def test_the_remedy(to: str, example: str) -> None:
    said = remedy(Published("tcp", 8080, 8080, Destination.parse(to)))
    assert all(part in said for part in example.split(" … "))


def test_the_remedy_for_a_range_over_udp() -> None:
    assert "-p 127.0.0.1:8000-8003:8000-8003/udp," in remedy(RANGE)
