# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All components on one server, at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ansible_collections.homestead.matrix.tests.lab.components.together import ALL, surroundings
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, Lab
from changing import change
from gathered import gathered
from ports_outside import assert_exactly_these_answer, be_talkative

MARGIN = 3.0
"""Seconds that a run without change may take more with all components than with none..."""
QUIET = 4.0
"""... on a machine that does nothing else, where one with none takes this long."""


def seconds_without_change(lab: Lab, **variables: Any) -> float:
    """Return what a run takes that changes nothing, the quicker one of two."""
    runs = [change(lab, "--skip-tags", "verify", **variables) for _attempt in range(2)]
    assert {run.recap("matrix")["changed"] for run in runs} == {0}
    return min(run.seconds for run in runs)


def test_all_components_at_once(
    changing: Lab, record_property: Callable[[str, object], None]
) -> None:
    """The verifier is content, exactly the right ports answer, and a run stays quick."""
    be_talkative(changing)
    with surroundings(changing) as choices:
        everything = choices.variables()
        first = change(changing, **everything)
        assert first.status == 0, first.output[-8000:]
        handed = changing.report("handover")
        assert [part["name"] for part in handed["parts"]] == list(ALL)
        assert handed["verification"]["verdict"] in ("ok", "info", "skipped", "unknown")
        assert all(bot["matrix_id"].endswith(f":{DOMAIN}") for bot in handed["bots"])
        assert_exactly_these_answer(changing, changing.site(**everything)["ports"])
        with_all = seconds_without_change(changing, **everything)
        data = gathered(changing, ALL)
        assert {name for name, *_more in data} >= {"heisenbridge"}
        off = change(changing, "--skip-tags", "verify", matrix_retired_data="remove")
        assert off.status == 0, off.output[-8000:]
    copies = changing.shell("matrix", "cd /var/lib/homestead/retired; find */*")
    shared = {path for _name, path, _seen in gathered(changing, ("synapse", "coturn"))}
    for name, path in {(name, path) for name, path, _seen in data if path not in shared}:
        assert changing.attempt("matrix", "test", "-e", path).returncode, path
        assert re.search(rf"(?m)^[^/]+/{name}[^/]*{re.escape(path)}$", copies), path
    with_none = seconds_without_change(changing)
    record_property("seconds without change", {"all": with_all, "none": with_none})
    assert with_all - with_none <= MARGIN * max(1.0, with_none / QUIET)
