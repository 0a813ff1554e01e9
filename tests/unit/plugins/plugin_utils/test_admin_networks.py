# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets the homeserver's admin API at the public address: only whom the operator names."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site

API = "/_synapse/admin/"
LOCAL = ["127.0.0.0/8", "::1/128"]
OFFICE = ["192.0.2.7/32", "2001:db8:5::/64"]
TUNNEL: dict[str, Any] = {
    "components": ["wireguard"],
    "wireguard_network": "10.99.0.0/16",
    "wireguard_network_ipv6": "fd00:99::/64",
}
PEERS = ["10.99.0.0/16", "fd00:99::/64"]


@pytest.mark.parametrize(
    ("given", "networks"),
    [
        pytest.param({}, None, id="nobody is named"),
        pytest.param({"admin_networks": OFFICE}, [*LOCAL, *OFFICE], id="networks"),
        pytest.param(TUNNEL, None, id="a tunnel, which may be for others too"),
        pytest.param({**TUNNEL, "admin_networks": OFFICE}, [*LOCAL, *PEERS, *OFFICE], id="both"),
        pytest.param(
            {**TUNNEL, "private_access": "tunnel"}, [*LOCAL, *PEERS], id="only through the tunnel"
        ),
        pytest.param(
            {**TUNNEL, "admin_networks": OFFICE, "private_access": "tunnel"},
            [*LOCAL, *PEERS],
            id="networks that do not count any more",
        ),
        pytest.param(
            {**TUNNEL, "components": ["wireguard", "admin_ui"]},
            [*LOCAL, *PEERS],
            id="the administration page",
        ),
        pytest.param(
            {"sources": {"synapse": OFFICE}}, None, id="who may federate is no administrator"
        ),
    ],
)
def test_who_gets_the_admin_api(given: dict[str, Any], networks: list[str] | None) -> None:
    found = site("example.com", given)
    (vhost,) = found["vhosts"]  # type: ignore[misc] - a plain dictionary, as templates have it
    routes = [route for route in vhost["routes"] if route["path"] == API]
    wished = [] if networks is None else [networks]
    assert [route["networks"] for route in routes] == wished
    places = found["expectations"]["private"]  # type: ignore[index] - as above
    assert [place["networks"] for place in places if place["url"].endswith(API)] == wished


WIDE = "which is the whole internet or much of it; list only where administrators sit, like "


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        *(
            pytest.param(
                {"admin_networks": networks},
                f"matrix_admin_networks has {read!r}, {WIDE}192.0.2.7/32.",
                id=f"everybody: {networks}",
            )
            for networks, read in (
                (["0.0.0.0/0"], "0.0.0.0/0"),
                (["::/0"], "::/0"),
                (["0.0.0.0/1", "128.0.0.0/1"], "0.0.0.0/0"),
                (["2000::/3"], "2000::/3"),
                ([*OFFICE, "192.0.0.0/7"], "192.0.0.0/7"),
            )
        ),
        pytest.param(
            {"admin_networks": "192.0.2.7/32"},
            "matrix_admin_networks must be a list, not a text.",
            id="no list",
        ),
        pytest.param(
            {"admin_networks": ["office.example.com"]},
            "matrix_admin_networks cannot have 'office.example.com'; write a network like "
            "192.0.2.0/24 or 2001:db8::/32.",
            id="a name",
        ),
        pytest.param(
            {"admin_networks": ["192.0.2.7/24"]},
            "matrix_admin_networks has '192.0.2.7/24', which is inside of a network; write "
            "192.0.2.0/24.",
            id="an address with the length of its network",
        ),
        pytest.param(
            {"admin_networks": [""]},
            "matrix_admin_networks cannot have ''; write a network like 192.0.2.0/24 or "
            "2001:db8::/32.",
            id="an empty text",
        ),
        pytest.param(
            {"sources": {"admin_ui": OFFICE}},
            "firewall_sources.admin_ui has no port to narrow; write matrix_admin_networks instead.",
            id="where ports are narrowed",
        ),
    ],
)
def test_what_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole sentence is compared
        site("example.com", given)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("network", ["10.0.0.0/8", "fc00::/7", "100.64.0.0/10", "192.0.2.7"])
def test_a_network_for_private_use_may_be_large(network: str) -> None:
    assert site("example.com", {"admin_networks": [network]})["vhosts"]
