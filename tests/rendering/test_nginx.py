# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nginx is given for every kind of description."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from nginx_rendering import (
    DOMAIN,
    HOSTNAME,
    NGINX,
    Nginx,
    described,
    proxy_files,
    proxy_role,
    release_of_nginx,
)

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATION = "/etc/nginx/conf.d/homestead.conf"
DESCRIPTIONS = [
    pytest.param({}, id="base domain elsewhere"),
    pytest.param({"serve_base_domain": True}, id="base domain here"),
    pytest.param({"hostname": DOMAIN}, id="host name is the domain"),
    pytest.param({"hostname": "chat.elsewhere.org"}, id="host name in another domain"),
    pytest.param({"max_upload_mb": 200}, id="big uploads"),
    pytest.param({"hostname": f"{'long.' * 40}example.com"}, id="very long name"),
    pytest.param({"support": {"support_page": "https://example.com/help"}}, id="support page"),
]
RELEASES = ("12", "13")


@pytest.fixture(params=DESCRIPTIONS)
def description(request: pytest.FixtureRequest) -> dict[str, Any]:
    return described(**request.param)


def configuration(given: dict[str, Any], release: str = "13", *, ipv6: bool = True) -> str:
    return proxy_files(proxy_role(given, release=release, ipv6=ipv6))[CONFIGURATION]


def server_blocks(text: str) -> dict[str, str]:
    """Return the blocks with TLS by their name."""
    blocks = re.findall(r"^server \{\n(.*?)^\}", text, re.DOTALL | re.MULTILINE)
    secure = [block for block in blocks if "ssl" in block]
    return {re.findall(r"server_name (\S+);", block)[0]: block for block in secure}


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
@pytest.mark.parametrize("ipv6", [True, False])
def test_nginx_takes_it_without_a_warning(
    description: dict[str, Any], tmp_path: Path, nginx_certificate: tuple[Path, Path], ipv6: bool
) -> None:
    nginx = Nginx(tmp_path)
    role = proxy_role(description, release=release_of_nginx(), ipv6=ipv6)
    nginx.write(proxy_files(role), nginx_certificate)
    assert nginx.run("-t", "-q").stderr == ""


@pytest.mark.parametrize("release", RELEASES)
def test_it_listens_on_the_ports_of_the_table_and_no_other(
    description: dict[str, Any], release: str
) -> None:
    text = configuration(description, release)
    table = {
        port["first"]
        for port in description["ports"]
        if port["component"] == "reverse_proxy" or "HTTPS" in port["purpose"]
    }
    assert {int(port) for port in re.findall(r"listen \S+?:(\d+)[ ;]", text)} == table


def test_every_port_answers_on_both_families(description: dict[str, Any]) -> None:
    text = configuration(description)
    assert text.count("listen 0.0.0.0:") == text.count("listen [::]:") > 0


def test_it_does_not_listen_on_a_family_that_the_host_lacks(description: dict[str, Any]) -> None:
    assert "[::]" not in configuration(description, ipv6=False)


@pytest.mark.parametrize("release", RELEASES)
def test_http2_is_said_in_the_words_of_the_release(
    description: dict[str, Any], release: str
) -> None:
    text = configuration(description, release)
    assert ("http2 on;" in text) is (release == "13")
    assert ("ssl http2" in text) is (release == "12")


def test_every_virtual_host_and_route_stands_once(description: dict[str, Any]) -> None:
    blocks = server_blocks(configuration(description))
    assert set(blocks) == {"_"} | {vhost["name"] for vhost in description["vhosts"]}
    for vhost in description["vhosts"]:
        routes = re.findall(r"location (?:= )?(/\S*) \{", blocks[vhost["name"]])
        assert routes == [route["path"] for route in vhost["routes"]]


def test_uploads_are_in_step_with_the_description(description: dict[str, Any]) -> None:
    blocks = server_blocks(configuration(description))
    size = description["max_upload_mb"]
    assert f"client_max_body_size {size}m;" in blocks[description["hostname"]]


def test_no_service_gets_a_changed_address(description: dict[str, Any]) -> None:
    passes = re.findall(r"proxy_pass (\S+);", configuration(description))
    assert passes
    assert all(re.fullmatch(r"http://\w+", each) for each in passes)


def test_names_of_the_examples_are_those_of_the_rendering() -> None:
    assert described()["hostname"] == HOSTNAME
