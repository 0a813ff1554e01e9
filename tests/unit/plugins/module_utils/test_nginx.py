# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.base_domain import nginx

SNIPPET = "/etc/nginx/snippets/matrix-well-known.conf"
INCLUDE = "include /etc/nginx/snippets/matrix-*.conf;"
MAIN = """# configuration file /etc/nginx/nginx.conf:
user www-data; # a comment; with { marks }
events { worker_connections 768; }
http {
    log_format main '$remote_addr "{x}"';
    include /etc/nginx/sites-enabled/*;
    include conf.d/*.conf;
}

# configuration file /etc/nginx/sites-enabled/site:
"""
OTHER = """
# configuration file /etc/nginx/snippets/common.conf:
include /etc/nginx/snippets/matrix-*.conf;
"""


def servers(text: str) -> list[nginx.Server]:
    return nginx.servers(nginx.read_dump(MAIN + text))


def block(*lines: str, names: str = "example.com", listen: str = "443 ssl") -> str:
    body = " ".join([f"listen {listen};", f"server_name {names};", *lines])
    return f"server {{ {body} }}\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(block(INCLUDE), id="the advised line"),
        pytest.param(block(f'include "{SNIPPET}";'), id="whole path in quotes"),
        pytest.param(block("include snippets/*.conf;"), id="relative to nginx.conf"),
        pytest.param(block("include snippets/common.conf;") + OTHER, id="through another file"),
        pytest.param(block(INCLUDE, names="www.example.com example.com"), id="several names"),
        pytest.param(block(INCLUDE, names=".example.com"), id="leading dot"),
        pytest.param(block(INCLUDE, names=r"~^(?<who>www\.)?example\.com$"), id="pattern"),
        pytest.param(block("location / { set $a ${b}c; }", INCLUDE), id="after a location"),
        pytest.param(block(INCLUDE, listen="443 ssl http2") + block(listen="80"), id="http beside"),
        pytest.param("# server {\n" + block(INCLUDE) + "# }\n", id="comments"),
    ],
)
def test_a_site_with_the_line_is_found(text: str) -> None:
    site = nginx.site(servers(text), name="example.com", snippet=SNIPPET, include=INCLUDE)
    assert site.file == "/etc/nginx/sites-enabled/site"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(
            "\n" + block(),
            f"Add the line: {INCLUDE} to the server block of example.com "
            "in /etc/nginx/sites-enabled/site (line 2).",
            id="no line",
        ),
        pytest.param(block("location / {", INCLUDE, "}"), "Add the line", id="line in a location"),
        pytest.param(block("include snippets/*/x.conf;"), "Add the line", id="other directory"),
        pytest.param(block(INCLUDE) + block(), "(line 2).", id="second block without"),
        pytest.param(
            block(INCLUDE, names="example.org"), "nginx has no server block", id="other name"
        ),
        pytest.param(block(INCLUDE, listen="80"), "nginx has no server block", id="no TLS"),
        pytest.param(
            block(INCLUDE, names="*.example.com"), "nginx has no server block", id="subdomains"
        ),
        pytest.param("", "nginx has no server block", id="no site"),
        pytest.param("}}} server {{{ 'x", "nginx has no server block", id="nonsense"),
    ],
)
def test_what_is_missing_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        nginx.site(servers(text), name="example.com", snippet=SNIPPET, include=INCLUDE)


@pytest.mark.parametrize(
    ("words", "address", "port"),
    [
        pytest.param("443 ssl", "127.0.0.1", 443, id="port"),
        pytest.param("*:8443 ssl", "127.0.0.1", 8443, id="star"),
        pytest.param("0.0.0.0:443 ssl", "127.0.0.1", 443, id="every address"),
        pytest.param("192.0.2.1:443 ssl", "192.0.2.1", 443, id="one address"),
        pytest.param("[::]:443 ssl", "::1", 443, id="IPv6"),
        pytest.param("[2001:db8::1]:443 ssl", "2001:db8::1", 443, id="one address of IPv6"),
    ],
)
def test_the_site_is_asked_where_it_listens(words: str, address: str, port: int) -> None:
    text = block(INCLUDE, listen=words)
    site = nginx.site(servers(text), name="example.com", snippet=SNIPPET, include=INCLUDE)
    assert (site.listen.address, site.listen.port) == (address, port)


@pytest.mark.parametrize(
    ("words", "address", "port"),
    [
        pytest.param("localhost", "localhost", 80, id="name"),
        pytest.param("[::1]", "::1", 80, id="address of IPv6"),
        pytest.param("unix:/run/site.sock", "unix:/run/site.sock", 80, id="socket"),
    ],
)
def test_an_address_without_port_is_not_taken_apart(words: str, address: str, port: int) -> None:
    (server,) = servers(block(listen=words))
    assert server.listens == (nginx.Listen(address, port, tls=False),)
