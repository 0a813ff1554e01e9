# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The private network: its addresses, and who is in it.

The place of a peer in the networks follows from its name alone, so that nobody else's changes when
peers come and go.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from . import values

INTERFACE = "wg-matrix"
FIRST_PEER = 2
"""The place after that of the host."""
_SMALLEST = 28
_KEY_BYTES = 32
_KEYS = ("name", "public_key", "address")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


@dataclass(frozen=True)
class Peer:
    """A machine in the network; without a public key the host makes its pair."""

    name: str
    public_key: str
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Tunnel:
    """The private network as the host has it."""

    interface: str
    port: int
    networks: tuple[str, ...]
    addresses: tuple[str, ...]
    forward: bool
    peers: tuple[Peer, ...]

    def as_dict(self) -> dict[str, object]:
        """Return it as `matrix_site.wireguard` shows it."""
        lengths = (network.partition("/")[2] for network in self.networks)
        interfaces = [f"{address}/{length}" for address, length in zip(self.addresses, lengths)]
        return {**asdict(self), "interfaces": interfaces}


@dataclass(frozen=True)
class Networks:
    """The two networks of the tunnel, whose places have the same numbers."""

    four: ipaddress.IPv4Network
    six: ipaddress.IPv6Network

    def at(self, place: int) -> tuple[str, str]:
        """Return the addresses of a place."""
        return str(self.four[place]), str(self.six[place])

    @property
    def last(self) -> int:
        """The last place, before the address for broadcasts."""
        return self.four.num_addresses - 2


def read_networks(four: object, six: object, domain: object) -> Networks:
    """Read the networks; without one of its own a domain has one for IPv6 (RFC 4193)."""
    digits = hashlib.sha256(str(domain).encode()).hexdigest()
    made = f"fd{digits[:2]}:{digits[2:6]}:{digits[6:10]}::/64"
    faults = values.Faults()
    first = faults.read(_read_ipv4, "wireguard_network", four)
    second = faults.read(_read_ipv6, "wireguard_network_ipv6", six or made)
    faults.check()
    if first is None or second is None:
        raise AssertionError(f"{four} and {six}")  # what was not read has been told
    return Networks(first, second)


def _read_ipv4(name: str, value: object) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(str(value))
    except ValueError:
        raise _no_network(name, value, "10.71.0.0/16") from None
    _refuse_public(name, network, "10.71.0.0/16")
    if network.prefixlen > _SMALLEST:
        raise ValueError(f"{name} {value} is too small; write one of /{_SMALLEST} or larger.")
    return network


def _read_ipv6(name: str, value: object) -> ipaddress.IPv6Network:
    try:
        network = ipaddress.IPv6Network(str(value))
    except ValueError:
        raise _no_network(name, value, "fd12:3456:789a::/64") from None
    _refuse_public(name, network, "fd12:3456:789a::/64")
    if network.prefixlen > 64:
        raise ValueError(f"{name} {value} is too small; write one of /64 or larger.")
    return network


def _no_network(name: str, value: object, example: str) -> ValueError:
    return ValueError(f"{name} cannot be {value!r}; write a network like {example}.")


def _refuse_public(
    name: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network, example: str
) -> None:
    if not any(network[0] in private and network[-1] in private for private in _PRIVATE):
        raise ValueError(
            f"{name} {network} belongs to others; write a network for private use like {example}."
        )


def read_peers(name: str, value: object, networks: Networks) -> tuple[Peer, ...]:
    """Read the peers; no two have the same name, key or place."""
    faults = values.Faults()
    found = [
        faults.read(_read_peer, f"entry {number} of {name}", item, networks)
        for number, item in enumerate(values.items(name, value), start=1)
    ]
    faults.check()
    peers = [peer for peer in found if peer is not None]
    values.refuse([*_twice(name, peers), *_same_place(name, peers)])
    return tuple(peers)


def _read_peer(name: str, item: object, networks: Networks) -> Peer:
    entry = values.mapping(name, item)
    if "private_key" in entry:
        raise ValueError(
            f"{name} has a private key, which nobody but the peer may know; write its public_key, "
            "or leave the key out, and the host makes a pair."
        )
    if unknown := sorted(set(entry) - set(_KEYS)):
        known = values.listed(_KEYS)
        raise ValueError(f"In {name} the key {unknown[0]!r} is unknown; it may have {known}.")
    called = _read_name(name, entry.get("name"))
    place = _read_place(name, entry["address"], networks) if entry.get("address") else None
    return Peer(
        name=called,
        public_key=_read_key(name, entry.get("public_key") or ""),
        addresses=networks.at(_place_of(called, networks) if place is None else place),
    )


def _read_name(name: str, value: object) -> str:
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    raise ValueError(
        f"{name} cannot have the name {value!r}, which also names files; write up to 40 of a-z, "
        "0-9, _ and -, like alice-laptop."
    )


def _read_key(name: str, value: object) -> str:
    text = str(value)
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b"?"
    if not text or (len(key) == _KEY_BYTES and any(key) and len(text) == 44):
        return text
    raise ValueError(
        f"{name} cannot have the public_key {text!r}; write the 44 characters that `wg pubkey` "
        "prints."
    )


def _read_place(name: str, value: object, networks: Networks) -> int:
    try:
        place = int(ipaddress.IPv4Address(str(value))) - int(networks.four[0])
    except ValueError:
        place = 0
    if FIRST_PEER <= place <= networks.last:
        return place
    first, last = networks.at(FIRST_PEER)[0], networks.at(networks.last)[0]
    raise ValueError(
        f"{name} cannot have the address {value!r}; write one from {first} to {last}, or none."
    )


def _place_of(name: str, networks: Networks) -> int:
    digest = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big")
    return FIRST_PEER + digest % (networks.last - FIRST_PEER + 1)


def _twice(name: str, peers: Sequence[Peer]) -> list[str]:
    names = Counter(peer.name for peer in peers)
    keys = Counter(peer.public_key for peer in peers if peer.public_key)
    return [
        *(f"{name} has {each!r} {n} times; list it once." for each, n in names.items() if n > 1),
        *(
            f"{name} has the public_key {each} {n} times; each peer needs one of its own."
            for each, n in keys.items()
            if n > 1
        ),
    ]


def _same_place(name: str, peers: Sequence[Peer]) -> list[str]:
    found: dict[str, list[str]] = {}
    for peer in peers:
        found.setdefault(peer.addresses[0], []).append(peer.name)
    return [
        f"{name} has {' and '.join(map(repr, names))} at {address}; give one of them another "
        "address."
        for address, names in found.items()
        if len(set(names)) > 1
    ]


def read_tunnel(given: Mapping[str, object], domain: object) -> Tunnel:
    """Read the whole of it from the variables of the role."""
    faults = values.Faults()
    networks = faults.read(
        read_networks, given["wireguard_network"], given["wireguard_network_ipv6"], domain
    )
    port = faults.read(values.port, "wireguard_port", given["wireguard_port"])
    forward = faults.read(values.boolean, "wireguard_forward", given["wireguard_forward"])
    peers = networks and faults.read(
        read_peers, "wireguard_peers", given["wireguard_peers"], networks
    )
    faults.check()
    if networks is None:
        raise AssertionError(domain)  # what was not read has been told
    return Tunnel(
        interface=INTERFACE,
        port=port or 0,
        networks=(str(networks.four), str(networks.six)),
        addresses=networks.at(1),
        forward=bool(forward),
        peers=peers or (),
    )


def reached_from(
    access: str, tunnel: Tunnel | None, sources: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Return the sources, with those of ssh if it is only for the tunnel."""
    if access != "tunnel" or tunnel is None:
        return dict(sources)
    return {**sources, "ssh": (*tunnel.networks, *sources.get("ssh", ()))}
