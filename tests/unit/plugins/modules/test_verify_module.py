# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.homestead.matrix.plugins.modules import verify


@pytest.mark.parametrize(
    ("value", "networks"),
    [
        pytest.param(False, [], id="none"),
        pytest.param("no", [], id="none, as text"),
        pytest.param(True, ["0.0.0.0/0", "::/0"], id="all"),
        pytest.param("True", ["0.0.0.0/0", "::/0"], id="all, as text"),
        pytest.param(["192.0.2.0/24"], ["192.0.2.0/24"], id="a list"),
        pytest.param("192.0.2.0/24", ["192.0.2.0/24"], id="one network"),
    ],
)
def test_allowed_networks(value: Any, networks: list[str]) -> None:
    assert verify.allowed_networks(value) == networks


def test_libraries_are_there() -> None:
    assert verify.missing_libraries() == []
    assert verify.installed("no-such-package") == ()
    assert verify.installed("h11") >= (0, 14)


def test_documentation_agrees_with_the_arguments() -> None:
    documented = yaml.safe_load(verify.DOCUMENTATION)["options"]
    assert set(documented) == set(verify.ARGUMENTS)
    for name, argument in verify.ARGUMENTS.items():
        for key in ("type", "default", "required", "elements"):
            assert documented[name].get(key) == argument.get(key), name
