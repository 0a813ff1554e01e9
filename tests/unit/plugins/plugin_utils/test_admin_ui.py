# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The administration page: which bundle it is, what it knows of the server, and who may open it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.admin_ui import KNOWN
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.components import (
    COMPONENTS,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.description import (
    DEFAULTS,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site

PAGE: dict[str, Any] = {"components": ["admin_ui"], "admin_networks": ["192.0.2.7/32"]}
SHA256 = "0123456789abcdef" * 4
LOCAL = ["127.0.0.0/8", "::1/128"]
NEEDS = (
    "needs admin_ui_sha256; write the digest that GitHub shows beside ketesa.tar.gz of the "
    "release, or what sha256sum prints for your bundle."
)
WRONG_SUM = "write the 64 small hexadecimal digits that sha256sum prints for the bundle."
NOBODY = (
    "matrix_components lists 'admin_ui', which nobody could open; list the networks of those who "
    "shall, like matrix_admin_networks: [192.0.2.7/32], or 'wireguard' as well."
)


def derived(**given: Any) -> Any:
    return site("example.com", {**PAGE, **given})


def bundle(**given: Any) -> tuple[Any, ...]:
    found = derived(**given)["admin_ui"]["program"]
    return tuple(found.get(name) for name in ("url", "file", "sha256"))


def test_upstreams_release_is_known_by_its_version() -> None:
    url, file, sha256 = bundle()
    version = DEFAULTS["admin_ui_version"]
    assert url == f"https://github.com/etkecc/ketesa/releases/download/v{version}/ketesa.tar.gz"
    assert (file, sha256) == (None, KNOWN[str(version)])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            {"admin_ui_version": "9.9.9", "admin_ui_sha256": SHA256},
            (
                "https://github.com/etkecc/ketesa/releases/download/v9.9.9/ketesa.tar.gz",
                None,
                SHA256,
            ),
            id="another release",
        ),
        pytest.param(
            {"admin_ui_sha256": f"sha256:{SHA256}", "admin_ui_url": "https://example.com/a.tgz"},
            ("https://example.com/a.tgz", None, SHA256),
            id="an address, and a digest as GitHub writes it",
        ),
        pytest.param(
            {"admin_ui_sha256": SHA256, "admin_ui_file": "/srv/ketesa.tar.gz"},
            (None, "/srv/ketesa.tar.gz", SHA256),
            id="a file",
        ),
    ],
)
def test_another_bundle(given: dict[str, str], expected: tuple[str | None, ...]) -> None:
    assert bundle(**given) == expected


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        pytest.param({"admin_networks": []}, NOBODY, id="nobody may open it"),
        pytest.param(
            {"admin_networks": [], "sources": {"ssh": ["192.0.2.0/24"]}},
            NOBODY,
            id="networks of something else",
        ),
        pytest.param(
            {"admin_ui_version": "9.9.9"},
            f"admin_ui_version '9.9.9' {NEEDS}",
            id="another release without a checksum",
        ),
        pytest.param(
            {"admin_ui_url": "https://example.com/a.tgz"},
            f"admin_ui_url 'https://example.com/a.tgz' {NEEDS}",
            id="an address without a checksum",
        ),
        pytest.param(
            {"admin_ui_file": "/srv/a.tgz"},
            f"admin_ui_file '/srv/a.tgz' {NEEDS}",
            id="a file without a checksum",
        ),
        pytest.param(
            {
                "admin_ui_url": "https://example.com/a.tgz",
                "admin_ui_file": "/srv/a.tgz",
                "admin_ui_sha256": SHA256,
            },
            "admin_ui_url and admin_ui_file both name a bundle; take one of them out.",
            id="an address and a file",
        ),
        pytest.param(
            {"admin_ui_sha256": SHA256[:40]},
            f"admin_ui_sha256 cannot be '{SHA256[:40]}'; {WRONG_SUM}",
            id="a checksum of another kind",
        ),
        pytest.param(
            {"admin_ui_sha256": SHA256.upper()},
            f"admin_ui_sha256 cannot be '{SHA256.upper()}'; {WRONG_SUM}",
            id="a checksum in capitals",
        ),
        pytest.param(
            {"admin_ui_url": "ftp://example.com/a.tgz", "admin_ui_sha256": SHA256},
            "admin_ui_url cannot be 'ftp://example.com/a.tgz'; write an address like "
            "https://example.com/ketesa.tar.gz.",
            id="an address that is not of the web",
        ),
        pytest.param(
            {"admin_ui_file": "ketesa.tar.gz", "admin_ui_sha256": SHA256},
            "admin_ui_file cannot be 'ketesa.tar.gz'; write an absolute path on the controller.",
            id="a file that depends on where one stands",
        ),
        pytest.param(
            {"admin_ui_version": "v1.5.0"},
            "admin_ui_version cannot be 'v1.5.0'; write a version like 1.5.0.",
            id="a tag instead of a version",
        ),
        pytest.param(
            {"admin_ui_version": ""},
            "admin_ui_version cannot be ''; write a version like 1.5.0.",
            id="no version",
        ),
    ],
)
def test_what_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole sentence is compared
        derived(**given)
    assert str(caught.value) == sentence


def test_the_page_and_the_admin_api_are_for_the_same_networks() -> None:
    (vhost,) = derived()["vhosts"]
    private = {route["path"]: route for route in vhost["routes"] if "networks" in route}
    assert list(private) == ["/_synapse/admin/", "/admin/config.json", "/admin/"]
    assert all(route["networks"] == [*LOCAL, "192.0.2.7/32"] for route in private.values())
    assert private["/_synapse/admin/"]["upstream"] == "synapse"
    assert [path for path, route in private.items() if route.get("confined")] == [
        "/admin/config.json",
        "/admin/",
    ]


def test_the_private_network_may_open_it_and_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMPONENTS, "wireguard", replace(COMPONENTS["wireguard"], role="wireguard"))
    both = {"components": ["admin_ui", "wireguard"]}
    for given in ({"admin_networks": []}, {"private_access": "tunnel"}):
        places = derived(**both, **given)["expectations"]["private"]
        assert {tuple(place["networks"][:3]) for place in places} == {(*LOCAL, "10.71.0.0/16")}
        assert not any("192.0.2.7/32" in place["networks"] for place in places)


def test_strangers_are_expected_to_get_none_of_it() -> None:
    assert [place["url"] for place in derived()["expectations"]["private"]] == [
        "https://matrix.example.com/_synapse/admin/",
        "https://matrix.example.com/admin/config.json",
        "https://matrix.example.com/admin/",
    ]
    assert site("example.com", {})["expectations"]["private"] == []


def test_nothing_names_it_to_the_world() -> None:
    without, found = site("example.com", {}), derived()
    for part in ("well_known", "dns_records", "ports", "redirects"):
        assert found[part] == without[part]


def test_it_knows_its_server_and_whose_accounts_are_not_for_people() -> None:
    both = derived(components=["admin_ui", "heisenbridge"], bridge_admins=["@alice:example.com"])
    assert both["admin_ui"]["settings"] == {
        "restrictBaseUrl": "https://matrix.example.com",
        "wellKnownDiscovery": False,
        "asManagedUsers": [
            "^@homestead-admin:example\\.com$",
            "^@heisenbridge:example\\.com$",
            "^@irc_.*:example\\.com$",
        ],
    }
