# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names with IPv6 only, and names that lead elsewhere than planned."""

from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.breaking import (
    faults,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    Record,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    DOMAIN,
    HOST,
    Server,
)

BASE4, BASE6 = Record(DOMAIN, "A", "192.0.2.1"), Record(DOMAIN, "AAAA", "2001:db8::1")
HOST4, HOST6 = Record(HOST, "A", "192.0.2.2"), Record(HOST, "AAAA", "2001:db8::2")
BOTH = ["192.0.2.2", "2001:db8::2"]


@pytest.mark.parametrize(
    ("records", "planned", "expected"),
    [
        pytest.param((BASE4, HOST4, HOST6), [], set(), id="nothing planned"),
        pytest.param((BASE4, HOST4, HOST6), BOTH, set(), id="as planned"),
        pytest.param(
            (BASE6, HOST4), [], {"warning resolution.families"}, id="base domain, IPv6 only"
        ),
        pytest.param((BASE4, HOST6), [], {"warning resolution.families"}, id="server, IPv6 only"),
        pytest.param((BASE4, HOST4), BOTH, {"warning resolution.planned"}, id="one is missing"),
        pytest.param(
            (BASE4, HOST4, HOST6), BOTH[:1], {"warning resolution.planned"}, id="one too many"
        ),
        pytest.param(
            (BASE4, HOST6),
            BOTH,
            {"warning resolution.families", "warning resolution.planned"},
            id="IPv4 is missing",
        ),
        pytest.param(
            (BASE4, HOST4, Record(HOST, "AAAA", error="SERVFAIL")),
            BOTH,
            {"warning resolution.lookup"},
            id="the DNS fails",
        ),
    ],
)
def test_addresses(records: tuple[Record, ...], planned: list[str], expected: set[str]) -> None:
    server = Server(records)
    server.expectations["addresses"] = {HOST: planned}
    assert faults(server) == expected


def test_a_server_of_others_is_looked_at_as_well() -> None:
    server = Server((BASE4, HOST6), expectations={})
    assert "warning resolution.families" in faults(server)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        pytest.param({}, [], id="not said"),
        pytest.param({"addresses": BOTH}, [HOST], id="the host"),
        pytest.param(
            {"addresses": BOTH, "serve_base_domain": True}, [HOST, DOMAIN], id="the base domain too"
        ),
    ],
)
def test_what_is_planned(given: dict[str, object], names: list[str]) -> None:
    expectations = site(DOMAIN, given)["expectations"]
    assert isinstance(expectations, dict)
    assert expectations["addresses"] == dict.fromkeys(names, BOTH)
