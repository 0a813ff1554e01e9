# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name server of the private network: whom it asks, and which names it does not look up."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Union

from . import values

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$)(?:{_LABEL}\.)+(?![0-9]+$){_LABEL}")
_OF_EVERY_HOST = ("localhost.localdomain", "localhost6.localdomain6")


@dataclass(frozen=True)
class Resolver:
    """What the operator says of it: addresses of name servers, and files of the controller."""

    upstreams: tuple[str, ...]
    block_lists: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Return it as the role needs it."""
        return {"upstreams": list(self.upstreams), "block_lists": list(self.block_lists)}


@dataclass
class BlockList:
    """The names in a block list, and its lines that are none, each with its number."""

    names: set[str] = field(default_factory=set)
    wrong: list[tuple[int, str]] = field(default_factory=list)


def read_resolver(upstreams: object, block_lists: object, own: Collection[str]) -> Resolver:
    """Read both; at its `own` addresses in the tunnel it would ask itself."""
    faults = values.Faults()
    servers = faults.read(_read_upstreams, "dnsmasq_upstreams", upstreams, own) or ()
    lists = faults.read(_read_block_lists, "dnsmasq_block_lists", block_lists) or ()
    faults.check()
    return Resolver(servers, lists)


def _read_upstreams(name: str, value: object, own: Collection[str]) -> tuple[str, ...]:
    found = [_read_upstream(name, item, own) for item in values.items(name, value)]
    return tuple(dict.fromkeys(found))


def _read_upstream(name: str, item: object, own: Collection[str]) -> str:
    address = _address(str(item))
    if address is None:
        raise ValueError(
            f"{name} cannot have {item!r}; write the address of a name server, like 192.0.2.53."
        )
    if address.is_unspecified or address.is_multicast:
        raise ValueError(f"{name} cannot have {item!r}, which is no single host's address.")
    if str(address) in own:
        raise ValueError(
            f"{name} cannot have {item!r}, where dnsmasq itself listens and would ask itself; "
            "write another name server's address."
        )
    return str(address)


def _read_block_lists(name: str, value: object) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(str(item) for item in values.items(name, value)))
    values.refuse(f"{name} {fault}." for fault in map(_list_fault, found) if fault)
    return found


def _list_fault(path: str) -> str:
    if not path.startswith("/"):
        return (
            f"has {path!r}; write the whole path on the controller, like "
            f"{{{{ inventory_dir }}}}/{path}"
        )
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:
            has_names = any(_names(line) for line in lines)
    except OSError as error:
        return f"has {path!r}, which the controller cannot read: {error.strerror}"
    if has_names:
        return ""
    return f"has {path!r}, in which no line is a name to block, like ads.example.com"


def block_list(lines: Iterable[str]) -> BlockList:
    """Read a block list: in each line a name, or as in /etc/hosts an address and names."""
    found = BlockList()
    for number, line in enumerate(lines, start=1):
        names = _names(line)
        if names is None:
            found.wrong.append((number, line.strip()))
        else:
            found.names.update(names)
    return found


def _names(line: str) -> list[str] | None:
    """Return the names of a line, None if it is wrong."""
    words = line.partition("#")[0].lower().split()
    if not words:
        return []
    address = _address(words[0])
    if address is None:
        return [_plain(words[0])] if len(words) == 1 and _NAME.fullmatch(_plain(words[0])) else None
    return _named_at(address, words[1:])


def _named_at(address: Address, words: Sequence[str]) -> list[str] | None:
    """Return the names that a line like one of /etc/hosts leads nowhere; localhost is none."""
    names = [
        name
        for name in map(_plain, words)
        if "." in name and name not in _OF_EVERY_HOST and _address(name) is None
    ]
    leads_nowhere = address.is_unspecified or address.is_loopback or not names
    return names if words and leads_nowhere and all(map(_NAME.fullmatch, names)) else None


def _plain(word: str) -> str:
    return word.rstrip(".")


def _address(word: str) -> Address | None:
    """Return the address that a word is; in lists one may have a zone, like fe80::1%lo0."""
    try:
        return ipaddress.ip_address(word.partition("%")[0])
    except ValueError:
        return None
