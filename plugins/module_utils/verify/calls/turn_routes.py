# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A way to a TURN server, and who takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..expectations import TurnRoute, TurnServer
from ..wire.guard import Guard
from ..wire.hosts import authority
from ..wire.transport import Transport
from ..wire.turn_client import Credentials

_LABELS = {"udp": "UDP", "tcp": "TCP", "tls": "TLS", "dtls": "DTLS"}


@dataclass(frozen=True)
class Way:
    """One route to one address."""

    route: TurnRoute
    address: str

    @property
    def version(self) -> int:
        return 6 if ":" in self.address else 4

    @property
    def facts(self) -> dict[str, Any]:
        """Return what the evidence of every finding on this way says."""
        return {"transport": self.route.kind, "address": self.address, "port": self.route.port}

    def __str__(self) -> str:
        return f"over {_LABELS[self.route.kind]} at {authority(self.address, self.route.port)}"


@dataclass(frozen=True)
class Caller:
    """Somebody who may use the relay, and what he knows about it."""

    transport: Transport
    user: Credentials
    expected: TurnServer
    guard: Guard
    expired: Credentials | None = None
