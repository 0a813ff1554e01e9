# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which versions of TLS and HTTP a server agrees to (RFC 8996, RFC 7301)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..findings import Check, Finding
from ..together import Sight, together
from ..wire.recorder import Site, Taken
from ..wire.transport import Handshake, Transport

VERSIONS = Check(
    "certificate.versions",
    "certificate",
    "RFC 8996",
    "Let the web server speak TLS 1.2 and 1.3 only (in nginx: ssl_protocols TLSv1.2 TLSv1.3).",
)
HTTP = Check(
    "web.http_versions",
    "web",
    "RFC 7301",
    "Let the web server speak HTTP/1.1 too (http/1.1 in ALPN): other servers use nothing else.",
)
_REFUSED = ("tls", "alpn", "protocol")
_SHOWN = 20


@dataclass(frozen=True)
class Greeted:
    """How one server answers a handshake of today, and one that offers outdated versions only."""

    site: Site
    today: Handshake
    outdated: Handshake

    @property
    def facts(self) -> dict[str, str]:
        outdated = self.outdated.tls_version or str(self.outdated.fault)
        return {"where": str(self.site), "tls_version": self.today.tls_version, "old": outdated}


async def check_versions(transport: Transport, sites: Sequence[Site]) -> list[Finding]:
    """Greet every server in both ways, all at once."""
    return judge_versions(await asyncio.gather(*(_greet(transport, site) for site in sites)))


async def _greet(transport: Transport, site: Site) -> Greeted:
    address, port, name = site.address, site.port, site.name
    today, outdated = await asyncio.gather(
        transport.handshake(address, port, name=name),
        transport.handshake(address, port, name=name, outdated=True),
    )
    return Greeted(site, today, outdated)


def judge_versions(greeted: Iterable[Greeted]) -> list[Finding]:
    """Judge servers that do speak TLS; where none answers, its reach is another finding."""
    alive = [item for item in greeted if not item.today.fault or not item.outdated.fault]
    faults = (
        Sight(str(item.site), finding)
        for item in alive
        if not _is_refused(item)
        for finding in _fault(item)
    )
    findings = together(faults)
    refusing = [item for item in alive if _is_refused(item)]
    if refusing:
        findings.append(_refused(refusing))
    return findings


def _is_refused(item: Greeted) -> bool:
    return item.outdated.fault is not None and item.outdated.fault.kind in _REFUSED


def _fault(item: Greeted) -> Iterator[Finding]:
    """Say that a server accepts an old version, or that this is not known."""
    fault, version = item.outdated.fault, _spelled(item.outdated.tls_version)
    if not fault:
        yield VERSIONS.warning(f"{version} is still accepted by {item.site}.", **item.facts)
    else:
        message = f"TLS 1.0 and 1.1 may be accepted by {item.site}, this is not known: {fault}."
        yield VERSIONS.unknown(message, **item.facts)


def _refused(items: Sequence[Greeted]) -> Finding:
    places = ", ".join(str(item.site) for item in items[:_SHOWN])
    facts = [item.facts for item in items[:_SHOWN]]
    return VERSIONS.ok(f"TLS 1.0 and 1.1 are refused by {places}.", servers=facts)


def judge_http(
    sites: Iterable[Site], greeted: Mapping[Site, Handshake], taken: Sequence[Taken]
) -> list[Finding]:
    """Judge by the answers that came in HTTP/1.1, and by what a browser's handshake chose."""
    found = (_http(site, greeted.get(site), taken) for site in sites)
    return [finding for finding in found if finding]


def _http(site: Site, greeting: Handshake | None, taken: Sequence[Taken]) -> Finding | None:
    """Judge one server; where nothing answered, its reach is another finding."""
    exchanges = [item.exchange for item in taken if item.site == site]
    versions = sorted({item.http_version for item in exchanges if item.status})
    refused = [item.error for item in exchanges if item.error and item.error.kind == "alpn"]
    if not versions:
        message = f"{site} does not speak HTTP/1.1, which other servers use: "
        return HTTP.error(f"{message}{refused[0]}.", where=str(site)) if refused else None
    spoken = " and ".join(versions)
    if greeting and greeting.protocol == "h2":
        message = f"{site} speaks {spoken} and HTTP/2."
        return HTTP.ok(message, where=str(site), tls_version=greeting.tls_version)
    if greeting and not greeting.fault:
        message = f"{site} speaks {spoken}; browsers are faster with HTTP/2."
        return HTTP.info(message, where=str(site), tls_version=greeting.tls_version)
    return HTTP.ok(f"{site} speaks {spoken}.", where=str(site))


def _spelled(version: str) -> str:
    """Write TLSv1.1 as people do."""
    number = version.replace("TLSv", "TLS ")
    return f"{number}.0" if number == "TLS 1" else number
