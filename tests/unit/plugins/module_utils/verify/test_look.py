# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.look import allowed_networks


@pytest.mark.parametrize(
    ("value", "networks"),
    [
        pytest.param(False, [], id="none"),
        pytest.param("no", [], id="none, as text"),
        pytest.param(True, ["0.0.0.0/0", "::/0"], id="all"),
        pytest.param("True", ["0.0.0.0/0", "::/0"], id="all, as text"),
        pytest.param(0, [], id="none, as a number"),
        pytest.param(["192.0.2.0/24"], ["192.0.2.0/24"], id="a list"),
        pytest.param("192.0.2.0/24", ["192.0.2.0/24"], id="one network"),
    ],
)
def test_allowed_networks(value: Any, networks: list[str]) -> None:
    assert allowed_networks(value) == networks
