# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.homestead.matrix.plugins.filter.secret import FilterModule
from ansible_collections.homestead.matrix.plugins.module_utils.service.secrets import PLACEHOLDER

secret = FilterModule().filters()["secret"]


def test_what_the_filter_says_is_what_the_host_replaces() -> None:
    match = PLACEHOLDER.fullmatch(secret("turn.2-a_b").encode())
    assert match
    assert match.group(1) == b"turn.2-a_b"


@pytest.mark.parametrize("name", ["", "Turn", "../turn", ".turn", "a b", 7, None])
def test_a_name_that_is_none(name: object) -> None:
    with pytest.raises(AnsibleFilterError, match="no name of a secret"):
        secret(name)
