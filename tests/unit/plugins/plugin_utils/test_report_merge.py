# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What two vantages saw, as one report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Verdict
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.merge import merge
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.report import (
    Report,
    Sighting,
)

FOUR, SIX = "192.0.2.2:443", "[2001:db8::2]:443"


def said(
    verdict: Verdict, message: str, identity: str = "federation.reach", **evidence: Any
) -> Sighting:
    return Sighting(identity, identity.split(".")[0], verdict, message, evidence=evidence)


def report(vantage: str, *findings: Sighting, **more: Any) -> Report:
    plain = Report("example.com", findings, "2026-01-02T03:04:05Z", (vantage,), 1.5)
    return replace(plain, **more)


WELL = said("ok", f"{SIX} answers.", where=SIX)
DEAD = said("error", f"{SIX} does not answer: timeout.", exchange={"address": "2001:db8::2"})
NO_WAY = said(
    "unknown",
    f"From here there is no way to {SIX}, so nothing is known about it.",
    exchange={"address": "2001:db8::2"},
)
OTHER = said("ok", f"{FOUR} answers.", where=FOUR)
MODE = said("ok", "The mode is invite.", "registration.mode")
LIMITED = said("unknown", "The server limits questions.", "registration.mode")
NO_PORTS = said("unknown", "This vantage has no route to 2001:db8::2.", "ports.address")
PORT = said("ok", "tcp 443 at 2001:db8::2 is open.", "ports.open.tcp-443")
NO_RELAY = said("unknown", "This vantage has no route to 2001:db8::2.", "turn.server")
RELAY = said("ok", "It answers over UDP at [2001:db8::2]:3478.", "turn.udp")
NO_SCAN = said("skipped", "49152 at 192.0.2.2 is never scanned.", "ports.open.udp-49152")
NO_SCAN_OF_TWO = said(
    "skipped", "49152 at 192.0.2.2 and 2001:db8::2 is never scanned.", "ports.open.udp-49152"
)
FOREIGN_PORT = said("ok", "tcp 443 at 192.0.2.2 is open.", "ports.open.tcp-443")


@pytest.mark.parametrize(
    ("here", "there", "merged"),
    [
        pytest.param([WELL], [WELL], [(WELL, ())], id="seen alike"),
        pytest.param(
            [WELL, OTHER], [OTHER], [(WELL, ("here",)), (OTHER, ())], id="seen by one only"
        ),
        pytest.param(
            [WELL], [DEAD], [(WELL, ("here",)), (DEAD, ("there",))], id="seen differently"
        ),
        pytest.param([NO_WAY], [WELL], [(WELL, ("there",))], id="the other one knows better"),
        pytest.param([DEAD], [NO_WAY], [(DEAD, ("here",))], id="and knows a fault"),
        pytest.param([NO_WAY], [NO_WAY], [(NO_WAY, ())], id="nobody knows"),
        pytest.param(
            [NO_WAY],
            [OTHER],
            [(NO_WAY, ("here",)), (OTHER, ("there",))],
            id="the other one knows another address",
        ),
        pytest.param(
            [NO_WAY, OTHER],
            [OTHER],
            [(NO_WAY, ("here",)), (OTHER, ())],
            id="an address that the other one did not find",
        ),
        pytest.param([LIMITED], [MODE], [(MODE, ("there",))], id="about the whole server"),
        pytest.param(
            [LIMITED],
            [WELL],
            [(LIMITED, ("here",)), (WELL, ("there",))],
            id="another check tells nothing",
        ),
        pytest.param([NO_PORTS], [PORT], [(PORT, ("there",))], id="ports of an address"),
        pytest.param(
            [NO_PORTS],
            [FOREIGN_PORT],
            [(NO_PORTS, ("here",)), (FOREIGN_PORT, ("there",))],
            id="ports of another address",
        ),
        pytest.param([NO_RELAY], [RELAY], [(RELAY, ("there",))], id="calls at an address"),
        pytest.param(
            [NO_SCAN],
            [NO_SCAN_OF_TWO],
            [(NO_SCAN_OF_TWO, ("there",))],
            id="left out at more addresses",
        ),
        pytest.param(
            [WELL, MODE],
            [DEAD, MODE],
            [(WELL, ("here",)), (DEAD, ("there",)), (MODE, ())],
            id="one check stays together",
        ),
    ],
)
def test_two_vantages(
    here: list[Sighting], there: list[Sighting], merged: list[tuple[Sighting, tuple[str, ...]]]
) -> None:
    found = merge([report("here", *here), report("there", *there)]).findings
    assert found == tuple(replace(item, vantages=who) for item, who in merged)


def test_one_vantage_is_its_own_report() -> None:
    alone = report("here", NO_WAY)
    assert merge([alone]) is alone


def test_who_looked_and_how_long() -> None:
    merged = merge([report("here", WELL), report("there", WELL, checked_at="2026-01-02T03:05:00Z")])
    assert (merged.vantages, merged.seconds) == (("here", "there"), 3.0)
    assert merged.checked_at == "2026-01-02T03:05:00Z"


def test_the_gravest_verdict_counts() -> None:
    assert merge([report("here", WELL), report("there", DEAD)]).verdict == "error"


def test_the_way_of_who_found_one() -> None:
    lost = {"error": "The question ends in SERVFAIL."}
    found = {"step": "3.2", "error": ""}
    merged = merge([report("here", resolution=lost), report("there", resolution=found)])
    assert merged.resolution == found


def endpoint(address: str, kind: str, told: str = "") -> dict[str, Any]:
    return {"address": address, "keys_fault": {"kind": kind, "message": told}}


@pytest.mark.parametrize(
    ("kinds", "kept"),
    [
        pytest.param(("no_route", ""), "", id="keys beat no way"),
        pytest.param(("", "timeout"), "", id="keys beat a fault"),
        pytest.param(("no_route", "timeout"), "timeout", id="a fault beats no way"),
    ],
)
def test_each_address_as_seen_by_who_got_farthest(kinds: tuple[str, str], kept: str) -> None:
    way = {"step": "3.2", "error": ""}
    reports = [
        report(str(number), resolution=way, peers={"step": "3.2", "endpoints": [endpoint(SIX, it)]})
        for number, it in enumerate(kinds)
    ]
    assert merge(reports).peers == {"step": "3.2", "endpoints": [endpoint(SIX, kept)]}


@pytest.mark.parametrize("names", [(), ("example.com", "example.net")])
def test_not_one_server(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="one report is about one server"):
        merge([report("here", server_name=name) for name in names])
