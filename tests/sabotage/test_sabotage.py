# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fault at a time on real services: the verifier names it, and nothing beside it."""

from __future__ import annotations

import pytest
from fault import Fault
from faults import FAULTS
from scene import Scene


def test_the_healthy_server_has_no_finding(scene: Scene) -> None:
    seen = scene.look()
    assert seen.named == set(), str(seen)


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in FAULTS])
def test_the_fault_is_named_and_nothing_else(scene: Scene, fault: Fault) -> None:
    with fault.damage(scene):
        seen = scene.look(planned=fault.planned)
    assert seen.named == fault.named, str(seen)


def test_the_mended_server_has_no_finding(scene: Scene) -> None:
    seen = scene.look()
    assert seen.named == set(), str(seen)
