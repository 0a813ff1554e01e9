# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator says about a server, read from the flat variables and checked as a whole."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Callable, TypeVar

from ...module_utils.names import user_id_fault
from . import accounts, jitsi, ports, registration, values
from .admin_ui import NO_BUNDLE, AdminUi, read_admin_ui
from .components import (
    ALWAYS,
    CERTIFICATES,
    COMPONENTS,
    FIREWALLS,
    PRIVATE_ACCESS,
    REVERSE_PROXIES,
    optional,
    switches,
)
from .dnsmasq import Resolver, read_resolver
from .documents import read_client
from .domains import domain_fault
from .mail import Mail, read_mail
from .postmoogle import Postmoogle, read_postmoogle
from .registration import Conditions
from .single_sign_on import Provider, read_providers
from .support import read_support
from .wireguard import Tunnel, reached_from, read_tunnel

T = TypeVar("T")

DEFAULTS: dict[str, object] = {
    "hostname": None,
    "components": [],
    **registration.DEFAULTS,
    "support": {},
    "well_known_client": {},
    "reverse_proxy": "nginx",
    "firewall": "nftables",
    "certificate": "acme",
    "ssh_port": 22,
    "serve_base_domain": False,
    "max_upload_mb": 50,
    "addresses": [],
    "smtp": {},
    "oidc_providers": [],
    "extra_ports": [],
    "sources": {},
    "ssh_rate_limit": 0,
    "report_dir": None,
    "verify_ignore": [],
    "bridge_admins": [],
    **accounts.DEFAULTS,
    "private_access": "sources",
    "admin_networks": [],
    "wireguard_network": "10.71.0.0/16",
    "wireguard_network_ipv6": "",
    "wireguard_port": 51820,
    "wireguard_peers": [],
    "wireguard_forward": False,
    "dnsmasq_upstreams": [],
    "dnsmasq_block_lists": [],
    **dict.fromkeys(switches(), True),
    "postmoogle_domains": [],
    "postmoogle_sha256": "",
    "postmoogle_file": "",
    "postmoogle_settings": {},
    "admin_ui_version": "1.5.0",
    "admin_ui_url": "",
    "admin_ui_file": "",
    "admin_ui_sha256": "",
    **jitsi.DEFAULTS,
}
HIGHEST_UPLOAD_MB = 10240
LOWEST_SSH_RATE, HIGHEST_SSH_RATE = 5, 1000
OF_THE_FIREWALL = ("extra_ports", "sources", "ssh_rate_limit")
_DOCUMENTATION = tuple(
    ipaddress.ip_network(text)
    for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)


def variable(name: str) -> str:
    """Return the inventory variable that this input comes from."""
    if name.startswith(tuple(f"{component}_" for component in ("synapse", *optional()))):
        return name
    return f"firewall_{name}" if name in OF_THE_FIREWALL else f"matrix_{name}"


@dataclass(frozen=True)
class Description:
    """A server as its operator describes it; whoever holds one knows that it is consistent."""

    domain: str
    hostname: str
    components: tuple[str, ...]
    registration: str
    sign_up: Conditions
    support: Mapping[str, object]
    client: Mapping[str, object]
    reverse_proxy: str
    serve_base_domain: bool
    max_upload_mb: int
    addresses: tuple[str, ...]
    ports: tuple[ports.OpenPort, ...]
    sources: Mapping[str, tuple[str, ...]]
    ssh_rate_limit: int
    certificate: str
    bridge_admins: tuple[str, ...]
    postmoogle: Postmoogle
    admin_ui: AdminUi
    jitsi: jitsi.Jitsi
    providers: tuple[Provider, ...]
    private_access: str = "sources"
    admin_networks: tuple[str, ...] = ()
    tunnel: Tunnel | None = None
    resolver: Resolver | None = None
    accounts: tuple[accounts.Account, ...] = ()
    mail: Mail | None = None


class _Reader:
    """Reads one input after the other and keeps the faults of all of them."""

    def __init__(self, given: Mapping[str, object]) -> None:
        if unknown := sorted(set(given) - set(DEFAULTS)):
            raise ValueError(f"The filter site has no option {unknown[0]!r}.")
        self.given = {**DEFAULTS, **given}
        self.faults = values.Faults()

    def read(self, reader: Callable[..., T], name: str, *more: object) -> T | None:
        return self.faults.read(reader, variable(name), self.given[name], *more)


def read_description(domain: object, given: Mapping[str, object]) -> Description:
    """Read everything and raise one ValueError with a sentence for each fault."""
    reader = _Reader(given)
    description = _described(domain, reader)
    reader.read(values.choice, "firewall", FIREWALLS)
    reader.read(check_directory, "report_dir")
    reader.read(check_ignored, "verify_ignore")
    reader.faults.add(label_faults(description))
    reader.faults.check()
    return description


def _described(domain: object, reader: _Reader) -> Description:
    components = ALWAYS + (reader.read(read_components, "components") or ())
    tunnel = _read_tunnel(domain, reader, components)
    access = reader.read(read_private_access, "private_access", components) or "sources"
    given = reader.read(ports.read_sources, "sources") or {}
    sources = reached_from(access, tunnel, given)
    mode, conditions = registration.read(reader.read)
    return Description(
        domain=reader.faults.read(read_name, "matrix_domain", domain) or "",
        hostname=reader.read(read_hostname, "hostname", domain) or "",
        components=components,
        registration=mode,
        sign_up=conditions,
        support=reader.read(read_support, "support") or {},
        client=reader.read(read_client, "well_known_client", components) or {},
        reverse_proxy=reader.read(values.choice, "reverse_proxy", REVERSE_PROXIES) or "",
        serve_base_domain=reader.read(values.boolean, "serve_base_domain") or False,
        max_upload_mb=reader.read(values.number, "max_upload_mb", 1, HIGHEST_UPLOAD_MB) or 0,
        addresses=reader.read(read_addresses, "addresses") or (),
        ports=_read_ports(reader, components, sources, tunnel),
        sources=sources,
        ssh_rate_limit=reader.read(read_ssh_rate, "ssh_rate_limit") or 0,
        certificate=reader.read(values.choice, "certificate", CERTIFICATES) or "",
        bridge_admins=reader.read(read_bridge_admins, "bridge_admins", components) or (),
        postmoogle=read_postmoogle(
            reader.faults, reader.given, is_wanted="postmoogle" in components
        ),
        jitsi=jitsi.read(reader.read),
        providers=reader.read(
            read_providers, "oidc_providers", reader.given["registration_open_accepted"]
        )
        or (),
        private_access=access,
        admin_networks=reader.read(read_admin_networks, "admin_networks", components) or (),
        tunnel=tunnel,
        admin_ui=read_admin_ui(reader.faults, reader.given) or NO_BUNDLE,
        resolver=_read_resolver(reader, components, tunnel),
        accounts=reader.faults.read(accounts.read_accounts, str(domain), components, reader.given)
        or (),
        mail=reader.read(read_mail, "smtp", reader.given["registration"]),
    )


def _read_tunnel(domain: object, reader: _Reader, components: Iterable[str]) -> Tunnel | None:
    tunnel = reader.faults.read(read_tunnel, reader.given, domain)
    return tunnel if "wireguard" in components else None


def _read_resolver(
    reader: _Reader, components: tuple[str, ...], tunnel: Tunnel | None
) -> Resolver | None:
    own = tunnel.addresses if tunnel else ()
    given = (reader.given["dnsmasq_upstreams"], reader.given["dnsmasq_block_lists"])
    resolver = reader.faults.read(read_resolver, *given, own)
    return resolver if "dnsmasq" in components else None


def read_private_access(name: str, value: object, components: Iterable[str]) -> str:
    """Read from where what is private is reached; there must be a tunnel for what is only there."""
    access = values.choice(name, value, PRIVATE_ACCESS)
    if access == "tunnel" and "wireguard" not in components:
        raise ValueError(
            f"{name} 'tunnel' needs the tunnel; list 'wireguard' in matrix_components, run, "
            "connect, and then set it."
        )
    return access


def _read_ports(
    reader: _Reader,
    components: tuple[str, ...],
    sources: Mapping[str, tuple[str, ...]],
    tunnel: Tunnel | None,
) -> tuple[ports.OpenPort, ...]:
    ssh_port = reader.read(values.port, "ssh_port") or 22
    extra = reader.read(ports.read_extra, "extra_ports") or ()
    closed = [name for name in switches() if reader.read(values.boolean, name) is False]
    numbers = {"ssh_port": ssh_port, **({"wireguard_port": tunnel.port} if tunnel else {})}
    own = ports.component_ports(components, closed=closed, **numbers)
    everything = (*own, *extra)
    reader.faults.add(ports.collisions(everything, components=components))
    return ports.narrowed(everything, sources=sources)


def read_name(name: str, value: object) -> str:
    """Read a domain or host name."""
    fault = domain_fault(name, value)
    if fault is not None:
        raise ValueError(fault)
    return str(value)


def read_hostname(name: str, value: object, domain: object) -> str:
    """Read the host name; one that was made from a wrong domain is not a second fault."""
    made = f"matrix.{domain}"
    if value in (None, "", made):
        return made
    return read_name(name, value)


def label_faults(description: Description) -> list[str]:
    """Return a sentence for each component whose own name is that of the host."""
    return [
        f"matrix_hostname cannot be {description.hostname!r}, which is the name of {name!r}; "
        "choose another."
        for name in description.components
        if f"{COMPONENTS[name].label}.{description.domain}" == description.hostname
    ]


def read_components(name: str, value: object) -> tuple[str, ...]:
    """Read the optional components."""
    given = [str(item) for item in values.items(name, value)]
    values.refuse([_component_fault(name, item, times) for item, times in Counter(given).items()])
    values.refuse(
        f"{name} lists {item!r}, which needs {needed!r}; list that too."
        for item in given
        for needed in COMPONENTS[item].requires
        if needed not in given
    )
    return tuple(row for row in optional() if row in given)


def _component_fault(name: str, component: str, times: int) -> str:
    if component in ALWAYS:
        return f"{name} lists {component!r}, which is part of every server; take it out."
    if component not in optional():
        known = values.listed(optional())
        return f"{name} lists the unknown component {component!r}; choose from {known}."
    if times > 1:
        return f"{name} lists {component!r} {times} times; list it once."
    return ""


def read_admin_networks(name: str, value: object, components: Iterable[str]) -> tuple[str, ...]:
    """Read where administrators sit; what is for nobody else is not for nobody at all."""
    networks = ports.read_networks(name, value)
    values.refuse(
        f"{name} has {network!r}, which is the whole internet or much of it; list only where "
        "administrators sit, like 192.0.2.7/32."
        for network in networks
        if is_wide(ipaddress.ip_network(network))
    )
    values.refuse(
        f"matrix_components lists {row!r}, which nobody could open; list the networks of those who "
        f"shall, like {name}: [192.0.2.7/32], or 'wireguard' as well."
        for row in components
        if COMPONENTS[row].is_private and not networks and "wireguard" not in components
    )
    return networks


def is_wide(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    """Whether it is larger than the largest for private use, 10.0.0.0/8 and fc00::/7."""
    return network.prefixlen < {4: 8, 6: 7}[network.version]


def read_bridge_admins(name: str, value: object, components: Iterable[str]) -> tuple[str, ...]:
    """Read the Matrix IDs that bridges obey, of this server or others; a bridge needs one."""
    given = tuple(dict.fromkeys(map(str, values.items(name, value))))
    values.refuse(
        f"{name} is wrong: {fault.message}."
        for fault in map(user_id_fault, given)
        if fault is not None and fault.severity == "error"
    )
    values.refuse(
        f"{name} has {admin!r}, in which * would stand for everybody; list each Matrix ID."
        for admin in given
        if "*" in admin
    )
    for row in components:
        if COMPONENTS[row].bot is not None and not given:
            raise ValueError(
                f"{name} is empty, so {row!r} would obey whoever talks to it first; "
                "list your Matrix ID, like '@you:example.com'."
            )
    return given


def read_ssh_rate(name: str, value: object) -> int:
    """Read how many new connections an address may make in a minute; a run itself needs some."""
    if str(value) == "0":
        return 0
    try:
        return values.number(name, value, LOWEST_SSH_RATE, HIGHEST_SSH_RATE)
    except ValueError as error:
        raise ValueError(f"{str(error)[:-1]}, or 0 for no limit.") from None


def read_addresses(name: str, value: object) -> tuple[str, ...]:
    """Read the public addresses of the host."""
    found = [_read_address(name, item) for item in values.items(name, value)]
    return tuple(dict.fromkeys(found))


def _read_address(name: str, item: object) -> str:
    try:
        address = ipaddress.ip_address(str(item))
    except ValueError:
        raise ValueError(
            f"{name} cannot have {item!r}; write addresses like 192.0.2.1 or 2001:db8::1."
        ) from None
    if not is_public(address):
        raise ValueError(
            f"{name} cannot have {item!r}, which nobody reaches from outside; write the public "
            "address, behind NAT the one that leads to this host, or leave the list empty."
        )
    return str(address)


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether a DNS record for everybody may have it; examples use addresses for documentation."""
    if any(address in network for network in _DOCUMENTATION):
        return True
    return address.is_global and not address.is_multicast and not _mapped(address)


def _mapped(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None


def check_directory(name: str, value: object) -> None:
    """Check a directory; None is the default of whoever uses it."""
    if value is not None and (not isinstance(value, str) or not value):
        raise ValueError(f"{name} cannot be {value!r}; write the path of a directory.")


def check_ignored(name: str, value: object) -> None:
    """Check that the verifier has such findings."""
    if ids := [str(item) for item in values.items(name, value)]:
        # It loads the whole verifier, and few operators ignore anything.
        from ...module_utils.verify.catalogue import refuse_unknown

        try:
            refuse_unknown(ids)
        except ValueError as error:
            raise ValueError(f"{name}: {error}.") from None
