# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proof that state cannot give: while a change waits, what comes in is judged as if it were new.

A tunnel that ends on the host lives on from its entry in connection tracking although the new rules
do not let it in, and so does all that comes through it: the host would be unreachable as soon as
the entry is forgotten. So packets of protocols without connections get a zone of connection
tracking that knows nothing and hears no answers, and those to TCP ports which the rules do not open
are not tracked. The rules themselves judge them, whichever program holds them. What the host began
over TCP, and names that it asks for, are judged as always.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from ..already_there import Found
from .openings import PORTLESS, Opening, portless
from .system import System, require

ALREADY_THERE = (
    Found(
        "a tunnel that ends on the host, and through it the only way in",
        "refuses",
        "list its port in `firewall_extra_ports`",
    ),
)
SEEN = "/run/homestead-firewall.seen"
_TABLE = "inet homestead_proof"
END = f"table {_TABLE}\ndelete table {_TABLE}\n"
_UNDO = f"""\
nft -j list set {_TABLE} seen 2>/dev/null | grep elem >{SEEN} || rm -f {SEEN}
! command -v nft >/dev/null || nft -f {{}}"""
_NOTE = "add @seen { meta l4proto . th dport }"
_BEGIN = f"""\
{END}table {_TABLE} {{{{
    set seen {{{{ type inet_proto . inet_service; flags dynamic; size 1024; }}}}
    chain prerouting {{{{
        type filter hook prerouting priority raw; policy accept;
        iif "lo" accept
        fib daddr type != local accept
        udp sport 53 accept
        tcp dport {{tcp}} {{note}} notrack
        meta l4proto {{{{ tcp, sctp, dccp, icmp, icmpv6 }}}} accept
        ct zone set 48632
        udp dport {{udp}} {{note}}
        meta l4proto != {{others}} {{note}}
    }}}}
}}}}
"""
_WITH_PORTS = {"6": "tcp", "17": "udp"}


class Proof:
    """The table, as files in the folder of a change."""

    def __init__(self, system: System) -> None:
        self._system = system

    def save(self, folder: str, *, ports: Sequence[Opening]) -> str:
        """Save what begins and ends the proof, and return the shell script that ends it."""
        self._system.write(f"{folder}/begin.nft", begin(ports, listening=self._system.listening()))
        self._system.write(f"{folder}/end.nft", END)
        return _UNDO.format(f"{folder}/end.nft")

    def begin(self, folder: str) -> None:
        self._load(f"{folder}/begin.nft")

    def end(self, folder: str) -> None:
        self._load(f"{folder}/end.nft")

    def _load(self, path: str) -> None:
        if self._system.finds("nft"):  # rules may also go where there is none
            require(self._system, ["nft", "-f", path])

    def told(self) -> list[str]:
        """Return what came in before the undoing that the rules let in by its state alone."""
        return told(self._system.read(SEEN) or "")


def begin(ports: Sequence[Opening], *, listening: Iterable[str]) -> str:
    """Return the table that lets nothing in by its state, with what listens ("tcp 443")."""
    tcp, udp = (_set(_shut(protocol, ports, listening)) for protocol in ("tcp", "udp"))
    open_protocols = [PORTLESS[port.protocol] for port in ports if port.protocol in PORTLESS]
    others = _set(["udp", *open_protocols])
    return _BEGIN.format(tcp=tcp, udp=udp, others=others, note=_NOTE)


def _shut(protocol: str, ports: Sequence[Opening], listening: Iterable[str]) -> list[int]:
    shut = (place for place in listening if not any(port.covers(place) for port in ports))
    return sorted(int(place.split()[1]) for place in shut if place.startswith(protocol))


def _set(members: Sequence[object]) -> str:
    # Nothing comes to port 0, and a set must not be empty.
    return f"{{ {', '.join(map(str, members or [0]))} }}"


def told(seen: str) -> list[str]:
    """Read the places from what nft says of the set."""
    listed = json.loads(seen)["nftables"] if seen else []
    sets = [item["set"].get("elem", []) for item in listed if "set" in item]
    return sorted({_place(*element["concat"]) for elements in sets for element in elements})


def _place(protocol: object, port: int) -> str:
    name = portless(protocol) or _WITH_PORTS.get(str(protocol), str(protocol))
    return f"{name} {port}" if name in ("tcp", "udp") else f"protocol {name}"
