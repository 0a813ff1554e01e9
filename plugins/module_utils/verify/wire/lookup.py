# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions to the DNS, each asked once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from ...names import ServerName
from .transport import DnsAnswer, SrvTarget

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver
    from dns.resolver import Answer as Reply

DNS_PORT = 53
RECORDS_LIMIT = 64
"""How many records of one answer are kept; those who use them say when they use fewer."""


class Lookup:
    """A resolver that remembers its answers; the default name servers are the system's."""

    def __init__(self, nameservers: Sequence[str], *, seconds: float) -> None:
        self._resolver = _resolver(nameservers)
        self._seconds = seconds
        self._asked: dict[tuple[str, str], asyncio.Task[DnsAnswer]] = {}

    async def resolve(self, name: str, kind: Literal["A", "AAAA", "CNAME", "SRV"]) -> DnsAnswer:
        question = (name.lower(), kind)
        if question not in self._asked:
            self._asked[question] = asyncio.create_task(self._ask(name, kind))
        return await asyncio.shield(self._asked[question])

    async def _ask(self, name: str, kind: str) -> DnsAnswer:
        from dns import exception, resolver

        try:
            reply = await self._resolver.resolve(
                name.rstrip(".") + ".",
                kind,
                raise_on_no_answer=False,
                lifetime=self._seconds,
                search=False,
            )
        except resolver.NXDOMAIN:
            return DnsAnswer("nxdomain")
        except exception.Timeout:
            return DnsAnswer("timeout")
        except exception.DNSException as error:
            return DnsAnswer(
                "servfail" if isinstance(error, resolver.NoNameservers) else "nxdomain"
            )
        return answer_of(reply, kind)


def _resolver(nameservers: Sequence[str]) -> Resolver:
    from dns import asyncresolver, nameserver, resolver

    if not nameservers:
        try:
            return asyncresolver.Resolver()
        except resolver.NoResolverConfiguration:
            raise ValueError("this machine has no name server; set nameservers") from None
    chosen = asyncresolver.Resolver(configure=False)
    names = [
        ServerName.parse(f"[{text}]" if text.count(":") > 1 and "[" not in text else text)
        for text in nameservers
    ]
    if wrong := [name.join() for name in names if not name.is_literal]:
        raise ValueError(f"name servers are addresses, not names: {wrong}")
    chosen.nameservers = [
        nameserver.Do53Nameserver(name.address, name.port or DNS_PORT) for name in names
    ]
    return chosen


def answer_of(reply: Reply, kind: str) -> DnsAnswer:
    """Return what dnspython's answer says; of SRV records those of the best priority."""
    aliases = tuple(
        _text(record.target) for alias in reply.chaining_result.cnames for record in alias
    )
    records = list(reply.rrset or ())
    if not records:
        return DnsAnswer("nodata", aliases=aliases)
    if kind == "SRV":
        services = sorted(map(_service, records))[:RECORDS_LIMIT]
        return DnsAnswer("found", services=tuple(services), aliases=aliases)
    records = records[:RECORDS_LIMIT]
    if kind == "CNAME":
        return DnsAnswer("found", records=tuple(_text(record.target) for record in records))
    return DnsAnswer("found", records=tuple(record.address for record in records), aliases=aliases)


def _service(record: Any) -> SrvTarget:
    return SrvTarget(record.priority, record.weight, record.port, _text(record.target))


def _text(name: Any) -> str:
    """Write a name without its last dot; the root stays a dot."""
    text: str = name.to_text(omit_final_dot=True)
    return text
