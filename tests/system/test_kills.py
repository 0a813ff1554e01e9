# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller dies again and again while it makes a server; the next run finishes the work."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

import pytest
from provider import Lab, kill

KILLS = 12
LONGEST = (
    14.0  # seconds a run may live; installing is what takes longer, and is killed in the middle
)


@pytest.fixture(scope="module")
def bare() -> Iterator[Lab]:
    lab = Lab(name=f"{os.environ.get('SYSTEM_LAB', 'system')}-kills")
    lab.up(release=os.environ.get("SYSTEM_RELEASE", "12"))
    yield lab
    lab.down()


def test_next_run_converges_whenever_the_controller_was_killed(bare: Lab) -> None:
    chance = random.Random(20261123)  # the moments are the same in every run of the test
    killed = []
    for _kill in range(KILLS):
        process = bare.start("site")
        moment = chance.uniform(1.0, LONGEST)
        time.sleep(moment)
        if process.poll() is None:
            killed.append(moment)
        kill(process)
    assert len(killed) >= 10, f"only {len(killed)} runs lived long enough to be killed: {killed}"
    finishing = bare.play("site")
    assert finishing.status == 0, finishing.output[-8000:]
    assert bare.play("site").recap("matrix")["changed"] == 0
    assert bare.ssh("matrix", "systemctl --failed --no-legend --plain").strip() == ""
