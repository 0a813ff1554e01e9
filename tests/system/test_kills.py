# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller dies again and again while it makes a server; the next run finishes the work."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from ansible_collections.homestead.matrix.tests.lab.runs import kill

RELEASE = "13"
"""The release that the other tests of whole servers with the default firewall do not have."""
KILLS = 12
# Seconds a run may live: long enough for one that finishes what the killed ones began.
LONGEST = 14.0


@pytest.fixture(scope="module")
def bare() -> Iterator[Lab]:
    lab = Lab("kills")
    lab.up(release=RELEASE)
    yield lab
    lab.down()


def test_next_run_converges_whenever_the_controller_was_killed(bare: Lab) -> None:
    chance = random.Random(20261123)  # the moments are the same in every run of the test
    starts = (kill_after(bare, chance.uniform(1.0, LONGEST)) for _start in range(2 * KILLS))
    killed = list(itertools.islice((start for start in starts if start), KILLS))
    assert len(killed) == KILLS, f"only {len(killed)} runs lived long enough to be killed"
    finishing = bare.play("site")
    assert finishing.status == 0, finishing.output[-8000:]
    assert bare.play("site").recap("matrix")["changed"] == 0
    assert bare.ssh("matrix", "systemctl --failed --no-legend --plain").strip() == ""


def kill_after(lab: Lab, seconds: float) -> bool:
    """Start a run, kill it after a while, and tell whether it was still at work."""
    process = lab.start("site")
    time.sleep(seconds)
    if process.poll() is None:
        kill(process)
        return True
    process.communicate()
    return False
