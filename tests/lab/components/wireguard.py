# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The private network in the lab: a machine with the host's key, one with its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.homestead.matrix.tests.lab.labs import Lab

CLIENT = "vantage"
"""The host of the lab that is in the private network."""
OWN_KEY = "/etc/wireguard/own.key"
MADE, OWN = "laptop", "phone"
NEW_INTERFACES = "net.ipv6.conf.default.disable_ipv6"
"""Where the engine says that they have no IPv6."""
TOOLS = "iproute2 wireguard-go wireguard-tools"


def variables(lab: Lab) -> dict[str, Any]:
    """Return what the inventory says; the second peer has made its key already."""
    public = lab.shell(CLIENT, f"wg pubkey <{OWN_KEY}").strip()
    return {"wireguard_peers": [{"name": MADE}, {"name": OWN, "public_key": public}]}


@contextmanager
def surroundings(lab: Lab) -> Iterator[None]:
    """Have the programs and a key on the client."""
    install = "DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends"
    make = f"umask 077; mkdir -p /etc/wireguard; wg genkey >{OWN_KEY}"
    lab.shell(CLIENT, f"apt-get -qq update && {install} {TOOLS} >/dev/null; {make}")
    for host in (CLIENT, "matrix"):
        lab.run(host, "sysctl", "--quiet", f"{NEW_INTERFACES}=0")
    try:
        yield
    finally:
        for host in (CLIENT, "matrix"):
            lab.run(host, "sysctl", "--quiet", f"{NEW_INTERFACES}=1")
        lab.shell(CLIENT, "rm -f /etc/wireguard/*")


@contextmanager
def connected(lab: Lab, configuration: str) -> Iterator[None]:
    """Have the client in the private network, as this file for wg-quick says, with its own DNS."""
    text = re.sub("^DNS = .*\n", "", configuration, flags=re.MULTILINE)
    lab.write(CLIENT, "/etc/wireguard/wglab.conf", text)
    lab.shell(CLIENT, "chmod 0600 /etc/wireguard/wglab.conf; wg-quick up wglab")
    try:
        yield
    finally:
        lab.shell(CLIENT, "wg-quick down wglab")
