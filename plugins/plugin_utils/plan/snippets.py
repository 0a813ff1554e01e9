# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ready text for the web server of a base domain that is out of our reach."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Callable

from ...module_utils.base_domain.redirects import Redirect

# Client-server API, section Web Browser Clients: what other origins may do.
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "X-Requested-With, Content-Type, Authorization",
}


def nginx(redirects: Sequence[Redirect]) -> str:
    """Write locations for the `server` block of the base domain."""
    headers = [f'    add_header {name} "{value}" always;' for name, value in CORS.items()]
    lines = []
    for redirect in redirects:
        lines += [
            f"location = {redirect.path} {{",
            *headers,
            "    if ($request_method = OPTIONS) {",
            "        return 204;",
            "    }",
            f"    return {redirect.status} {redirect.to};",
            "}",
        ]
    return "\n".join(lines)


def caddy(redirects: Sequence[Redirect]) -> str:
    """Write a handler for the site block of the base domain."""
    paths = " ".join(redirect.path for redirect in redirects)
    lines = [f"@matrix path {paths}", "handle @matrix {"]
    lines += [f'    header {name} "{value}"' for name, value in CORS.items()]
    lines += [
        f"    redir {redirect.path} {redirect.to} {redirect.status}" for redirect in redirects
    ]
    return "\n".join([*lines, "}"])


def apache(redirects: Sequence[Redirect]) -> str:
    """Write rules for the `VirtualHost` of the base domain; they need mod_alias and mod_headers."""
    patterns = [_pattern(redirect.path) for redirect in redirects]
    lines = [
        f'RedirectMatch {redirect.status} "^{pattern}$" "{redirect.to}"'
        for redirect, pattern in zip(redirects, patterns)
    ]
    lines.append(f'<LocationMatch "^({"|".join(patterns)})$">')
    lines += [f'    Header always set {name} "{value}"' for name, value in CORS.items()]
    return "\n".join([*lines, "</LocationMatch>"])


def _pattern(path: str) -> str:
    return path.replace(".", r"\.")


def static(redirects: Sequence[Redirect], documents: Mapping[str, object]) -> str:
    """Write the documents themselves, for hosts that serve files and send what `_headers` says.

    Netlify and Cloudflare Pages read `_headers`; GitHub Pages sends the CORS header by itself
    and needs an empty file `.nojekyll` to serve a directory that begins with a dot.
    """
    lines = []
    for redirect in redirects:
        document = documents[redirect.path.rpartition("/")[2]]
        lines += [f"# file {redirect.path[1:]}", json.dumps(document)]
    headers = [f"  {name}: {value}" for name, value in CORS.items()]
    lines += ["# file _headers", "/.well-known/matrix/*", *headers]
    lines += ["  Content-Type: application/json", "# file .nojekyll (GitHub Pages; empty)"]
    return "\n".join(lines)


_WRITERS: dict[str, Callable[[Sequence[Redirect]], str]] = {
    "nginx": nginx,
    "caddy": caddy,
    "apache": apache,
}


def snippets(redirects: Sequence[Redirect], documents: Mapping[str, object]) -> dict[str, str]:
    """Write the redirects for every kind of web server; nothing if there are none."""
    if not redirects:
        return {}
    written = {name: writer(redirects) for name, writer in _WRITERS.items()}
    return {**written, "static": static(redirects, documents)}
