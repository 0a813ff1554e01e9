# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The administration page as nginx serves it: to those who may, and to all others not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from nginx_rendering import (
    NGINX,
    Nginx,
    Reply,
    described,
    proxy_files,
    proxy_role,
    release_of_nginx,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

PATHS = (
    "/admin/",
    "/admin/index.html",
    "/admin/config.json",
    "/admin/assets/",
    "/admin/none",
    "/_synapse/admin/v1/x",
)
ONLY_STRANGERS = "        allow 127.0.0.0/8;\n"


def web(root: Path, certificate: tuple[Path, Path], *, stranger: bool) -> Nginx:
    """Return nginx with the page; for a stranger, this machine may not open it either."""
    site = described(components=["admin_ui"], admin_networks=["192.0.2.7/32"])
    root.chmod(0o755)
    nginx = Nginx(root)
    page = root / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<p>A page</p>")
    (page / "assets/a.js").write_text("1")
    (root / "config.json").write_text(json.dumps(site["admin_ui"]["settings"]))
    files = proxy_files(proxy_role(site, release=release_of_nginx(), ipv6=False))
    moved = {
        path: text.replace("/opt/admin-ui/current", str(page))
        .replace("/etc/admin-ui", str(root))
        .replace(ONLY_STRANGERS, "" if stranger else ONLY_STRANGERS)
        for path, text in files.items()
    }
    nginx.write(moved, certificate)
    assert nginx.run("-t", "-q").stderr == ""
    return nginx


@pytest.fixture(scope="module")
def insider(
    tmp_path_factory: pytest.TempPathFactory, nginx_certificate: tuple[Path, Path]
) -> Iterator[Nginx]:
    with web(tmp_path_factory.mktemp("in"), nginx_certificate, stranger=False).running() as nginx:
        yield nginx


@pytest.fixture(scope="module")
def stranger(
    tmp_path_factory: pytest.TempPathFactory, nginx_certificate: tuple[Path, Path]
) -> Iterator[Nginx]:
    with web(tmp_path_factory.mktemp("out"), nginx_certificate, stranger=True).running() as nginx:
        yield nginx


def told(reply: Reply) -> tuple[Any, ...]:
    """Return everything that an answer tells but the time."""
    return reply.status, reply.body, [line for line in reply.headers if line[0] != "Date"]


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "HEAD"])
@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_learns_as_little_as_where_nothing_is(
    stranger: Nginx, path: str, method: str
) -> None:
    nothing = stranger.ask("/nothing", method=method)
    assert nothing.status == 404
    assert told(stranger.ask(path, method=method)) == told(nothing)


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        pytest.param("/admin/", "text/html", id="page"),
        pytest.param("/admin/assets/a.js", "application/javascript", id="script"),
        pytest.param("/admin/config.json", "application/json", id="settings"),
    ],
)
def test_what_it_shows_stays_there(insider: Nginx, path: str, content_type: str) -> None:
    reply = insider.ask(path)
    assert (reply.status, reply.all("Content-Type")) == (200, [content_type])
    (policy,) = reply.all("Content-Security-Policy")
    assert {"default-src 'self' data: blob:", "frame-ancestors 'none'"} <= set(policy.split("; "))
    assert reply.all("Referrer-Policy") == ["no-referrer"]
    assert reply.all("X-Content-Type-Options") == ["nosniff"]
    assert reply.all("Cache-Control") == ["private, no-cache"]
    assert len(reply.all("Strict-Transport-Security")) == 1
    assert reply.all("Access-Control-Allow-Origin") == []


def test_a_page_that_is_the_same_is_not_sent_again(insider: Nginx) -> None:
    (tag,) = insider.ask("/admin/assets/a.js").all("ETag")
    assert insider.ask("/admin/assets/a.js", headers={"If-None-Match": tag}).status == 304


@pytest.mark.parametrize("path", ["/admin/assets/", "/admin/none", "/admin/..%2fnginx.conf"])
def test_it_lists_no_directory_and_leads_nowhere_else(insider: Nginx, path: str) -> None:
    assert insider.ask(path).status == 404


def test_the_admin_api_is_synapses(insider: Nginx) -> None:
    assert insider.ask("/_synapse/admin/v1/x").status == 502  # which does not run here
    assert insider.ask("/_synapse/admin/../../_synapse/other").status == 404


def test_the_settings_are_those_of_the_description(insider: Nginx) -> None:
    shown = json.loads(insider.ask("/admin/config.json").body)
    assert shown["restrictBaseUrl"] == "https://matrix.example.com"
