# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of components, one at a time, on a server that has all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.homestead.matrix.tests.lab.components.together import surroundings
from fault import Fault
from faults import COMPONENT_FAULTS
from scene import Look, Scene


@pytest.fixture(scope="module")
def full(scene: Scene) -> Iterator[Scene]:
    """Switch all components on, once, and off at the end."""
    scene.settle()
    with surroundings(scene.lab) as choices:
        everything = choices.variables()
        made = scene.lab.play("site", "--skip-tags", "verify", **everything)
        assert made.status == 0, made.output[-8000:]
        full = Scene(scene.lab, scene.authority, variables=everything)
        yield full
        full.settle()
        assert scene.lab.play("site", "--skip-tags", "verify").status == 0


def is_silence(named: str) -> bool:
    """Tell whether this is a port that never answers strangers, of which nothing is known."""
    return named.startswith("unknown ports.open.")


def spoken(seen: Look) -> set[str]:
    return {named for named in seen.named if not is_silence(named)}


def test_the_healthy_server_has_no_finding(full: Scene) -> None:
    seen = full.look()
    assert spoken(seen) == set(), str(seen)


@pytest.mark.parametrize("fault", [pytest.param(each, id=each.name) for each in COMPONENT_FAULTS])
def test_the_fault_is_named_and_nothing_else(full: Scene, fault: Fault) -> None:
    with fault.damage(full):
        seen = full.look(planned=fault.planned)
    expected = {named for named in fault.named if not is_silence(named)}
    assert spoken(seen) == expected, str(seen)
    assert fault.named <= seen.named, str(seen)


def test_the_mended_server_has_no_finding(full: Scene) -> None:
    seen = full.look()
    assert spoken(seen) == set(), str(seen)
