# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name server of the private network: whom it asks."""

from __future__ import annotations

import ipaddress

from . import values
from .wireguard import Tunnel


def read_upstreams(name: str, value: object, tunnel: Tunnel | None) -> tuple[str, ...]:
    """Read the addresses of name servers; one that is in the tunnel would ask itself."""
    found = [_read_upstream(name, item) for item in values.items(name, value)]
    for address in found:
        if tunnel is not None and address in tunnel.addresses:
            raise ValueError(f"{name} has {address}, the host itself; write other name servers.")
    return tuple(dict.fromkeys(found))


def _read_upstream(name: str, item: object) -> str:
    try:
        return str(ipaddress.ip_address(str(item)))
    except ValueError:
        raise ValueError(
            f"{name} cannot have {item!r}; write addresses of name servers like 192.0.2.53."
        ) from None
