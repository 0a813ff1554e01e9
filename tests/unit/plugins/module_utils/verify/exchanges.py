# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exchanges with a server in memory, as they are recorded."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import (
    Finding,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.recorder import (
    Taken,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Exchange,
    Request,
)

HOST, V4, V6 = "matrix.example.com", "192.0.2.2", "2001:db8::2"
PATH = "/_matrix/client/versions"
API = f"https://{HOST}{PATH}"
NOW = 1_800_000_000.0
FEDERATION = f"https://{HOST}:8448/_matrix/key/v2/server"
PLAIN = f"http://{HOST}/"
BASE, OTHER = "https://example.com/.well-known/matrix/client", "198.51.100.1"


def exchange(*headers: tuple[str, str], url: str = API, status: int = 200) -> Exchange:
    return Exchange(Request(url, address=V4), status, headers, address=V4)


def taken(found: Exchange, *, began: float = NOW, seconds: float = 0.2) -> Taken:
    return Taken(found, began, began + seconds)


def verdicts(findings: Iterable[Finding]) -> list[str]:
    return [f"{finding.verdict} {finding.id}" for finding in findings]
