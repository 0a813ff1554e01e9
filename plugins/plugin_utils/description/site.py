# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the description of a server to everything that follows from it (`matrix_site`)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from .components import (
    COMPONENTS,
    FEDERATION_PORT,
    HTTPS_PORT,
    OPTIONAL,
    RELAY,
    REVERSE_PROXIES,
    TURN_PORT,
    TURN_TLS_PORT,
)
from .description import (
    Description,
    read_description,
)
from .ports import closed_ports

DOCUMENTS = "/.well-known/matrix/"
CERTIFICATE_DIRECTORY = "/etc/homestead/tls"
CERTIFICATE_GROUP = "homestead-tls"
WEBROOT = "/var/lib/homestead/acme"
DOCUMENT_DIRECTORY = "/var/lib/homestead/well-known"

Data = dict[str, object]


def site(domain: object, given: Mapping[str, object]) -> Data:
    """Derive everything from the flat variables, or raise a ValueError of clear sentences."""
    return derive(read_description(domain, given))


def derive(description: Description) -> Data:
    """Derive everything from a consistent description."""
    return {
        "domain": description.domain,
        "hostname": description.hostname,
        "base_url": base_url(description),
        "components": list(description.components),
        "registration": description.registration,
        "max_upload_mb": description.max_upload_mb,
        "ports": [port.as_dict() for port in description.ports],
        "listens": listens(description),
        "ssh_rate_limit": description.ssh_rate_limit,
        "vhosts": virtual_hosts(description),
        "upstreams": upstreams(description),
        "certificate": certificate(description),
        "well_known": well_known(description),
        "redirects": redirects(description),
        "turn": turn(description),
        "dns_records": dns_records(description),
        "retired": retired(description),
        "expectations": expectations(description),
    }


def base_url(description: Description) -> str:
    """Return the address that clients use; without a slash at the end, which some cannot take."""
    return f"https://{description.hostname}"


def listens(description: Description) -> list[str]:
    """Return the ports, like "tcp 443", on which nothing but our programs may listen.

    The relay's range is left out: other programs use some of it for a moment.
    """
    rows = (COMPONENTS[name] for name in description.components if name != "ssh")
    ports = (port for row in rows for port in row.ports if port.first == port.last)
    return [f"{port.protocol} {port.first}" for port in ports]


def well_known(description: Description) -> Data:
    """Return the documents that lead to the server; `support` is empty if nobody is named."""
    return {
        "client": {"m.homeserver": {"base_url": base_url(description)}},
        "server": {"m.server": f"{description.hostname}:{HTTPS_PORT}"},
        "support": dict(description.support),
    }


def document_names(description: Description) -> list[str]:
    """Return the names of the documents that exist."""
    return [name for name, document in well_known(description).items() if document]


def redirects(description: Description) -> list[Data]:
    """Return what the web server of the base domain must do when it is another one."""
    if description.serve_base_domain or description.hostname == description.domain:
        return []
    return [
        {
            "path": f"{DOCUMENTS}{name}",
            "to": f"{base_url(description)}{DOCUMENTS}{name}",
            "status": 302,
        }
        for name in document_names(description)
    ]


def served_names(description: Description) -> list[str]:
    """Return the names under which the host itself answers."""
    names = [description.hostname]
    if description.serve_base_domain:
        names.append(description.domain)
    return list(dict.fromkeys(names))


def virtual_hosts(description: Description) -> list[Data]:
    """Return the web server's names: the first with the server, the base domain with documents."""
    documents = [_document_route(name) for name in document_names(description)]
    nothing: Data = {"path": "/", "kind": "status", "status": 404}
    hosts: list[Data] = []
    for name in served_names(description):
        is_server = name == description.hostname
        proxied = _proxy_routes(description) if is_server else []
        hosts.append(
            {
                "name": name,
                "ports": [HTTPS_PORT, FEDERATION_PORT] if is_server else [HTTPS_PORT],
                "max_body_mb": description.max_upload_mb if is_server else 1,
                "routes": [*documents, *proxied, nothing],
            }
        )
    return hosts


def _document_route(name: str) -> Data:
    return {
        "path": f"{DOCUMENTS}{name}",
        "kind": "document",
        "file": f"{DOCUMENT_DIRECTORY}/{name}",
        "content_type": "application/json",
        "cors": True,
    }


def _proxy_routes(description: Description) -> list[Data]:
    return [
        {"path": path, "kind": "proxy", "upstream": name}
        for name in description.components
        for path in COMPONENTS[name].routes
    ]


def upstreams(description: Description) -> Data:
    """Return where the services listen for the web server."""
    rows = [COMPONENTS[name] for name in description.components]
    return {
        row.name: {"host": "127.0.0.1", "port": row.upstream.port}
        for row in rows
        if row.upstream is not None
    }


def certificate(description: Description) -> Data:
    """Return the one certificate of the host and who must read it again when it changes."""
    directory = f"{CERTIFICATE_DIRECTORY}/{description.hostname}"
    units = list(REVERSE_PROXIES[description.reverse_proxy].units)
    for name in description.components:
        units += COMPONENTS[name].certificate_units
    return {
        "names": served_names(description),
        "directory": directory,
        "fullchain": f"{directory}/fullchain.pem",
        "privkey": f"{directory}/privkey.pem",
        "group": CERTIFICATE_GROUP,
        "webroot": WEBROOT,
        "reload": units,
    }


def retired(description: Description) -> list[str]:
    """Return the services that the description does without; a host may still have them."""
    unwanted = [name for name in OPTIONAL if name not in description.components]
    return unwanted if description.certificate == "acme" else [*unwanted, "acme"]


def turn(description: Description) -> Data:
    """Return the TURN server, its addresses in the order of preference (RFC 7065)."""
    host = description.hostname
    return {
        "realm": host,
        "host": host,
        "port": TURN_PORT,
        "tls_port": TURN_TLS_PORT,
        "relay_first": RELAY.first,
        "relay_last": RELAY.last,
        "uris": [
            f"{scheme}:{host}:{port}?transport={transport}"
            for scheme, port in (("turns", TURN_TLS_PORT), ("turn", TURN_PORT))
            for transport in ("udp", "tcp")
        ],
    }


def dns_records(description: Description) -> list[Data]:
    """Return the records to create; a value is None where only the operator knows it."""
    base = {description.domain: "Base domain, served by the Matrix host"}
    purposes = {**base, description.hostname: "Matrix host"}
    values: list[tuple[str, str | None]]
    values = [(_record_type(address), address) for address in description.addresses]
    return [
        {"name": name, "type": kind, "value": value, "purpose": purposes[name]}
        for name in served_names(description)
        for kind, value in values or [("A", None), ("AAAA", None)]
    ]


def _record_type(address: str) -> str:
    return {4: "A", 6: "AAAA"}[ipaddress.ip_address(address).version]


def expectations(description: Description) -> Data:
    """Return what a stranger on the internet must see."""
    return {
        "server_name": description.domain,
        "base_url": base_url(description),
        "hostname": description.hostname,
        "well_known": well_known(description),
        "delegation": f"{description.hostname}:{HTTPS_PORT}",
        "registration": description.registration,
        "max_upload_mb": description.max_upload_mb,
        "turn": turn(description),
        "ports": {
            "open": [port.as_dict() for port in description.ports],
            "closed": closed_ports(description.ports),
        },
    }
