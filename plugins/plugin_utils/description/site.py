# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the description of a server to everything that follows from it (`matrix_site`)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from operator import attrgetter

from ...module_utils.already_there import Found
from ...module_utils.homeserver.interface import ADMINISTRATOR
from .components import (
    COMPONENTS,
    FEDERATION_PORT,
    HTTPS_PORT,
    RELAY,
    REVERSE_PROXIES,
    TURN_PORT,
    TURN_TLS_PORT,
    Component,
    DnsRecord,
    Listener,
    Route,
    optional,
)
from .description import (
    Description,
    read_description,
)
from .documents import HOMESERVER
from .ports import closed_ports
from .sign_on_entries import CALLBACK

DOCUMENTS = "/.well-known/matrix/"
CERTIFICATE_DIRECTORY = "/etc/homestead/tls"
CERTIFICATE_GROUP = "homestead-tls"
LOOPBACK = "127.0.0.1"
WEBROOT = "/var/lib/homestead/acme"
DOCUMENT_DIRECTORY = "/var/lib/homestead/well-known"
ALREADY_THERE = (
    Found(
        "certificates, accounts, settings and hooks of certbot (`/etc/letsencrypt`), in any state",
        "leaves alone",
        "ours and its account are kept apart; what `--standalone` renewed finds port 80 taken:"
        " [what to do](certificates.md#if-certbot-was-here-before)",
    ),
)

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
        "sign_up": description.sign_up.as_dict(),
        "single_sign_on": single_sign_on(description),
        "secrets_to_give": secrets_to_give(description),
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
        "relayed_ports": [
            port.first for row in rows(description) for port in row.ports if port.relayed
        ],
        "application_services": application_services(description),
        "bridge_admins": list(description.bridge_admins),
        "accounts": [account.name for account in description.accounts],
        "bots": bots(description),
        "parts": parts(description),
        "postmoogle": postmoogle(description),
        "jitsi": jitsi(description),
        "roles": [row.role for row in rows(description) if row.optional],
        "dns_records": dns_records(description),
        "mail": description.mail.as_dict() if description.mail else {},
        "wireguard": description.tunnel.as_dict() if description.tunnel else {},
        "dnsmasq": resolver(description),
        "admin_ui": admin_ui(description),
        "retired": retired(description),
        "expectations": expectations(description),
    }


def rows(description: Description) -> list[Component]:
    """Return the rows of the components, in the order of the table."""
    return [COMPONENTS[name] for name in description.components]


def name_of(row: Component, description: Description) -> str:
    """Return the name under which a component is served."""
    return f"{row.label}.{description.domain}" if row.label else description.hostname


def _words(row: Component, description: Description) -> dict[str, str]:
    """Return what may stand in braces in a row."""
    name = name_of(row, description)
    return {"domain": description.domain, "hostname": description.hostname, "name": name}


def base_url(description: Description) -> str:
    """Return the address that clients use; without a slash at the end, which some cannot take."""
    return f"https://{description.hostname}"


def single_sign_on(description: Description) -> list[Data]:
    """Return the providers as Synapse has them, but for their secrets, and what to tell them."""
    return [
        {
            "id": provider.id,
            "name": provider.name,
            "new_accounts": provider.new_accounts,
            "redirect_uri": f"{base_url(description)}{CALLBACK}",
            "secret": provider.secret,
            "settings": provider.settings,
        }
        for provider in description.providers
    ]


def secrets_to_give(description: Description) -> list[str]:
    """Return the secrets that the host must have, because the description does not say them."""
    return [each.secret for each in description.providers if not each.secret_given]


def listens(description: Description) -> list[str]:
    """Return the ports, like "tcp 443", on which nothing but our programs may listen.

    The relay's range is left out: other programs use some of it for a moment. Where only the
    private network gets an answer, others may listen at addresses of their own: "tcp 53 any".
    """
    listening = {row.name for row in rows(description) if row.name != "ssh"}
    ports = (port for port in description.ports if port.component in listening)
    return [
        *(
            f"{port.protocol} {port.first}{' any' if port.inside else ''}"
            for port in ports
            if port.first == port.last
        ),
        *(f"tcp {each.port}" for row in rows(description) for each in row.listeners),
    ]


def well_known(description: Description) -> Data:
    """Return the documents that lead to the server; `support` is empty if nobody is named."""
    return {
        "client": {
            HOMESERVER: {"base_url": base_url(description)},
            **_client(description),
            **description.client,
        },
        "server": {"m.server": f"{description.hostname}:{HTTPS_PORT}"},
        "support": dict(description.support),
    }


def _client(description: Description) -> Data:
    """Return what the components say in the client document."""
    return {
        key: {name: text.format(**_words(row, description)) for name, text in values.items()}
        for row in rows(description)
        for key, values in row.client
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
    names += [name_of(row, description) for row in rows(description) if row.label]
    return list(dict.fromkeys(names))


def virtual_hosts(description: Description) -> list[Data]:
    """Return the web server's names: the server, the base domain with documents, components."""
    published = [_document_route(name) for name in document_names(description)]
    nothing: Data = {"path": "/", "kind": "status", "status": 404}
    hosts: list[Data] = []
    for name in served_names(description):
        is_server = name == description.hostname
        documents = published if name in (description.hostname, description.domain) else []
        routes = _component_routes(name, description)
        hosts.append(
            {
                "name": name,
                "ports": [HTTPS_PORT, FEDERATION_PORT] if is_server else [HTTPS_PORT],
                "max_body_mb": description.max_upload_mb if is_server else 1,
                "routes": [*documents, *routes, *([] if _has_root(routes) else [nothing])],
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


def _component_routes(name: str, description: Description) -> list[Data]:
    """Return what the components serve under a name."""
    return [
        {
            "path": route.path,
            "kind": route.kind,
            **_behind(route, row),
            **({"networks": admitted_networks(description)} if route.private else {}),
            **({"confined": True} if route.confined else {}),
        }
        for row in rows(description)
        if name_of(row, description) == name
        for route in served_routes(row, description)
    ]


def served_routes(row: Component, description: Description) -> list[Route]:
    """Return a component's routes, without those that nobody but the host itself would use.

    It has the homeserver's admin API at a local port, where no proxy before ours can lead others.
    """
    by_tunnel = description.private_access == "tunnel"
    has_page = any(each.is_private for each in rows(description))
    is_administered = bool(description.admin_networks) or by_tunnel or has_page
    return [route for route in row.routes if is_administered or row.optional or not route.private]


def _behind(route: Route, row: Component) -> Data:
    if route.file:
        return {"file": route.file, "content_type": route.content_type}
    if not route.directory:
        return {"upstream": _upstream(row, route.listener)}
    fallback = {"fallback": f"{route.path}{route.fallback}"} if route.fallback else {}
    includes = {"includes": True} if route.includes else {}
    return {"directory": route.directory, **fallback, **includes}


def _upstream(row: Component, listener: Listener | None) -> str:
    """Return the name of the component's upstream, or of another of its listeners."""
    return f"{row.name}_{listener.port}" if listener else row.name


def admitted_networks(description: Description) -> list[str]:
    """Return the only networks that private routes answer."""
    tunnel = description.tunnel.networks if description.tunnel else ()
    by_tunnel = description.private_access == "tunnel"
    listed = () if by_tunnel else description.admin_networks
    return ["127.0.0.0/8", "::1/128", *tunnel, *listed]


def _has_root(routes: list[Data]) -> bool:
    return any(route["path"] == "/" for route in routes)


def upstreams(description: Description) -> Data:
    """Return where the services listen for the web server."""
    listeners = {
        _upstream(row, route.listener): route.listener
        for row in rows(description)
        for route in row.routes
        if route.listener is not None
    }
    main = {row.name: row.upstream for row in rows(description) if row.upstream is not None}
    return {
        name: {"host": LOOPBACK, "port": listener.port}
        for name, listener in {**main, **listeners}.items()
    }


def certificate(description: Description) -> Data:
    """Return the one certificate of the host and who must read it again when it changes."""
    directory = f"{CERTIFICATE_DIRECTORY}/{description.hostname}"
    units = list(REVERSE_PROXIES[description.reverse_proxy].units)
    for row in rows(description):
        units += row.certificate_units
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
    unwanted = [name for name in optional() if name not in description.components]
    return unwanted if description.certificate == "acme" else [*unwanted, "acme"]


def application_services(description: Description) -> list[Data]:
    """Return what Synapse must know of each application service, but for its two tokens."""
    return [
        {
            "id": row.name,
            "url": f"http://{LOOPBACK}:{row.upstream.port}" if row.upstream else None,
            "sender": row.application_service.sender,
            "users": f"@{row.application_service.users}:{re.escape(description.domain)}",
        }
        for row in rows(description)
        if row.application_service is not None
    ]


def bots(description: Description) -> list[Data]:
    """Return which bridges are there for people to talk to, and how."""
    return [
        {
            "matrix_id": f"@{row.bot.name}:{description.domain}",
            "purpose": row.title,
            "start": row.bot.start,
        }
        for row in rows(description)
        if row.bot is not None
    ]


def parts(description: Description) -> list[Data]:
    """Return the optional components, each with its address if it has one, and what to know."""
    return [
        {
            "name": row.name,
            "title": row.title,
            "address": f"https://{name_of(row, description)}" if row.label else "",
            "about": row.handover.format(**_words(row, description)),
        }
        for row in rows(description)
        if row.optional
    ]


def postmoogle(description: Description) -> Data:
    """Return what the role of the e-mail bridge must know."""
    bridge = description.postmoogle
    return {"domains": list(bridge.domains), "sha256": bridge.sha256, "file": bridge.file}


def admin_ui(description: Description) -> Data:
    """Return which bundle the administration page is, and its settings (Ketesa, Configuration).

    It talks to no other server, and leaves the accounts alone on which services depend.
    """
    services = [str(service["users"]) for service in application_services(description)]
    bots_of_it = [re.escape(str(bot["matrix_id"])) for bot in bots(description)]
    managed = [f"@{ADMINISTRATOR}:{re.escape(description.domain)}", *bots_of_it, *services]
    return {
        "program": description.admin_ui.as_program(),
        "settings": {
            "restrictBaseUrl": base_url(description),
            "wellKnownDiscovery": False,
            "asManagedUsers": [f"^{users}$" for users in managed],
        },
    }


def jitsi(description: Description) -> Data:
    """Return what Jitsi Meet is told; nothing where there is none."""
    row = COMPONENTS["jitsi"]
    if row.name not in description.components:
        return {}
    return {"name": name_of(row, description), **asdict(description.jitsi)}


def resolver(description: Description) -> Data:
    """Return what the private network's name server knows and asks, nothing if there is none."""
    if description.resolver is None:
        return {}
    return {"names": served_names(description), **description.resolver.as_dict()}


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
    """Return the records to create; a value is None where only the operator knows it.

    A `key` is a secret of the host, whose public half takes the place of {key} in the value.
    """
    purposes = {
        description.domain: "Base domain, served by the Matrix host",
        **{name_of(row, description): row.title for row in rows(description) if row.label},
        description.hostname: "Matrix host",
    }
    values: list[tuple[str, str | None]]
    values = [(_record_type(address), address) for address in description.addresses]
    addresses: list[Data] = [
        {"name": name, "type": kind, "value": value, "purpose": purposes[name]}
        for name in served_names(description)
        for kind, value in values or [("A", None), ("AAAA", None)]
    ]
    return addresses + [
        {
            "name": record.name.format(**words),
            "type": record.kind,
            "value": record.value.format(**words),
            "purpose": record.purpose,
            **({"key": record.key} if record.key else {}),
        }
        for row in rows(description)
        for record in row.records
        for words in _record_words(record, row, description)
    ]


def _record_words(
    record: DnsRecord, row: Component, description: Description
) -> Iterator[dict[str, str]]:
    """Yield what may stand in braces in a record, once for each record that it becomes."""
    words = {**_words(row, description), "key": "{key}"}
    for each in attrgetter(record.each)(description) if record.each else [""]:
        yield {**words, "each": each}


def planned_addresses(description: Description) -> Data:
    """Return what the DNS shall say of each name; nothing if only the operator knows it."""
    addresses = list(description.addresses)
    return dict.fromkeys(served_names(description), addresses) if addresses else {}


def _record_type(address: str) -> str:
    return {4: "A", 6: "AAAA"}[ipaddress.ip_address(address).version]


def private_places(description: Description) -> list[Data]:
    """Return the addresses at which nothing answers a stranger, and whom they answer."""
    return [
        {
            "url": f"https://{name_of(row, description)}{route.path}",
            "purpose": row.title,
            "networks": admitted_networks(description),
        }
        for row in rows(description)
        for route in served_routes(row, description)
        if route.private
    ]


def expectations(description: Description) -> Data:
    """Return what a stranger on the internet must see."""
    return {
        "server_name": description.domain,
        "base_url": base_url(description),
        "hostname": description.hostname,
        "well_known": well_known(description),
        "delegation": f"{description.hostname}:{HTTPS_PORT}",
        "addresses": planned_addresses(description),
        "registration": description.registration,
        "max_upload_mb": description.max_upload_mb,
        "turn": turn(description),
        "private": private_places(description),
        "pages": pages(description),
        "ports": {
            "open": [port.expected() for port in description.ports if port.first],
            "closed": closed_ports(description.ports),
        },
    }


def pages(description: Description) -> list[Data]:
    """Return what answers everybody under the names that components have of their own.

    A directory below a name need not have a page of its own; the name itself must.
    """
    return [
        {
            "url": f"https://{name_of(row, description)}{route.path}",
            "purpose": row.title,
            "served": bool(route.directory or route.file),
        }
        for row in rows(description)
        if row.label
        for route in row.routes
        if not route.private and (not route.directory or route.path == "/")
    ]
