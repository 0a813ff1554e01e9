# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts in memory: their ports, and what these answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal, Union

from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire import stun
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.channels import (
    ClosedChannel,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Certificate,
    Channel,
    Connection,
    Exchange,
    Fault,
    FaultKind,
    Missing,
    Request,
    anything,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.components import (
    COMPONENTS,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    FakeTransport,
    Record,
)

Speech = Callable[[bytes], bytes]
Port = Union[Speech, FaultKind]
"""What a port answers, or why it does not."""

IPV4 = Record("matrix.example.com", "A", "192.0.2.1")
IPV6 = Record("matrix.example.com", "AAAA", "2001:db8::1")
_STATES: dict[str, Any] = {kind: kind for kind in ("refused", "timeout", "no_route", "private")}


class Spoken:
    """A conversation with a port."""

    certificate: Certificate | None = None
    fault: Fault | None = None
    local = ("192.0.2.99", 40000)

    def __init__(self, speech: Speech) -> None:
        self._speech = speech

    def send(self, payload: bytes) -> None:
        self._speech(payload)

    async def exchange(self, payload: bytes, *, missing: Missing = anything) -> bytes:
        answer = self._speech(payload)
        return answer if missing(answer) == 0 else b""

    async def move(self) -> None:
        """Stay: whoever answers does not look at ports."""

    async def starttls(self, name: str, *, trusting: bool = False) -> Fault | None:
        return Fault("protocol", f"no TLS for {name} here, {trusting}")


class FakeHost(FakeTransport):
    """A host with ports, alike at each of its addresses unless `at` says otherwise."""

    def __init__(
        self,
        ports: Mapping[str, Port],
        *,
        records: tuple[Record, ...] = (IPV4,),
        at: Mapping[str, FaultKind] | None = None,
    ) -> None:
        super().__init__(records)
        self._ports, self._at = ports, at or {}

    def _port(self, address: str, protocol: str, port: int) -> Port:
        return self._at.get(address) or self._ports.get(f"{protocol}-{port}", "refused")

    async def connect(
        self, address: str, port: int, *, banner: bool = False, patience: float = 0
    ) -> Connection:
        found = self._port(address, "tcp", port)
        if isinstance(found, str):
            return Connection(_STATES.get(found, "unreachable"), int(patience))
        return Connection("open", 1, found(b"") if banner else b"")

    async def request(self, request: Request) -> Exchange:
        number = int(request.url.split(":")[2].split("/")[0])
        found = self._port(request.address, "tcp", number)
        if isinstance(found, str):
            return Exchange(request, error=Fault(found, found))
        if found(b"").startswith(b"TLS"):
            return Exchange(request, status=200)
        return Exchange(request, error=Fault("tls", "TLS fails"))

    @asynccontextmanager
    async def channel(
        self, address: str, port: int, *, kind: Literal["udp", "tcp", "tls"], name: str = ""
    ) -> AsyncIterator[Channel]:
        yield conversation(self._port(address, "udp" if kind == "udp" else "tcp", port), name)


def conversation(found: Port, name: str) -> Channel:
    if isinstance(found, str):
        return ClosedChannel(Fault(found, f"{name} {found}"))
    return Spoken(found)


def always(answer: bytes) -> Speech:
    return lambda _question: answer


def speak_stun(question: bytes) -> bytes:
    try:
        request = stun.parse(question)
    except stun.StunError:
        return b""
    return stun.build(stun.Message(stun.Kind.BINDING_SUCCESS, request.transaction))


def speak_dns(question: bytes) -> bytes:
    return question[:2] + b"\x81\x80" + question[4:] if len(question) > 12 else b""


def speak_dns_over_tcp(question: bytes) -> bytes:
    return question[:2] + speak_dns(question[2:])


def speak_dtls(question: bytes) -> bytes:
    return b"\x16\xfe\xff" + bytes(20) if question[0] == 0x16 else b""


def opened(protocol: str, first: int, component: str, **more: Any) -> dict[str, Any]:
    port = {"protocol": protocol, "first": first, "last": first, "purpose": "", "sources": []}
    return {**port, "component": component, **hints(protocol, first, component), **more}


def hints(protocol: str, first: int, component: str) -> dict[str, Any]:
    """Return what the table says of a component's port, or else of one like it."""
    ports = COMPONENTS[component].ports if component in COMPONENTS else ()
    rows = [row for row in ports if row.protocol == protocol]
    rows.sort(key=lambda row: row.first != first)
    names = ("probe", "needed", "inside")
    return {name: getattr(row, name) for row in rows[:1] for name in names}
