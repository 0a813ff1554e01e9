# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.admitted import admitted
from ansible_collections.homestead.matrix.plugins.module_utils.verify.api.exposure import (
    ADMIN_API,
    METRICS,
    PRIVATE,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.calls.check_turn import (
    ROUTE,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    PrivatePlace,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Check

PAGE = PrivatePlace("https://m.test/admin/", "Page", ("192.0.2.0/24", "2001:db8::/64"))
API = PrivatePlace("https://m.test/_synapse/admin/", "Page", ("192.0.2.0/24",))


@pytest.mark.parametrize(
    ("check", "we_are", "places", "verdict"),
    [
        pytest.param(PRIVATE, "192.0.2.7:9", [PAGE], "skipped", id="an insider"),
        pytest.param(PRIVATE, "[2001:db8::7]:9", [PAGE], "skipped", id="an insider over IPv6"),
        pytest.param(PRIVATE, "198.51.100.7:9", [PAGE], "error", id="a stranger"),
        pytest.param(PRIVATE, "192.0.2.7:9", [], "error", id="nothing is private"),
        pytest.param(ADMIN_API, "192.0.2.7:9", [PAGE, API], "skipped", id="an administrator"),
        pytest.param(ADMIN_API, "192.0.2.7:9", [PAGE], "error", id="an API for nobody"),
        pytest.param(METRICS, "192.0.2.7:9", [PAGE, API], "error", id="something else"),
    ],
)
def test_what_insiders_see_is_no_fault(
    check: Check, we_are: str, places: list[PrivatePlace], verdict: str
) -> None:
    turn = ROUTE.of("udp").ok("It answers.", we_are=we_are)
    _turn, found = admitted([turn, check.error("Strangers see it.")], places)
    assert found.verdict == verdict


def test_who_the_vantage_is_may_be_unknown() -> None:
    (found,) = admitted([PRIVATE.error("Strangers see it.")], [PAGE])
    assert found.verdict == "error"
