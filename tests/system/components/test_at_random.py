# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Components that come and go as chance wants it, also while the controller dies.

`SEED=` takes another chance, `CHANGES=` another number of changes.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.homestead.matrix.tests.lab.components.together import (
    ALL,
    Choices,
    surroundings,
)
from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from ansible_collections.homestead.matrix.tests.lab.runs import kill
from changing import change, changes
from gathered import gathered
from ports_outside import assert_exactly_these_answer, be_talkative

SEED = int(os.environ.get("SEED", "20261128"))
CHANGES = int(os.environ.get("CHANGES", "20"))
KILLS = max(1, CHANGES // 2)
LONGEST = 15.0
"""Seconds that a run may live which is to be killed."""


@dataclass
class Toggling:
    """A server whose components change."""

    choices: Choices
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    chosen: frozenset[str] = frozenset()

    @property
    def lab(self) -> Lab:
        return self.choices.lab

    def next(self) -> frozenset[str]:
        """Choose other components: mostly one is added or taken out, at times several are."""
        while True:
            most = min(self.chance.choice([1, 1, 1, 2, 9]), len(ALL))
            toggled = self.chance.sample(ALL, most)
            chosen = self.chosen ^ frozenset(toggled)
            if chosen != self.chosen and self.choices.is_possible(chosen):
                return chosen

    def variables(self, chosen: frozenset[str]) -> dict[str, Any]:
        return self.choices.variables(chosen)

    def data(self) -> set[tuple[str, ...]]:
        """Return the data of all components that the host has ever had."""
        return gathered(self.lab, ALL)

    def settle(self, chosen: frozenset[str]) -> None:
        """See that the server is what it shall be, and nothing else."""
        given = self.variables(chosen)
        run = change(self.lab, **given)
        assert run.status == 0, f"{sorted(chosen)}: {run.output[-8000:]}"
        assert changes(self.lab, **given) == 0
        assert_exactly_these_answer(self.lab, self.lab.site(**given)["ports"])
        failed = self.lab.run("matrix", "systemctl", "--failed", "--no-legend", "--plain")
        assert failed.strip() == ""
        self.chosen = chosen


@pytest.fixture(scope="module")
def toggling(changing: Lab) -> Iterator[Toggling]:
    be_talkative(changing)
    with surroundings(changing) as choices:
        yield Toggling(choices)
        assert change(changing, "--skip-tags", "verify").status == 0


@pytest.mark.parametrize("number", range(CHANGES))
def test_a_random_change(toggling: Toggling, number: int) -> None:
    del number  # they follow each other
    chosen = toggling.next()
    before = toggling.data()
    toggling.settle(chosen)
    assert before <= toggling.data()


@pytest.mark.parametrize("number", range(KILLS))
def test_the_next_run_finishes_what_a_killed_one_began(toggling: Toggling, number: int) -> None:
    del number
    chosen, seconds = toggling.next(), toggling.chance.uniform(1.0, LONGEST)
    before = toggling.data()
    given = json.dumps(toggling.variables(chosen))
    process = toggling.lab.start("site", "--skip-tags=verify", "--extra-vars", given)
    time.sleep(seconds)
    if process.poll() is None:
        kill(process)
    else:
        process.communicate()
    goes_on = toggling.chance.random() < 0.5  # or the operator thinks better of it
    toggling.settle(chosen if goes_on else toggling.chosen)
    assert before <= toggling.data()
