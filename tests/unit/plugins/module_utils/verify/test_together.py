# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which findings are one, and how their places are listed."""

from __future__ import annotations

import json

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import (
    EVIDENCE_LIMIT,
    MESSAGE_LIMIT,
    Check,
    Finding,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.together import (
    Sight,
    listed,
    together,
)

CHECK = Check("a.b", "a", "", "Repair it.")
OTHER = Check("a.c", "a", "", "Repair it.")


def closed(place: str, check: Check = CHECK, reason: str = "refused") -> Sight:
    return Sight(place, check.error(f"It is closed at {place}: {reason}.", address=place))


@pytest.mark.parametrize(
    ("sights", "messages"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([closed("x")], ["It is closed at x: refused."], id="one"),
        pytest.param(
            [closed("x"), closed("y")], ["It is closed at x and y: refused."], id="the same at two"
        ),
        pytest.param([closed("x")] * 2, ["It is closed at x: refused."], id="the same at one"),
        pytest.param(
            [closed("x"), closed("y", reason="silent")],
            ["It is closed at x: refused.", "It is closed at y: silent."],
            id="for other reasons",
        ),
        pytest.param(
            [closed("x"), closed("y", OTHER)],
            ["It is closed at x: refused.", "It is closed at y: refused."],
            id="another check",
        ),
        pytest.param(
            [Sight("x", CHECK.ok("x is well.")), Sight("y", CHECK.ok("y is well."))],
            ["x is well.", "y is well."],
            id="what is well is said of each",
        ),
        pytest.param(
            [Sight("x", CHECK.error("x is bad.")), Sight("y", CHECK.warning("y is bad."))],
            ["x is bad.", "y is bad."],
            id="of another gravity",
        ),
    ],
)
def test_together(sights: list[Sight], messages: list[str]) -> None:
    assert [finding.message for finding in together(sights)] == messages


def test_the_evidence_of_each_place_is_kept() -> None:
    [finding] = together([closed("x"), closed("y")])
    assert finding.evidence == {
        "addresses": ["x", "y"],
        "places": [{"address": "x"}, {"address": "y"}],
    }
    assert finding.remedy == "Repair it."


def test_many_places_are_bounded() -> None:
    places = [f"{'long' * 20}{number}" for number in range(2000)]
    [finding] = together(closed(place) for place in places)
    assert isinstance(finding, Finding)
    assert len(finding.message) <= MESSAGE_LIMIT
    assert len(json.dumps(finding.evidence)) <= EVIDENCE_LIMIT


@pytest.mark.parametrize(
    ("places", "text"),
    [
        pytest.param(["x"], "x", id="one"),
        pytest.param(["x", "y", "z"], "x and y and z", id="several"),
        pytest.param(["UDP at x", "UDP at y", "TCP at x"], "UDP at x and y, TCP at x", id="ways"),
    ],
)
def test_listed(places: list[str], text: str) -> None:
    assert listed(places) == text
