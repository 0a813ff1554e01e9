# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the web server of the base domain is given, beside a site that lives there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.base_domain import (
    nginx as configuration,
)
from ansible_collections.homestead.matrix.plugins.module_utils.base_domain.redirects import (
    Redirect,
    asker,
    first_fault,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.plan import snippets
from nginx_rendering import DOMAIN, NGINX, Nginx, Role, described

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SNIPPET = "/etc/nginx/snippets/matrix-well-known.conf"
INCLUDE = "include /etc/nginx/snippets/matrix-*.conf;"
SITE = f"""
server {{
    listen 127.0.0.1:443 ssl;
    server_name {DOMAIN};
    ssl_certificate /etc/nginx/fullchain.pem;
    ssl_certificate_key /etc/nginx/privkey.pem;
    add_header Access-Control-Allow-Origin https://example.com always;
    {INCLUDE}
    location / {{ default_type text/plain; return 200 "the site"; }}
}}
"""
SUPPORT = {"support_page": "https://example.com/help"}


@pytest.fixture(scope="module")
def redirects() -> list[dict[str, Any]]:
    return list(described(support=SUPPORT)["redirects"])


def rendered(redirects: list[dict[str, Any]]) -> str:
    return Role("base_domain", _base_domain_site={"redirects": redirects}).render("nginx.conf.j2")


@pytest.fixture(scope="module")
def web(
    redirects: list[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
    nginx_certificate: tuple[Path, Path],
) -> Iterator[Nginx]:
    if NGINX is None:
        pytest.skip("nginx is not installed")
    snippet = rendered(redirects)
    server = Nginx(tmp_path_factory.mktemp("base"))
    server.write({"/etc/nginx/conf.d/site.conf": SITE, SNIPPET: snippet}, nginx_certificate)
    with server.running():
        yield server


def test_the_plan_shows_the_same_to_copy(redirects: list[dict[str, Any]]) -> None:
    shown = snippets.nginx([snippets.Redirect(**each) for each in redirects])
    _comment, *lines = rendered(redirects).splitlines()
    assert [line for line in lines if line] == shown.splitlines()


def test_every_redirect_is_served_with_cors_once(
    web: Nginx, redirects: list[dict[str, Any]]
) -> None:
    assert len(redirects) == 3
    ask = asker(DOMAIN, "127.0.0.1", web.ports[443])
    assert first_fault([Redirect(**each) for each in redirects], ask) is None


def test_a_preflight_is_answered_with_cors_once(web: Nginx) -> None:
    reply = web.ask("/.well-known/matrix/client", method="OPTIONS", name=DOMAIN)
    assert (reply.status, reply.all("Access-Control-Allow-Origin")) == (204, ["*"])


def test_the_site_stays_what_it_was(web: Nginx) -> None:
    reply = web.ask("/", name=DOMAIN)
    assert (reply.status, reply.body) == (200, "the site")
    assert reply.all("Access-Control-Allow-Origin") == ["https://example.com"]


def test_the_site_is_found_in_what_nginx_prints(web: Nginx) -> None:
    blocks = configuration.servers(configuration.read_dump(web.run("-T", "-q").stdout))
    wish = {"name": DOMAIN, "snippet": web.moved(SNIPPET), "include": INCLUDE}
    found = configuration.site(blocks, **wish)
    assert found.file == web.moved("/etc/nginx/conf.d/site.conf")
    assert found.listen == configuration.Listen("127.0.0.1", web.ports[443], tls=True)


@pytest.mark.parametrize(
    ("server", "own", "targets"),
    [
        pytest.param(None, {}, ["matrix.example.com"] * 2, id="no server in the inventory"),
        pytest.param({}, {}, ["matrix.example.com"] * 2, id="server with the default name"),
        pytest.param(
            {"matrix_hostname": "chat.example.com", "matrix_support": SUPPORT},
            {},
            ["chat.example.com"] * 3,
            id="what the server says",
        ),
        pytest.param({"matrix_serve_base_domain": True}, {}, [], id="served by the server itself"),
        pytest.param(
            None, {"matrix_hostname": "x.example.net"}, ["x.example.net"] * 2, id="own variables"
        ),
    ],
)
def test_the_server_is_found_by_its_domain(
    server: dict[str, Any] | None, own: dict[str, Any], targets: list[str]
) -> None:
    others = {"other": {"matrix_domain": "example.org", "matrix_hostname": "x.example.org"}}
    mine = {} if server is None else {"mine": {"matrix_domain": DOMAIN, **server}}
    hosts = {**others, "undescribed": {}, **mine}
    inventory = {"hostvars": hosts, "groups": {"matrix": list(hosts)}, "matrix_domain": DOMAIN}
    redirects = Role("base_domain", **inventory, **own).value("_base_domain_redirects")
    assert [each["to"].split("/")[2] for each in redirects] == targets
