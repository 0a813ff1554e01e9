# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import yaml
from ansible_collections.homestead.matrix.plugins.module_utils.service.arguments import ARGUMENTS
from ansible_collections.homestead.matrix.plugins.module_utils.service.model import empty_answer
from ansible_collections.homestead.matrix.plugins.modules import service

KEPT = ("type", "elements", "required", "choices", "default")


def documented(options: dict[str, Any]) -> dict[str, Any]:
    """Return the documented options in the form of an argument specification."""
    found = {}
    for name, option in options.items():
        found[name] = {key: option[key] for key in KEPT if key in option}
        if "suboptions" in option:
            found[name]["options"] = documented(option["suboptions"])
    return found


def specified(options: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, option in options.items():
        found[name] = {key: option[key] for key in KEPT if key in option}
        if "options" in option:
            found[name]["options"] = specified(option["options"])
    return found


def test_documented_options_are_the_real_ones() -> None:
    documentation = yaml.safe_load(service.DOCUMENTATION)
    assert documented(documentation["options"]) == specified(ARGUMENTS)


def test_content_is_never_logged() -> None:
    assert ARGUMENTS["contents"]["no_log"]


def test_examples_use_documented_options() -> None:
    for task in yaml.safe_load(service.EXAMPLES):
        assert set(task["homestead.matrix.service"]) <= set(ARGUMENTS)


def test_every_key_of_an_answer_is_documented() -> None:
    answer = empty_answer("no")
    assert set(yaml.safe_load(service.RETURN)) == set(answer) - {"changed", "failed"}
