# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a dnsmasq on this host would answer the recursive questions of strangers.

It refuses them with ``local-service``, which counts only without other access options; if none of
the interfaces and addresses that it serves leads outside; or if it has nobody to ask in turn.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from .dnsmasq import Options, effective
from .ports import Address, Port
from .system import System, require

_DNS = 53
_ACCESS = ("interface", "except-interface", "listen-address", "auth-server")
_ELSEWHERE = ("servers-file", "rev-server", "enable-dbus")
_INSIDE = [ip_network(text) for text in ("127.0.0.0/8", "169.254.0.0/16", "::1", "fe80::/10")]
_PRIVATE = [
    ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]
_TICKS = 100  # of the clock in /proc, per second
_GRACE = 2  # seconds: the time of boot is known to the second only


@dataclass(frozen=True)
class Place:
    """An address of this host, its interface, and whether a default route leads through that."""

    interface: str
    address: Address
    outward: bool = False


def places(links: Iterable[dict[str, Any]], routes: Iterable[dict[str, Any]]) -> list[Place]:
    """Read what ``ip -json`` says of addresses and default routes; a label is an interface too."""
    hops = [hop for route in routes for hop in (route, *route.get("nexthops", []))]
    outward = {hop.get("dev") for hop in hops if hop.get("type", "unicast") == "unicast"}
    return [
        Place(
            info.get("label", link["ifname"]), ip_address(info["local"]), link["ifname"] in outward
        )
        for link in links
        for info in link.get("addr_info", [])
        if "local" in info
    ]


def fault(options: Options, *, here: Sequence[Place]) -> str:
    """Say why a dnsmasq with these options answers strangers; nothing if it refuses them."""
    if "53" not in options.get("port", ["53"]) or not _asks_others(options):
        return ""
    if "conf-script" in options:
        return "nobody knows what its conf-script sets"
    access = [name for name in _ACCESS if name in options]
    if "local-service" in options and not access:
        return ""
    doors = [place for place in _reachable(here) if _opens(options, place, here=here)]
    if not doors:
        return ""
    reason = f"does not count beside {' and '.join(access)}" if access else "is not set"
    listed = ", ".join(f"{door.address} ({door.interface})" for door in doors)
    return f"it would answer strangers on {listed}, as local-service {reason}"


def _asks_others(options: Options) -> bool:
    """Tell whether it forwards anything; ``server=/example.org/`` names nobody to forward to."""
    servers = [*options.get("server", []), *options.get("local", [])]
    named = any(value.rpartition("/")[2] for value in servers)
    return "no-resolv" not in options or named or any(name in options for name in _ELSEWHERE)


def _reachable(here: Sequence[Place]) -> list[Place]:
    """Return what strangers can send to; without a public IPv4 address they come through a NAT."""
    routed = [place for place in here if not any(place.address in net for net in _INSIDE)]
    public = [place for place in routed if not any(place.address in net for net in _PRIVATE)]
    if any(place.address.version == 4 for place in public):
        return public
    return public + [place for place in routed if place.outward and place.address.version == 4]


def _opens(options: Options, place: Place, *, here: Sequence[Place]) -> bool:
    """Tell whether a stranger gets an answer from this address.

    With bind-interfaces only the address counts. Otherwise dnsmasq looks at the interface through
    which a question comes; over TCP at that of the address, too.
    """
    direct = _answers(options, place.interface, place.address)
    if "bind-interfaces" in options:
        return direct
    gates = [gate for gate in here if gate.outward]
    if any(_answers(options, gate.interface, place.address) for gate in gates):
        return True
    return direct and any(_admits(options, gate.interface, gate.address) for gate in gates)


def _answers(options: Options, interface: str, address: Address) -> bool:
    """Tell whether it answers recursively; where it is an auth-server, it does not."""
    if _is_authoritative(options, interface, address):
        return False
    names, addresses = _listed(options, "interface"), _listed(options, "listen-address")
    if _named(address, addresses):
        return True
    if _matches(interface, _listed(options, "except-interface")):
        return False
    # Whoever names an interface gets the loopback interface, too.
    return not (names or addresses) or (bool(names) and _matches(interface, [*names, "lo"]))


def _admits(options: Options, interface: str, address: Address) -> bool:
    authoritative = _is_authoritative(options, interface, address)
    return authoritative or _answers(options, interface, address)


def _is_authoritative(options: Options, interface: str, address: Address) -> bool:
    items = [item for value in options.get("auth-server", []) for item in value.split(",")[1:]]
    names = (interface, f"{interface}/{address.version}")
    return any(item.strip() in names for item in items) or _named(address, items)


def _listed(options: Options, name: str) -> list[str]:
    return [item.strip() for value in options.get(name, []) for item in value.split(",")]


def _matches(interface: str, patterns: Iterable[str]) -> bool:
    """Tell whether a pattern means this interface; what follows an asterisk does not count."""
    return any(
        interface == pattern or ("*" in pattern and interface.startswith(pattern.partition("*")[0]))
        for pattern in patterns
    )


def _named(address: Address, items: Iterable[str]) -> bool:
    everywhere = ip_address("0.0.0.0" if address.version == 4 else "::")
    found = {str(ip_address(item)) for item in items if _is_address(item)}
    return not found.isdisjoint({str(address), str(everywhere)})


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@dataclass
class HostFiles:
    """The files of the host, and which of them were asked for."""

    system: System
    asked: list[str] = field(default_factory=list)

    def read(self, path: str) -> str:
        """Read a file in whatever encoding; a directory has no text."""
        self.asked.append(path)
        return self.system.run(["cat", "--", path]).output

    def names(self, folder: str) -> list[str]:
        self.asked.append(folder)
        return self.system.names(folder)

    def changed_since(self, moment: float) -> bool:
        condition = ["-maxdepth", "0", "-newerct", f"@{moment:.2f}"]
        return bool(self.system.run(["find", *self.asked, *condition]).output)


def refusal(system: System, ports: Iterable[Port]) -> str:
    """Say why these ports must not open: they would make this host an open resolver."""
    opened = [port.place for port in ports if port.includes(_DNS) and _for_everybody(port)]
    processes = system.run(["pidof", "dnsmasq"]).output.split() if opened else []
    reason = next(filter(None, (_fault_of(system, process) for process in processes)), "")
    if not reason:
        return ""
    return (
        f"The new rules would open {' and '.join(opened)} to everybody, but nothing keeps the "
        f"dnsmasq of this host from being an open resolver: {reason}. Let dnsmasq refuse strangers "
        f"(local-service without {', '.join(_ACCESS[:-1])} and {_ACCESS[-1]}, or interface= with "
        "nothing but the tunnel) and restart it, or narrow the port, as with firewall_sources: "
        "{dnsmasq: [10.8.0.0/24]} or the sources of its entry in firewall_extra_ports."
    )


def _for_everybody(port: Port) -> bool:
    return not port.sources or any(source.prefixlen == 0 for source in port.sources)


def _fault_of(system: System, process: str) -> str:
    files = HostFiles(system)
    words = system.run(["cat", f"/proc/{process}/cmdline"]).output.split("\0")
    started = _start(system, process)
    if not started:
        return ""  # it has ended in the meantime
    options = effective(words[1:], files=files)
    if reason := fault(options, here=_here(system)):
        return reason
    stale = files.changed_since(started + _GRACE)
    return "its configuration has changed since it started" if stale else ""


def _start(system: System, process: str) -> float:
    """Return when a process started, in seconds of the epoch (proc(5)); 0 if it runs no more."""
    status = system.run(["cat", f"/proc/{process}/stat"]).output.rpartition(")")[2].split()
    boot = (system.read("/proc/stat") or "").partition("btime ")[2].split()
    return int(boot[0]) + int(status[19]) / _TICKS if status else 0


def _here(system: System) -> list[Place]:
    links = json.loads(require(system, ["ip", "-json", "address", "show"]))
    route = ["route", "show", "table", "all", "default"]
    routes = [require(system, ["ip", "-json", family, *route]) for family in ("-4", "-6")]
    return places(links, [row for text in routes for row in json.loads(text or "[]")])
