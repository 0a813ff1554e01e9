# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the homeserver and of the web server before it."""

from __future__ import annotations

from damage import Clock, Edit, Edits, Rule, Stopped
from fault import CORS, SERVER, SITE, UPSTREAM, fault, served, synapse

HEADERS = "/etc/nginx/snippets/homestead-cors.conf"
HSTS, NOTHING = "add_header Strict-Transport-Security", "add_header X-Nothing"
SLOWLY = "limit_req_zone $server_name zone=slow:1m rate=65r/m;\n"
PROXIED = "include /etc/nginx/snippets/homestead-proxy.conf;"
CHANGED = """sub_filter_types application/json; sub_filter '"old_verify_keys":{}'
    '"old_verify_keys":{},"added":1';"""
STRIPPED = "proxy_hide_header Access-Control-Allow-Origin;"
LISTENER = "    - client\n    - federation\n"

FAULTS = [
    fault(
        "the homeserver is down",
        Stopped("matrix", "matrix-synapse"),
        "error client.versions",
        "error federation.keys",
    ),
    fault(
        "the web server is down",
        Stopped("matrix", "nginx"),
        "error client.reach",
        "error ports.open.tcp-80",
        "error ports.open.tcp-8448",
    ),
    fault(
        "keys are not passed on", served("/_matrix/key/", "return 404;"), "error federation.keys"
    ),
    fault(
        "keys of another server are passed on",
        served("/_matrix/key/", "proxy_pass https://peer.test:8448;"),
        "error federation.keys.server_name",
    ),
    fault(
        "keys are changed on the way",
        served("/_matrix/key/", CHANGED + UPSTREAM),
        "error federation.keys.signature",
    ),
    fault(
        "keys are valid for minutes only",
        synapse("report_stats: false", "report_stats: false\nkey_refresh_interval: 10m"),
        "warning federation.keys.validity",
    ),
    fault(
        "federation is not passed on",
        served("/_matrix/federation/", "return 404;"),
        "error federation.version",
    ),
    fault(
        "the version is a web page",
        served("= /_matrix/federation/v1/version", "default_type text/html; return 200 '<p>';"),
        "error federation.version",
    ),
    fault(
        "HTTPS is closed over IPv6",
        Rule("matrix", "meta nfproto ipv6 tcp dport 443 drop"),
        "error federation.reach",
        "error client.reach",
    ),
    fault(
        "the client API is not passed on",
        served("/_matrix/client/", "return 404;"),
        "error client.versions",
    ),
    fault(
        "CORS is added in the proxy too",
        Edit(
            "matrix", SITE, PROXIED, f"{PROXIED} add_header Access-Control-Allow-Origin * always;"
        ),
        "error client.cors",
        "error client.cors_errors",
        "error client.preflight",
        "warning client.preflight",
    ),
    fault(
        "the proxy strips CORS",
        served("/_matrix/client/", STRIPPED + UPSTREAM),
        "error client.cors",
        "error client.cors_errors",
        "error client.preflight",
        "warning client.preflight",
    ),
    fault(
        "errors have no CORS",
        served("= /_matrix/client/v3/account/whoami", STRIPPED + UPSTREAM),
        "error client.cors_errors",
    ),
    fault(
        "preflights are refused",
        served(
            "/_matrix/client/v3/login", "if ($request_method = OPTIONS) { return 405; }" + UPSTREAM
        ),
        "error client.preflight",
    ),
    fault(
        "preflights do not allow Authorization",
        served(
            "/_matrix/client/v3/login",
            "if ($request_method = OPTIONS) { add_header Access-Control-Allow-Origin *;"
            " add_header Access-Control-Allow-Headers '*'; return 204; }" + UPSTREAM,
        ),
        "error client.preflight",
    ),
    fault(
        "the proxy answers errors itself",
        served(
            "= /_matrix/client/v3/account/whoami",
            f"{CORS} default_type text/html; return 401 '<p>';",
        ),
        "error client.missing_token",
    ),
    fault(
        "the ways to log in are not passed on",
        served(
            "= /_matrix/client/v3/login", "if ($request_method = GET) { return 500; }" + UPSTREAM
        ),
        "error registration.login",
    ),
    fault(
        "registration is not passed on",
        served("= /_matrix/client/v3/register", "return 403;"),
        "unknown registration.mode",
    ),
    fault(
        "anybody may register",
        synapse(
            "registration_requires_token: true", "enable_registration_without_verification: true"
        ),
        "error registration.mode",
    ),
    fault(
        "nobody may register",
        synapse("enable_registration: true", "enable_registration: false"),
        "error registration.mode",
    ),
    fault(
        "the admin API is public",
        served("/_synapse/admin/", UPSTREAM),
        "error exposure.admin_api",
    ),
    fault(
        "the metrics are public",
        Edits(
            (
                synapse(LISTENER, LISTENER + "    - metrics\n"),
                synapse("enable_metrics: false", "enable_metrics: true"),
                served("= /_synapse/metrics", UPSTREAM),
            )
        ),
        "error exposure.metrics",
    ),
    fault(
        "uploads are limited to one megabyte",
        Edit("matrix", SITE, "client_max_body_size 50m;", "client_max_body_size 1m;"),
        "error client.upload_size",
    ),
    fault(
        "media are not passed on",
        served("/_matrix/media/", "default_type text/html; return 404 '<p>';"),
        "warning client.media_route",
    ),
    fault(
        "the metadata of OAuth 2.0 are not complete",
        served(
            "= /_matrix/client/v1/auth_metadata",
            f"""{CORS} default_type application/json;
            return 200 '{{"issuer": "https://matrix.homestead.test/"}}';""",
        ),
        "error client.auth_metadata",
    ),
    fault(
        "the web server's clock is an hour ahead",
        Clock("nginx", "+1h"),
        "error web.clock",
    ),
    fault(
        "the web server keeps clients waiting",
        Edits(
            (
                Edit("matrix", SITE, "server_names_hash", f"{SLOWLY}server_names_hash"),
                served("= /_matrix/client/versions", f"limit_req zone=slow burst=9; {UPSTREAM}"),
            )
        ),
        "warning web.response_time",
    ),
    fault(
        "http is not redirected",
        Edit("matrix", SITE, "return 301 https://$host$request_uri;", "return 404;"),
        "warning web.redirect",
    ),
    fault(
        "the API is served over plain http",
        Edit("matrix", SITE, "return 301 https://$host$request_uri;", UPSTREAM),
        "error web.plaintext",
        "warning web.redirect",
    ),
    fault(
        "HSTS is missing",
        Edits((Edit("matrix", SERVER, HSTS, NOTHING), Edit("matrix", HEADERS, HSTS, NOTHING))),
        "warning web.hsts",
    ),
]
