# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: what the operator must know and do before there is a server (docs/plan.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils.base_domain.redirects import Redirect
from ...module_utils.host.published import (
    Published,
    open_to_everybody,
    remedy,
    unexpected,
)
from .mail_hints import mail_hints
from .snippets import snippets

FORMAT = 1
_TAKEN = (
    "domain",
    "hostname",
    "ports",
    "well_known",
    "redirects",
    "expectations",
    "bots",
)
_TITLES = {
    "nginx": "nginx: in the server block of {domain}",
    "caddy": "Caddy: in the site block of {domain}",
    "apache": "Apache: in the VirtualHost of {domain}, with mod_alias and mod_headers",
    "static": "Static hosts that cannot redirect: these files, copied again after each change",
}
_UNKNOWN = {
    "A": "(the host's IPv4 address)",
    "AAAA": "(the host's IPv6 address, if it has one)",
    "TXT": "(made on the host by the first run: look at the plan again after it)",
}

Data = Mapping[str, Any]  # what JSON can hold, as the filter site returns it


def plan(
    site: Data, published: Sequence[Data] | None = None, keys: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the plan of a site; its form is described by docs/plan.schema.json.

    `published` is what the host leads past its firewall, None where there is no host to look at.
    `keys` are the public halves of its keys, by the names of the secrets.
    """
    redirects = [Redirect(**redirect) for redirect in site["redirects"]]
    return {
        "format": FORMAT,
        **{key: site[key] for key in _TAKEN},
        "single_sign_on": single_sign_on(site),
        "dns_records": dns_records(site, keys or {}),
        "mail_hints": mail_hints(site),
        "snippets": snippets(redirects, site["well_known"]),
        "published": None if published is None else _unexpected(published, site["ports"]),
    }


def dns_records(site: Data, keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the DNS records of a site, with the host's keys; without a value if one is unknown."""
    return [_with_key(record, keys) for record in site["dns_records"]]


def single_sign_on(site: Data) -> list[dict[str, str]]:
    """Return what to register at each provider of single sign-on."""
    return [
        {key: provider[key] for key in ("name", "redirect_uri")}
        for provider in site["single_sign_on"]
    ]


def _with_key(record: Data, keys: Mapping[str, str]) -> dict[str, Any]:
    key, known = record.get("key"), {**record}
    known.pop("key", None)
    if key:
        known["value"] = record["value"].format(key=keys[key]) if key in keys else None
    return known


def _unexpected(published: Sequence[Data], opened: Sequence[Data]) -> list[dict[str, Any]]:
    found = unexpected(map(Published.of, published), admitted=open_to_everybody(opened))
    return [port.as_dict() for port in found]


def text(planned: Data) -> str:
    """Write the plan for people."""
    sections = [
        [f"Plan for {planned['domain']} on {planned['hostname']}"],
        _section("Ports that the firewall of your provider must let through", _ports(planned)),
        _section("Ports that Docker publishes past the firewall", _published(planned)),
        _section("DNS records to create", _records(planned)),
        _section("DNS records that let others believe our e-mail", _mail_hints(planned)),
        _section("Documents that the host serves", _documents(planned)),
        _section(f"Redirects that {planned['domain']} must make", _redirects(planned)),
        _section("Redirect URIs to register for single sign-on", _single_sign_on(planned)),
        *_snippets(planned),
        _section("Bots to talk to, once the server runs", _bots(planned)),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _section(title: str, lines: Iterable[str]) -> list[str]:
    """Return a title and its lines, nothing if there are no lines."""
    indented = [f"  {line}" if line else "" for line in lines]
    return [title, *indented] if indented else []


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows below each other with their columns aligned."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _ports(planned: Data) -> list[str]:
    return columns(
        [[port_label(port), port["purpose"], port_sources(port)] for port in planned["ports"]]
    )


def port_label(port: Data) -> str:
    first, last = port["first"], port["last"]
    if not first:
        return str(port["protocol"])
    return f"{first if first == last else f'{first}-{last}'}/{port['protocol']}"


def port_sources(port: Data) -> str:
    return f"only from {', '.join(port['sources'])}" if port["sources"] else ""


def _published(planned: Data) -> list[str]:
    ports = [Published.of(port) for port in planned["published"] or []]
    return [f"{port.label} to {port.target}. {remedy(port)}" for port in ports]


def _records(planned: Data) -> list[str]:
    return columns(
        [
            [record["name"], record["type"], record_value(record), record["purpose"]]
            for record in planned["dns_records"]
        ]
    )


def _mail_hints(planned: Data) -> list[str]:
    return columns([[hint["name"], hint["type"], hint["hint"]] for hint in planned["mail_hints"]])


def record_value(record: Data) -> str:
    return str(record["value"] or _UNKNOWN[record["type"]])


def _documents(planned: Data) -> list[str]:
    documents = {name: document for name, document in planned["well_known"].items() if document}
    lines = []
    for name, document in documents.items():
        lines.append(f"https://{planned['hostname']}/.well-known/matrix/{name}")
        lines += [f"  {line}" for line in json.dumps(document, indent=2).splitlines()]
    return lines


def _redirects(planned: Data) -> list[str]:
    return [
        f"{redirect['path']} to {redirect['to']} "
        f"(status {redirect['status']}, with Access-Control-Allow-Origin: *)"
        for redirect in planned["redirects"]
    ]


def _single_sign_on(planned: Data) -> list[str]:
    return columns([[each["name"], each["redirect_uri"]] for each in planned["single_sign_on"]])


def _bots(planned: Data) -> list[str]:
    return [f"{bot['matrix_id']} ({bot['purpose']}): {bot['start']}" for bot in planned["bots"]]


def _snippets(planned: Data) -> list[list[str]]:
    return [
        _section(_TITLES[name].format(domain=planned["domain"]), snippet.splitlines())
        for name, snippet in planned["snippets"].items()
    ]
