# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import yaml
from ansible_collections.homestead.matrix.plugins.module_utils.answers import verify as answers
from ansible_collections.homestead.matrix.plugins.modules import verify


def test_libraries_are_there() -> None:
    assert answers.missing_libraries() == []
    assert answers.installed("no-such-package") == ()
    assert answers.installed("h11") >= (0, 14)


def test_documentation_agrees_with_the_arguments() -> None:
    documented = yaml.safe_load(verify.DOCUMENTATION)["options"]
    assert set(documented) == set(verify.ARGUMENTS)
    for name, argument in verify.ARGUMENTS.items():
        for key in ("type", "default", "required", "elements"):
            assert documented[name].get(key) == argument.get(key), name
