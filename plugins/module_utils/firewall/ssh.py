# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ssh connection a run depends on, and whether new rules would let it in again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from .openings import Address, Opening


@dataclass(frozen=True)
class SshSession:
    """One ssh connection, as the host sees it."""

    client: Address
    port: int


def session(text: str) -> SshSession | None:
    """Read the variable SSH_CONNECTION: client address and port, server address and port."""
    fields = text.split()
    if len(fields) != 4:
        return None
    address = ip_address(fields[0].partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return SshSession(client=mapped or address, port=int(fields[3]))


def configured_ports(text: str) -> list[int]:
    """Read the ports from what ``sshd -T`` prints, or systemd for an ``ssh.socket``."""
    found = re.findall(r"^(?:listenaddress |Listen=)\S*:(\d+)\b", text, re.MULTILINE)
    return sorted({int(number) for number in found})


def lockout(
    ports: Sequence[Opening], *, current: SshSession | None, configured: Sequence[int]
) -> str:
    """Say why these ports would lock the controller out; nothing if they would not."""
    client = current.client if current else None
    if current and (reason := _shut([current.port], client=client, ports=ports)):
        return f"The new rules would cut off this very connection: {reason}"
    if configured and (reason := _shut(configured, client=client, ports=ports)):
        return f"The new rules would lock you out as soon as sshd restarts: {reason}"
    return ""


def _shut(numbers: Sequence[int], *, client: Address | None, ports: Iterable[Opening]) -> str:
    names = " and ".join(f"tcp {number}" for number in numbers)
    matching = [
        port for port in ports if port.protocol == "tcp" and any(map(port.includes, numbers))
    ]
    if not matching:
        return f"ssh listens on {names}, which they do not open (see matrix_ssh_port)."
    if not any(port.admits(client) for port in matching):
        how = "see firewall_sources; with matrix_private_access 'tunnel', run through the tunnel"
        return f"they do not open {names} to this controller, {client} ({how})."
    return ""
