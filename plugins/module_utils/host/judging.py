# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host can be a Matrix server: what its files say, and what speaks against it."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..already_there import Found
from . import clusters, disks, turn_server
from .clusters import Cluster, Databases
from .disks import MEGABYTE, Disk
from .homeservers import others, refusal
from .nat_rules import published


@dataclass(frozen=True)
class Release:
    """What a release of Debian brings."""

    postgresql: int
    python: str


SUPPORTED = {
    "12": Release(postgresql=15, python="3.11"),
    "13": Release(postgresql=17, python="3.13"),
}
OUR_PROGRAMS = {
    "nginx": "reverse_proxy",
    "turnserver": "coturn",
    "wireguard-go": "wireguard",
    "kernel": "wireguard",
    **dict.fromkeys(("prosody", "jicofo", "jvb"), "jitsi"),
}
"""Programs or accounts that listen for us, and the services of which they are a part."""


_UNKNOWN = {"tcp": "another program", "udp": "the kernel"}
_LISTENING = {"tcp": "0A", "udp": "07"}
_LOOPBACK = re.compile(
    r"\s*\d+: (?:(?:0{16}FFFF0000)?[0-9A-F]{6}7F|0{24}01000000):"  # little-endian, in words
)
_ANY = re.compile(r"\s*\d+: 0+:")
_LOCAL_ADDRESS = re.compile(r"\|-- (?P<address>[0-9.]+)\s+/32 host LOCAL")
_GLOBAL_SCOPE = "00"

ALREADY_THERE = (
    Found(
        "a program on a port that the server needs, like a web server on 443",
        "refuses",
        "remove it, or let it listen elsewhere",
    ),
    Found(
        "tunnels of WireGuard that others set up, and their configurations",
        "leaves alone",
        "ours is `wg-matrix`; a host that already is in its network is refused",
    ),
    Found(
        "a server of this collection for another domain", "refuses", "every account would be lost"
    ),
)


@dataclass(frozen=True)
class Observation:
    """What was read on the host: texts of /proc, /etc and of programs as they are."""

    os_release: str
    meminfo: str
    tcp: str
    udp: str
    owners: Mapping[str, str]
    fib_trie: str
    if_inet6: str
    disks: tuple[Disk, ...]
    machine: str
    server_name: str
    services: frozenset[str]
    secrets: frozenset[str]
    iptables: str
    ip6tables: str
    nftables: str
    homeservers: frozenset[str] = frozenset()
    """Which paths of `HOMESERVERS` there are."""
    units: Mapping[str, str] = field(default_factory=dict)
    """The texts of units that people wrote, by their paths, until there is a Synapse of ours."""
    records: frozenset[str] = frozenset()
    """The services of which something is ours already, if only in part."""
    adoption: str = ""
    """What an adoption that was not finished is about, as JSON."""
    adopted: str = ""
    """What ours has kept of the Synapse before it, as JSON."""
    turnserver: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    """The public halves of secrets that are keys, by their names."""
    databases: Databases = field(default_factory=Databases)
    unfinished: frozenset[str] = frozenset()
    """Services in whose making a run was interrupted."""
    retired: frozenset[str] = frozenset()
    """Services that were taken away and whose data stayed."""


@dataclass(frozen=True)
class Requirements:
    """What the operator asks of the host."""

    server_name: str
    memory_mb: int
    disk_mb: int
    ports: frozenset[str] = frozenset()
    """Written as "tcp 443", and "tcp 53 any" if programs may have it at addresses of their own."""
    tunnel: tuple[str, ...] = ()
    """Our own addresses in the private network, like "10.71.0.1/16"."""
    adopt: bool = False
    """Whether a Synapse of others is to be taken over."""
    secrets: tuple[str, ...] = ()
    """The names of secrets that somebody must have put on the host."""


def release_fields(os_release: str) -> dict[str, str]:
    """Return the fields of /etc/os-release (os-release(5))."""
    pairs = (line.partition("=") for line in os_release.splitlines() if "=" in line)
    return {key.strip(): value.strip().strip("\"'") for key, _separator, value in pairs}


def memory_mb(meminfo: str) -> int:
    """Return the whole memory from /proc/meminfo, in megabytes."""
    match = re.search(r"^MemTotal:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(match[1]) // 1024 if match else 0


def listeners(*, tcp: str, udp: str) -> dict[str, str]:
    """Return inode and port of what listens, from /proc/net/tcp, tcp6, udp and udp6 (proc(5))."""
    found = {}
    for protocol, sockets in (("tcp", tcp), ("udp", udp)):
        for fields in map(str.split, sockets.splitlines()):
            if len(fields) > 9 and fields[3] == _LISTENING[protocol]:
                found[fields[9]] = f"{protocol} {int(fields[1].rpartition(':')[2], 16)}"
    return found


def beyond_loopback(sockets: str) -> str:
    """Leave out of /proc/net/tcp and its kin what is bound to an address of loopback."""
    return "\n".join(line for line in sockets.splitlines() if not _LOOPBACK.match(line))


def at_any_address(sockets: str) -> str:
    """Leave in /proc/net/tcp and its kin what is bound to all addresses."""
    return "\n".join(line for line in sockets.splitlines() if _ANY.match(line))


def addresses(fib_trie: str, if_inet6: str) -> list[str]:
    """Return the addresses of the host that are not only local to it, IPv4 first."""
    four = {match["address"] for match in _LOCAL_ADDRESS.finditer(fib_trie)}
    lines = (line.split() for line in if_inet6.splitlines())
    six = {fields[0] for fields in lines if len(fields) > 3 and fields[3] == _GLOBAL_SCOPE}
    return [
        *sorted(address for address in four if not address.startswith("127.")),
        *sorted(str(_ipv6(digits)) for digits in six),
    ]


def _ipv6(digits: str) -> ipaddress.IPv6Address:
    return ipaddress.IPv6Address(int(digits, 16))


def faults(seen: Observation, needed: Requirements) -> list[str]:
    """Return a sentence for everything that speaks against the host."""
    return [
        sentence
        for sentence in (
            _release_fault(seen),
            *_port_faults(seen, needed),
            *_tunnel_faults(seen, needed),
            _memory_fault(seen, needed),
            *_disk_faults(seen, needed),
            _server_name_fault(seen, needed),
            *_homeserver_faults(seen, needed),
            _unfinished_fault(seen, needed),
            *_secret_faults(seen, needed),
            turn_server.fault(seen.turnserver, seen.services),
            *_database_faults(seen),
        )
        if sentence
    ]


def _release_fault(seen: Observation) -> str:
    fields = release_fields(seen.os_release)
    if fields.get("ID") == "debian" and fields.get("VERSION_ID") in SUPPORTED:
        return ""
    name = fields.get("PRETTY_NAME", "an unknown system")
    return f"The host runs {name}; install Debian {' or '.join(SUPPORTED)}."


def accounts(sockets: str, passwd: str) -> dict[str, str]:
    """Return inode and account of sockets, other than root's, from /proc/net and passwd(5)."""
    names = {
        fields[2]: fields[0] for line in passwd.splitlines() if len(fields := line.split(":")) > 2
    }
    rows = (fields for line in sockets.splitlines() if len(fields := line.split()) > 9)
    return {row[9]: names[row[7]] for row in rows if row[7] != "0" and row[7] in names}


def _port_faults(seen: Observation, needed: Requirements) -> list[str]:
    held: dict[str, set[str]] = {}
    everywhere = listeners(tcp=at_any_address(seen.tcp), udp=at_any_address(seen.udp))
    for inode, port in listeners(tcp=seen.tcp, udp=seen.udp).items():
        if port in needed.ports or (f"{port} any" in needed.ports and inode in everywhere):
            unknown = _UNKNOWN[port.partition(" ")[0]]
            held.setdefault(seen.owners.get(inode, unknown), set()).add(port)
    return [
        f"{owner} already listens on {' and '.join(sorted(ports, key=_by_number))}; remove it or "
        "let it listen elsewhere, because the Matrix server needs that itself."
        for owner, ports in sorted(held.items())
        if _service_of(owner) not in seen.services
    ]


def _tunnel_faults(seen: Observation, needed: Requirements) -> list[str]:
    """Refuse a private network in which the host already is, by another way."""
    tunnels = [ipaddress.ip_interface(text) for text in needed.tunnel]
    ours = {tunnel.ip for tunnel in tunnels if "wireguard" in seen.services}
    found = map(ipaddress.ip_address, addresses(seen.fib_trie, seen.if_inet6))
    return [
        f"The host has the address {address} in {tunnel.network}, which shall be the private "
        "network; choose another wireguard_network."
        for address in found
        for tunnel in tunnels
        if address in tunnel.network and address not in ours
    ]


def _service_of(owner: str) -> str:
    """Return the service that a program or account of this name would be."""
    name = owner.rpartition(" ")[2]
    return OUR_PROGRAMS.get(name, name)


def _by_number(port: str) -> tuple[int, str]:
    return int(port.rpartition(" ")[2]), port


def _memory_fault(seen: Observation, needed: Requirements) -> str:
    size = memory_mb(seen.meminfo)
    if size >= needed.memory_mb:
        return ""
    return (
        f"The host has {size} MB of memory and needs {needed.memory_mb} MB; "
        "take a larger one or lower matrix_minimum_memory_mb."
    )


def _disk_faults(seen: Observation, needed: Requirements) -> list[str]:
    """Ask for room only before the server first runs: a full disk must not stop its repair."""
    return [] if seen.server_name else disks.faults(seen.disks, needed.disk_mb)


def _server_name_fault(seen: Observation, needed: Requirements) -> str:
    if seen.server_name in ("", needed.server_name):
        return ""
    return (
        f"The host already serves the Matrix IDs of {seen.server_name}, and every account would be "
        f"lost with matrix_domain {needed.server_name}; set it to {seen.server_name} again "
        "or take another host."
    )


def others_synapse(seen: Observation) -> str:
    """Return a path of a Synapse that is none of ours, without the first slash; or nothing."""
    found = others(seen.homeservers, seen.units, seen.records)
    return next((path for row, path in found if row.service), "")


def _homeserver_faults(seen: Observation, needed: Requirements) -> list[str]:
    found = others(seen.homeservers, seen.units, seen.records)
    return [refusal(row, path) for row, path in found if not (row.service and needed.adopt)]


def _unfinished_fault(seen: Observation, needed: Requirements) -> str:
    if needed.adopt or not seen.adoption:
        return ""
    return (
        "The adoption of the Synapse on the host was interrupted; run again with "
        "matrix_adopt: true, and it will be finished."
    )


def _secret_faults(seen: Observation, needed: Requirements) -> list[str]:
    return [
        f"Nobody has given the secret {name!r}: set the variable that holds it, or write it to "
        f"/etc/homestead/secrets/{name} on the host, readable by root only."
        for name in needed.secrets
        if name not in seen.secrets
    ]


def _database_faults(seen: Observation) -> list[str]:
    version = _release(seen).postgresql
    expected = bool(seen.server_name) and "synapse" not in seen.unfinished
    return clusters.faults(seen.databases, _cluster(seen), version=version, expected=expected)


def _cluster(seen: Observation) -> Cluster:
    """Return the cluster of PostgreSQL for the Matrix server."""
    listening = listeners(tcp=seen.tcp, udp="").values()
    busy = {_by_number(port)[0] for port in listening}
    return seen.databases.chosen(_release(seen).postgresql, busy)


def _release(seen: Observation) -> Release:
    """Return what this release of Debian brings, nothing if it is not supported."""
    number = release_fields(seen.os_release).get("VERSION_ID", "")
    return SUPPORTED.get(number, Release(postgresql=0, python=""))


def facts(seen: Observation, needed: Requirements) -> dict[str, object]:
    """Return what the roles want to know about the host; its own tunnel is no address of it."""
    tunnel = {str(ipaddress.ip_interface(text).ip) for text in needed.tunnel}
    fields = release_fields(seen.os_release)
    release = _release(seen)
    return {
        "release": fields.get("VERSION_ID", ""),
        "codename": fields.get("VERSION_CODENAME", ""),
        "architecture": seen.machine,
        "memory_mb": memory_mb(seen.meminfo),
        "disk_free_mb": seen.disks[0].free // MEGABYTE,
        "python": release.python,
        "postgresql": clusters.facts(seen.databases, _cluster(seen), version=release.postgresql),
        "addresses": [
            address for address in addresses(seen.fib_trie, seen.if_inet6) if address not in tunnel
        ],
        "published": published_ports(seen),
        "services": sorted(seen.services),
        "retired": sorted(seen.retired),
        "adoption": json.loads(seen.adoption or "{}"),
        "adopted": json.loads(seen.adopted or "{}"),
        "secrets": sorted(seen.secrets),
        "public_keys": dict(seen.keys),
    }


def published_ports(seen: Observation) -> list[dict[str, object]]:
    """Return the ports that NAT leads past the host's own firewall."""
    found = published(saved=(seen.iptables, seen.ip6tables), nftables=seen.nftables)
    return [port.as_dict() for port in found]


def told(sentences: Sequence[str]) -> str:
    """Return one fault as it is and several as a list."""
    if len(sentences) == 1:
        return sentences[0]
    lines = "".join(f"\n- {sentence}" for sentence in sentences)
    return f"The host cannot be a Matrix server for {len(sentences)} reasons:{lines}"
