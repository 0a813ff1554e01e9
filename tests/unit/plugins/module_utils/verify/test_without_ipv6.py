# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A vantage without IPv6: what only IPv6 could show is unknown, and nobody is blamed for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding
from ansible_collections.homestead.matrix.plugins.module_utils.verify.scope import Scope
from ansible_collections.homestead.matrix.plugins.module_utils.verify.verification import verify
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.channels import (
    ClosedChannel,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.hosts import addresses_of
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Channel,
    Connection,
    Exchange,
    Fault,
    Handshake,
    Request,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    FakeTransport,
    Record,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    DOMAIN,
    HOST,
    Server,
)

IPV4 = (Record(DOMAIN, "A", "192.0.2.1"), Record(HOST, "A", "192.0.2.2"))
IPV6 = (Record(DOMAIN, "AAAA", "2001:db8::1"), Record(HOST, "AAAA", "2001:db8::2"))
NO_ROUTE = Fault("no_route", "this machine has no route there")


class WithoutIPv6(FakeTransport):
    """Answers over IPv4 only."""

    async def request(self, request: Request) -> Exchange:
        host = urlsplit(request.url).hostname or ""
        addresses = [request.address] if request.address else await addresses_of(self, host)
        if addresses and all(":" in address for address in addresses):
            return Exchange(request, address=request.address, error=NO_ROUTE)
        return await super().request(request)

    async def connect(
        self, address: str, port: int, *, banner: bool = False, patience: float = 0
    ) -> Connection:
        if ":" in address:
            return Connection("no_route")
        return await super().connect(address, port, banner=banner, patience=patience)

    async def handshake(
        self, address: str, port: int, *, name: str, outdated: bool = False
    ) -> Handshake:
        if ":" in address:
            return Handshake(fault=NO_ROUTE)
        return await super().handshake(address, port, name=name, outdated=outdated)

    @asynccontextmanager
    async def channel(
        self, address: str, port: int, *, kind: Literal["udp", "tcp", "tls"], name: str = ""
    ) -> AsyncIterator[Channel]:
        if ":" in address:
            yield ClosedChannel(NO_ROUTE)
        else:
            async with super().channel(address, port, kind=kind, name=name) as found:
                yield found


def look(*records: Record, **expected: Any) -> tuple[Finding, ...]:
    server = Server()
    transport = WithoutIPv6(records, server.replies, server.handshakes)
    scope = Scope(DOMAIN, expectations=Expectations.of({**server.expectations, **expected}))
    return asyncio.run(verify(transport, scope)).findings


def blamed(findings: tuple[Finding, ...]) -> list[str]:
    """Return what is wrong, but for what the DNS alone tells."""
    return [
        f"{item.verdict} {item.id}: {item.message}"
        for item in findings
        if item.verdict in ("error", "warning") and item.id != "resolution.families"
    ]


PORTS = {"ports": site(DOMAIN, {})["expectations"]["ports"], "turn": {"host": HOST}}


def test_where_everything_is_ipv6_only_nobody_is_blamed() -> None:
    findings = look(*IPV6, **PORTS)
    assert blamed(findings) == []
    unknown = {item.id for item in findings if item.verdict == "unknown"}
    assert unknown >= {"client.reach", "ports.address", "resolution.step", "turn.server"}
    assert unknown >= {f"well_known.{name}.status" for name in ("client", "server", "support")}


@pytest.mark.parametrize("records", [(IPV4[0], IPV6[1]), (IPV6[0], IPV4[1])])
def test_where_one_host_is_ipv6_only_nobody_is_blamed(records: tuple[Record, ...]) -> None:
    assert blamed(look(*records)) == []
