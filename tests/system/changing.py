# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator does who changes variables of a running server."""

from __future__ import annotations

from typing import Any

from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from ansible_collections.homestead.matrix.tests.lab.runs import Run


def change(lab: Lab, *options: str, **variables: Any) -> Run:
    """Run the playbook as an operator does who has changed variables."""
    return lab.play("site", *options, **variables)


def changes(lab: Lab, **variables: Any) -> int:
    """Return how much another run changes."""
    return change(lab, "--skip-tags", "verify", **variables).recap("matrix")["changed"]


def assert_verified_and_settled(lab: Lab, *options: str, **variables: Any) -> Run:
    """See that a change comes true, that the verifier is content, and that nothing is left."""
    first = change(lab, *options, **variables)
    assert first.status == 0, first.output[-8000:]
    assert first.recap("matrix")["changed"] > 0
    assert changes(lab, **variables) == 0
    return first
