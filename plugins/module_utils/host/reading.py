# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a host, below any root, without changing it."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

from ..service import record
from ..service.keys import PUBLIC
from ..service.machine import MISSING, TIMED_OUT, Places, run_program
from ..service.model import ServiceError
from . import disks
from .clusters import Cluster, Databases
from .homeservers import HOMESERVERS
from .judging import (
    Observation,
    accounts,
    beyond_loopback,
    listeners,
)

STATE = "var/lib/homestead"
CLUSTERS = "etc/postgresql"
SECRETS = "etc/homestead/secrets"

# Without a table's name iptables-save cannot make the kernel load one; terse, nft leaves out sets.
_IPTABLES = ("iptables-save",)
_IP6TABLES = ("ip6tables-save",)
_NFT = ("nft", "--terse", "list", "ruleset")
_FOLDERS = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin")
_PATIENCE = 5


def observe(root: Path = Path("/"), *, ports: Collection[str] = ()) -> Observation:
    """Read everything that the judgement needs, with the owners of these ports ("tcp 443")."""
    tcp, udp = _sockets_of(root)
    asked = {port.removesuffix(" any") for port in ports}
    inodes = {inode for inode, port in listeners(tcp=tcp, udp=udp).items() if port in asked}
    retired = _retired(root / STATE)
    records = _records(root / STATE) - retired
    return Observation(
        os_release=_text(root / "etc/os-release"),
        meminfo=_text(root / "proc/meminfo"),
        tcp=tcp,
        udp=udp,
        owners=_holders(root, inodes, f"{tcp}\n{udp}"),
        fib_trie=_text(root / "proc/net/fib_trie"),
        if_inet6=_text(root / "proc/net/if_inet6"),
        disks=disks.read(root),
        machine=platform.machine(),
        server_name=_text(root / STATE / "server_name").strip(),
        services=records | _names(root / STATE / "transactions"),
        secrets=_names(root / SECRETS),
        keys=_public_halves(root / SECRETS),
        iptables=_printed(root, _IPTABLES),
        ip6tables=_printed(root, _IP6TABLES),
        nftables=_printed(root, _NFT),
        homeservers=frozenset(
            path for row in HOMESERVERS for path in row.paths if os.path.lexists(root / path)
        ),
        turnserver=_text(root / "etc/turnserver.conf"),
        databases=_databases(root),
        unfinished=_names(root / STATE / "transactions"),
        units={} if "synapse" in records else _units(root),
        records=records,
        retired=retired,
        adoption=_text(root / STATE / "adoption.json") if "synapse" in records else "",
        adopted=_text(root / STATE / "adopted.json"),
    )


def listening(root: Path = Path("/")) -> dict[str, str]:
    """Return the ports on which the host listens to others, and the programs that do ("udp 53")."""
    tcp, udp = map(beyond_loopback, _sockets_of(root))
    found = listeners(tcp=tcp, udp=udp)
    holders = _holders(root, set(found), f"{tcp}\n{udp}")
    return {port: holders.get(inode, "a program or the kernel") for inode, port in found.items()}


def _sockets_of(root: Path) -> list[str]:
    """Return what /proc/net tells of TCP and of UDP, for both versions of IP."""
    return [
        "\n".join(_text(root / "proc/net" / name) for name in (protocol, f"{protocol}6"))
        for protocol in ("tcp", "udp")
    ]


def _text(path: Path) -> str:
    """Return the text of a file, nothing if the host has no such file."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _printed(root: Path, command: Sequence[str]) -> str:
    """Return what a program prints, nothing if the host has no such program or if it hangs."""
    path = os.pathsep.join(str(root / folder) for folder in _FOLDERS)
    program = shutil.which(command[0], path=path)
    if program is None:
        return ""
    done = run_program([program, *command[1:]], environment={"PATH": path}, seconds=_PATIENCE)
    return "" if done.code in (TIMED_OUT, MISSING) else done.output


def _names(folder: Path) -> frozenset[str]:
    """Return what a folder holds, nothing if there is none or if it may not be read."""
    try:
        return frozenset(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError:
        return frozenset()


def _public_halves(folder: Path) -> dict[str, str]:
    """Return the public halves of the secrets that are keys, by their names."""
    names = sorted(name for name in _names(folder) if name.endswith(PUBLIC))
    return {name.removesuffix(PUBLIC): _text(folder / name).strip() for name in names}


def _records(state: Path) -> frozenset[str]:
    """Return the services of which a file, a unit or data may be ours."""
    return frozenset(name.removesuffix(".json") for name in _names(state / "services"))


def _retired(state: Path) -> frozenset[str]:
    """Return the services of which only data is left."""
    places = Places(state=state)
    return frozenset(name for name in _records(state) if _record(places, name).is_retired)


def _record(places: Places, name: str) -> record.Record:
    """Return what the host remembers of a service, nothing if that is no record of ours."""
    try:
        return record.read(record.path_of(places, name))
    except ServiceError:  # `service` says what is wrong with it
        return record.Record()


def _units(root: Path) -> dict[str, str]:
    """Return the texts of the units that people wrote, by their paths."""
    paths = sorted((root / "etc/systemd/system").glob("*.service"))
    return {str(path.relative_to(root)): _text(path) for path in paths if path.is_file()}


def _databases(root: Path) -> Databases:
    """Return the clusters of PostgreSQL, the oldest first, and what our record says of them."""
    places = sorted((root / CLUSTERS).glob("[1-9][0-9]/*/postgresql.conf"))
    ours = _record(Places(state=root / STATE), "postgresql")
    programs = (root / "usr/lib/postgresql").glob("[1-9][0-9]/bin/postgres")
    return Databases(
        clusters=tuple(_cluster(root, place) for place in places),
        units=ours.units,
        files=frozenset(ours.files),
        programs=frozenset(int(path.parts[-3]) for path in programs),
    )


def _cluster(root: Path, configuration: Path) -> Cluster:
    version, name = configuration.parts[-3:-1]
    included = sorted(configuration.parent.glob("conf.d/*.conf"))
    settings = "\n".join(map(_text, [configuration, *included]))
    data = root / Cluster(0, "", settings).data.lstrip("/")
    return Cluster(
        version=int(version),
        name=name,
        settings=f"{settings}\n{_text(data / 'postgresql.auto.conf')}",
        marked=(configuration.parent / "conf.d/homestead.conf").exists(),
        used=_is_used(data / "base"),
    )


def _is_used(base: Path) -> bool:
    """Say whether somebody made a database or a table, by the numbers that PostgreSQL gave them."""
    databases = _names(base)
    return not databases or any(
        _is_made(name) or any(map(_is_made, _names(base / name))) for name in databases
    )


def _is_made(name: str) -> bool:
    """Say whether this number is one of those that initdb does not give (FirstNormalObjectId)."""
    digits = re.match(r"\d+", name)
    return digits is not None and int(digits[0]) >= 16384


def _holders(root: Path, inodes: set[str], sockets: str) -> dict[str, str]:
    """Return what holds these sockets: the program, or else its account."""
    return {**_accounts(root, inodes, sockets), **_owners(root / "proc", inodes)}


def _accounts(root: Path, inodes: set[str], sockets: str) -> dict[str, str]:
    """Say whose sockets these are, where nobody may look which program holds them."""
    found = accounts(sockets, _text(root / "etc/passwd"))
    return {inode: f"a program of {found[inode]}" for inode in inodes & found.keys()}


def _owners(proc: Path, inodes: set[str]) -> dict[str, str]:
    """Return the names of the programs that hold these sockets."""
    found: dict[str, str] = {}
    if not inodes:
        return found
    for process in proc.glob("[0-9]*"):
        for inode in _sockets(process) & inodes:
            found[inode] = _text(process / "comm").strip()
    return found


def _sockets(process: Path) -> set[str]:
    """Return the inodes of the sockets of a process, nothing if it has just ended."""
    try:
        targets = [_target(handle) for handle in (process / "fd").iterdir()]
    except OSError:
        return set()
    return {target[len("socket:[") : -1] for target in targets if target.startswith("socket:[")}


def _target(handle: Path) -> str:
    try:
        return os.readlink(handle)
    except OSError:
        return ""
