# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One server in the lab for all faults: each breaks it in place and mends it again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.homestead.matrix.tests.lab.provisioned import finished_server
from scene import Scene


@pytest.fixture(scope="session")
def scene() -> Iterator[Scene]:
    with finished_server() as lab:
        scene = Scene(lab)
        yield scene
        scene.settle()
