# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the well-known documents and of the redirects that lead to them."""

from __future__ import annotations

from damage import Content, Edit, Stopped
from fault import DOCUMENTS, MATRIX, REDIRECTS, SITE, fault

ORIGIN = 'add_header Access-Control-Allow-Origin "*" always;'
TO = f"return 302 {MATRIX}/.well-known/matrix"
ADMIN = '"role": "m.role.admin"'


def redirected(name: str, answer: str) -> Edit:
    """Let the base domain answer for a document in another way."""
    return Edit("base", REDIRECTS, f"{TO}/{name};", answer)


def headed(header: str, *, name: str = "client") -> Edit:
    """Let the Matrix host serve a document with one header more."""
    begin = f"location = /.well-known/matrix/{name} {{"
    return Edit("matrix", SITE, begin, f"{begin}\n{header}")


def stated(name: str, content: str) -> Content:
    """Let the Matrix host serve another document."""
    return Content("matrix", f"{DOCUMENTS}/{name}", content)


FAULTS = [
    fault(
        "the base domain has no client document",
        redirected("client", "return 404;"),
        "error well_known.client.status",
    ),
    fault(
        "the base domain has no server document",
        redirected("server", "return 404;"),
        "error well_known.server.status",
    ),
    fault(
        "the base domain has no support document",
        redirected("support", "return 404;"),
        "error well_known.support.status",
    ),
    fault(
        "the base domain asks for a password",
        redirected("client", "return 401;"),
        "error well_known.client.status",
    ),
    fault(
        "the redirect has no CORS header",
        Edit("base", REDIRECTS, ORIGIN, ""),
        "error well_known.client.cors",
    ),
    fault(
        "the redirect has the CORS header twice",
        Edit("base", REDIRECTS, ORIGIN, f"{ORIGIN} {ORIGIN}"),
        "error well_known.client.cors",
    ),
    fault(
        "the redirect lets one origin read",
        Edit("base", REDIRECTS, '"*"', '"https://app.element.io"'),
        "error well_known.client.cors",
    ),
    fault(
        "the document has the CORS header twice",
        headed("add_header Access-Control-Allow-Origin * always;"),
        "error well_known.client.cors",
    ),
    fault(
        "the CORS header names two origins",
        Edit("base", REDIRECTS, '"*"', '"*, *"'),
        "error well_known.client.cors",
    ),
    fault(
        "the redirect leads to itself",
        redirected("client", "return 302 https://homestead.test/.well-known/matrix/client;"),
        "error well_known.client.redirects",
    ),
    fault(
        "the redirect leads to http",
        redirected("client", "return 302 http://matrix.homestead.test/.well-known/matrix/client;"),
        "error well_known.client.redirects",
    ),
    fault(
        "the redirect leads to a private address",
        redirected("support", "return 302 https://10.0.0.1/.well-known/matrix/support;"),
        "error well_known.support.status",
    ),
    fault(
        "the redirect says not where to",
        redirected("support", "return 302;"),
        "error well_known.support.redirects",
    ),
    fault(
        "the redirect takes a detour",
        Edit(
            "base",
            REDIRECTS,
            "location = /.well-known/matrix/client {",
            "location = /detour { add_header Access-Control-Allow-Origin * always;"
            f" {TO}/client; }}\n"
            "location = /.well-known/matrix/client { return 302 https://homestead.test/detour;",
        ),
        "warning well_known.client.redirects",
    ),
    fault(
        "the redirects never end",
        Edit(
            "base",
            REDIRECTS,
            "location = /.well-known/matrix/support {",
            "location ~ ^/on(?<on>/.*)$ { return 302 https://homestead.test/on/x$on; }\n"
            "location = /.well-known/matrix/support { return 302 https://homestead.test/on/x;",
        ),
        "error well_known.support.redirects",
        "warning well_known.support.cors",
    ),
    fault(
        "the document is served as text",
        Edit("matrix", SITE, "default_type application/json;", "default_type text/plain;"),
        "warning well_known.client.content_type",
    ),
    fault(
        "the document is a web page",
        stated("client", "<!doctype html><title>Our club</title>"),
        "error well_known.client.json",
    ),
    fault(
        "the document begins with a byte order mark",
        stated("client", '\ufeff{"m.homeserver": {"base_url": "https://matrix.homestead.test"}}'),
        "error well_known.client.json",
    ),
    fault("the document is empty", stated("client", ""), "error well_known.client.json"),
    fault("the document is a list", stated("support", "[]"), "error well_known.support.not_object"),
    fault(
        "the document names a key twice",
        stated("server", '{"m.server": "x", "m.server": "matrix.homestead.test:443"}'),
        "warning well_known.server.duplicate_keys",
    ),
    fault(
        "the client document names no homeserver",
        stated("client", "{}"),
        "error well_known.client.homeserver",
        "error well_known.client.expected",
    ),
    fault(
        "the base URL is a bare name",
        stated("client", '{"m.homeserver": {"base_url": "matrix.homestead.test"}}'),
        "error well_known.client.homeserver",
        "error well_known.client.expected",
    ),
    fault(
        "the base URL leads to a closed port",
        stated("client", '{"m.homeserver": {"base_url": "https://matrix.homestead.test:9"}}'),
        "error well_known.client.expected",
        "error client.reach",
    ),
    fault(
        "the identity server is no URL",
        stated(
            "client",
            '{"m.homeserver": {"base_url": "https://matrix.homestead.test"},'
            ' "m.identity_server": {"base_url": "vector.im"}}',
        ),
        "error well_known.client.identity_server",
    ),
    fault(
        "the delegation is a URL",
        stated("server", '{"m.server": "https://matrix.homestead.test"}'),
        "error well_known.server.m_server",
        "error well_known.server.expected",
    ),
    fault(
        "the delegation leads to a closed port",
        stated("server", '{"m.server": "matrix.homestead.test:9"}'),
        "error well_known.server.expected",
        "error federation.reach",
    ),
    fault(
        "the support document is empty",
        stated("support", "{}"),
        "error well_known.support.neither",
        "error well_known.support.expected",
    ),
    fault(
        "a contact has no role",
        stated("support", '{"contacts": [{"email_address": "admin@homestead.test"}]}'),
        "error well_known.support.contact_no_role",
        "error well_known.support.expected",
    ),
    fault(
        "a contact cannot be reached",
        stated("support", '{"contacts": [{"role": "m.role.admin"}]}'),
        "error well_known.support.contact_no_method",
        "error well_known.support.expected",
    ),
    fault(
        "a contact's address is none",
        stated("support", f'{{"contacts": [{{{ADMIN}, "email_address": "mailto:admin"}}]}}'),
        "error well_known.support.email_invalid",
        "error well_known.support.expected",
    ),
    fault(
        "the base domain has a document of its own",
        redirected(
            "support",
            """default_type application/json; return 200
            '{"contacts": [{"role": "m.role.admin", "email_address": "old@homestead.test"}]}';""",
        ),
        "error well_known.support.expected",
        "warning well_known.support.host",
    ),
    fault(
        "the document may be kept for a year",
        headed("add_header Cache-Control max-age=31536000;", name="server"),
        "warning well_known.server.cache",
    ),
    fault(
        "security.txt has expired",
        Edit(
            "base",
            REDIRECTS,
            "location = /.well-known/matrix/client {",
            "location = /.well-known/security.txt { default_type 'text/plain; charset=utf-8';"
            """ return 200 "Contact: mailto:security@homestead.test
Expires: 2020-01-01T00:00:00Z
"; }
location = /.well-known/matrix/client {""",
        ),
        "warning well_known.security_txt",
    ),
    fault(
        "the web server of the base domain is down",
        Stopped("base", "nginx"),
        "error well_known.reach",
    ),
    fault(
        "the base domain is closed over IPv6",
        Edit("base", "/etc/nginx/conf.d/site.conf", "    listen [::]:443 ssl;\n", ""),
        "error well_known.reach",
    ),
]
