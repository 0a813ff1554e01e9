# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The private network: who is in it reaches the host, and administrators through it only."""

from __future__ import annotations

import re
import socket

from ansible_collections.homestead.matrix.tests.lab.components.together import Everything
from ansible_collections.homestead.matrix.tests.lab.components.wireguard import (
    CLIENT,
    MADE,
    OWN,
    OWN_KEY,
    connected,
)
from ansible_collections.homestead.matrix.tests.lab.labs import HOSTNAME, Lab
from changing import change

PEERS = "/etc/homestead/wireguard/peers"
KEYS = "/etc/homestead/secrets"
HOST = "10.71.0.1"


def versions_at(lab: Lab, address: str) -> str:
    """Ask the homeserver by HTTPS at an address of the tunnel."""
    words = f"curl -sS -m 10 --cacert /etc/ssl/lab.pem --resolve '{HOSTNAME}:443:{address}'"
    return lab.shell(CLIENT, f"{words} https://{HOSTNAME}/_matrix/client/versions")


def is_silent(lab: Lab) -> bool:
    words = ["curl", "-s", "-m", "3", "-o", "/dev/null", f"http://{HOST}/"]
    return lab.attempt(CLIENT, *words).returncode == 28


def own_configuration(lab: Lab, made: str) -> str:
    """Write the file of somebody who has a key, from what the host wrote for the other."""
    private = lab.read(CLIENT, OWN_KEY).strip()
    shown = lab.shell("matrix", "wg show wg-matrix allowed-ips")
    others = re.findall(r"^Address = (\S+),", made, re.MULTILINE)
    (address,) = {line.split()[1] for line in shown.splitlines()} - set(others)
    text = re.sub("PrivateKey = .*", f"PrivateKey = {private}", made)
    return re.sub("Address = .*", f"Address = {address}", text)


def through(lab: Lab) -> dict[str, str]:
    """Return the variables of a controller that is in the tunnel: it takes the client's way."""
    jump = " ".join(lab.login(CLIENT, "")[:-2])
    way = f"{jump} -W {HOST}:22 debian@{lab.host_address(CLIENT)}"
    known = f"-o HostKeyAlias={lab.host_address('matrix')}"
    return {"ansible_host": HOST, "ansible_ssh_extra_args": f"-o ProxyCommand='{way}' {known}"}


def ssh_is_open(lab: Lab) -> bool:
    try:
        socket.create_connection((lab.host_address("matrix"), 22), timeout=3).close()
    except OSError:
        return False
    return True


def test_the_private_network(everything: Everything) -> None:
    """Peers reach the host, nobody else, and one that is taken out cannot any more."""
    lab, on = everything.lab, everything.variables
    made = lab.read("matrix", f"{PEERS}/{MADE}.conf")
    made = re.sub("DNS = .*", "", made)
    assert lab.shell("matrix", f"stat -c %a {PEERS}/{MADE}.conf").strip() == "600"
    assert "█" in lab.read("matrix", f"/run/homestead-wireguard/{MADE}.txt")
    six = lab.shell("matrix", "ip -6 -brief address show wg-matrix").split()[2].split("/")[0]
    with connected(lab, made):
        assert '"versions"' in versions_at(lab, HOST)
        assert '"versions"' in versions_at(lab, f"[{six}]")
        only_through_it(lab, on)
    with connected(lab, own := own_configuration(lab, made)):
        assert '"versions"' in versions_at(lab, HOST)
    without = {**on, "wireguard_peers": [{"name": OWN}]}
    assert change(lab, "--tags", "components", **without).status == 0
    for former in (made, own):
        with connected(lab, former):
            assert is_silent(lab)
    left = lab.shell("matrix", f"ls {PEERS} /run/homestead-wireguard {KEYS}")
    assert MADE not in left
    assert left.count(OWN) == 4
    assert change(lab, "--tags", "components", **on).status == 0


def only_through_it(lab: Lab, on: dict[str, object]) -> None:
    """Close ssh to all but the tunnel: not from outside, which would lock the controller out."""
    narrow = {**on, "matrix_private_access": "tunnel"}
    refused = change(lab, "--tags", "firewall", **narrow)
    assert refused.status != 0
    assert "with matrix_private_access 'tunnel', run through the tunnel" in refused.output
    assert ssh_is_open(lab)
    inside = through(lab)
    closed = change(lab, "--tags", "firewall", "--limit", "matrix", **narrow, **inside)
    assert closed.status == 0, closed.output[-4000:]
    assert not ssh_is_open(lab)
    opened = change(lab, "--tags", "firewall", "--limit", "matrix", **on, **inside)
    assert opened.status == 0, opened.output[-4000:]
    assert ssh_is_open(lab)
