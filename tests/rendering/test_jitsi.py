# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role writes for Jitsi Meet, and what nginx makes of its page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from exposure import assert_low, needs_systemd_analyze
from nginx_rendering import (
    NGINX,
    Nginx,
    Role,
    described,
    free_port,
    proxy_files,
    proxy_role,
    release_of_nginx,
)

NAME = "jitsi.example.com"
DIRECTORY = "/usr/share/jitsi-meet/"


def role(*, addresses: tuple[str, ...] = (), **inputs: Any) -> Role:
    given = {"components": ["jitsi"], "addresses": list(addresses), **inputs}
    host = {"addresses": ["10.0.0.5", "192.0.2.7", "2001:db8::7"]}
    site = described(**given)
    return Role("jitsi", matrix_site=site, matrix_host=host, matrix_addresses=list(addresses))


@needs_systemd_analyze
def test_the_exposure_of_the_focus_is_low(tmp_path: Path) -> None:
    assert_low("jicofo.service", role().render("jicofo.service.j2"), tmp_path)


@pytest.mark.parametrize(
    ("public", "mappings"),
    [
        pytest.param((), [], id="nobody says"),
        pytest.param(("192.0.2.7", "2001:db8::7"), [], id="the host's own"),
        pytest.param(
            ("198.51.100.1",),
            [{"local-address": "10.0.0.5", "public-address": "198.51.100.1"}],
            id="behind NAT",
        ),
    ],
)
def test_the_bridge_knows_its_public_address(
    public: tuple[str, ...], mappings: list[dict[str, str]]
) -> None:
    told = role(addresses=public).value("_jitsi_bridge.ice4j.harvest.mapping")
    assert told["static-mappings"] == mappings


def test_the_bridge_takes_the_memory_that_it_may() -> None:
    assert "MAX_MEMORY=300m" in role(jitsi_bridge_memory_mb="300").render("bridge.conf.j2")


@pytest.mark.parametrize(
    ("authentication", "hosts"),
    [
        pytest.param("off", {NAME: "jitsi-anonymous"}, id="everybody"),
        pytest.param(
            "internal",
            {NAME: "internal_hashed", f"guest.{NAME}": "jitsi-anonymous"},
            id="accounts and guests",
        ),
    ],
)
def test_who_may_open_a_conference(authentication: str, hosts: dict[str, str]) -> None:
    given = role(jitsi_authentication=authentication)
    assert {name: kind for name, kind, _storage in given.value("_jitsi_hosts")} == hosts
    asked = given.value("_jitsi_focus.jicofo.authentication.enabled")
    assert asked is (authentication == "internal")


def test_only_this_host_reaches_prosody() -> None:
    text = role().render("prosody.cfg.lua.j2")
    assert 'interfaces = { "127.0.0.1" }' in text
    assert "s2s_ports = {}" in text


def test_an_archive_on_the_host_is_pinned_too() -> None:
    files = {each["path"]: each for each in role().value("_jitsi_files")}
    pin = files["/etc/apt/preferences.d/homestead-jitsi"]["content"]
    assert 'Pin: origin "download.jitsi.org"' in pin
    local = role(jitsi_archive_url="file:/srv/archive").value("_jitsi_files")
    assert 'Pin: origin ""' in next(e for e in local if "preferences" in e["path"])["content"]


def test_callers_reach_the_bridge_through_the_relay() -> None:
    rules = {
        name: Role("coturn", matrix_site=described(components=[*name])).render(
            "homestead-relay.nft.j2"
        )
        for name in ((), ("jitsi",))
    }
    assert "udp dport != { 49152-49573 } drop" in rules[()]
    assert "udp dport != { 49152-49573, 10000 } drop" in rules["jitsi",]


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_a_room_is_the_page_and_pages_include_others(
    tmp_path: Path, nginx_certificate: tuple[Path, Path]
) -> None:
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text('<!--#include virtual="title.html" --> index')
    (page / "title.html").write_text("a title")
    (page / "config.js").write_text("var config = {};")
    description = described(components=["jitsi"])
    files = proxy_files(proxy_role(description, release=release_of_nginx()))
    ports = {port: free_port() for port in (80, 443, 5280, 8008, 8448, 9092)}
    nginx = Nginx(tmp_path, ports)
    config = "/var/lib/homestead/jitsi/"
    moved = {
        path: text.replace(DIRECTORY, f"{page}/").replace(config, f"{page}/")
        for path, text in files.items()
    }
    nginx.write(moved, nginx_certificate)
    with nginx.running():
        for path in ("/", "/SomeRoom", "/tenant/room"):
            assert nginx.ask(path, name=NAME).body == "a title index"
        script = nginx.ask("/config.js", name=NAME)
        assert script.all("content-type") == ["application/javascript"]
        assert nginx.ask("/http-bind", name=NAME).status == 502
