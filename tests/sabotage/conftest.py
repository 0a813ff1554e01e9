# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One server in the lab for all faults: each breaks it in place and mends it again."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ansible_collections.homestead.matrix.tests.system.provider import Lab
from scene import Scene


@pytest.fixture(scope="session")
def scene() -> Iterator[Scene]:
    scene = Scene(Lab(os.environ.get("SABOTAGE_LAB", "sabotage")))
    scene.up(os.environ.get("SABOTAGE_RELEASE", "12"))
    yield scene
    if "SABOTAGE_KEEP" not in os.environ:
        scene.lab.down()
