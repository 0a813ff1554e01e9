# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of the verifier: everything independent at once, everything dependent in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from ..names import ServerName
from .admitted import admitted
from .api.check_api import check_api
from .calls.check_turn import check_turn
from .causes import explained
from .documents import wellknown
from .documents.check_documents import check_documents
from .elsewhere import Elsewhere
from .findings import SPOKEN, Check, Finding, summarize, worst
from .own_addresses import unproven
from .peers.check_federation import check_federation
from .peers.facts import peers_of
from .peers.families import check_families
from .peers.resolution import Resolution, resolve
from .ports.check_ports import check_ports
from .ports.dns_recursion import check_recursion
from .redirect_chain import Chain, follow
from .scope import Scope
from .web.check_web import check_web, judge_recorded
from .web.pages import check_pages
from .web.sites import base_of, find_sites
from .wire.recorder import Recorder
from .wire.silence import RoundTrips
from .wire.transport import Transport

CLIENT = Check(
    "client.base_url",
    "client",
    "Client-Server API, Server Discovery",
    "Publish /.well-known/matrix/client, by which clients find the server.",
)


_Looked = tuple[list[Finding], Resolution]


@dataclass(frozen=True)
class Verification:
    """The findings of a run, how the server name was resolved, and what peers met there."""

    findings: tuple[Finding, ...]
    resolution: Resolution
    seconds: float = 0.0
    peers: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as the module returns it."""
        return {
            "server_name": self.resolution.server_name,
            "findings": [finding.as_dict() for finding in self.findings],
            "summary": summarize(self.findings),
            "verdict": worst(self.findings),
            "seconds": self.seconds,
            "resolution": {
                "step": self.resolution.step,
                "connect": [str(endpoint) for endpoint in self.resolution.endpoints],
                "host_header": self.resolution.host_header,
                "certificate_name": self.resolution.certificate_name,
                "error": self.resolution.error,
            },
            "peers": dict(self.peers),
        }


async def verify(transport: Transport, scope: Scope) -> Verification:
    """Look at a server as a stranger would."""
    started = time.monotonic()
    recorder = Recorder(transport)
    try:
        name = ServerName.parse(scope.server_name)
    except ValueError:
        resolution = await resolve(recorder, scope.server_name)
        return Verification(resolution.findings, resolution)
    found, resolution = await _look(recorder, scope, name)
    judged = explained(_unique(found), resolution, delegated=bool(scope.expectations.delegation))
    proven = admitted(unproven(judged, recorder.is_here), scope.expectations.private)
    findings = _accepted(proven, scope.ignore)
    peers = await peers_of(recorder, resolution)
    return Verification(findings, resolution, round(time.monotonic() - started, 3), peers)


async def _look(recorder: Recorder, scope: Scope, name: ServerName) -> _Looked:
    """Do every check, and judge at the end what their exchanges tell together."""
    resolving = asyncio.ensure_future(resolve(recorder, scope.server_name))
    discovering = asyncio.ensure_future(follow(recorder, wellknown.url(name.host, "client")))
    locating = asyncio.ensure_future(
        find_sites(recorder, scope, domain=name.host, client=discovering, resolving=resolving)
    )
    trips = RoundTrips(recorder)
    watched = asyncio.ensure_future(_watched(scope, discovering, resolving))
    parts = await asyncio.gather(
        _peers(recorder, resolving),
        check_documents(recorder, scope, name=name, resolving=resolving, client=discovering),
        _clients(recorder, scope, discovering),
        check_turn(recorder, scope.expectations.turn, scope.credentials, allowed=scope.allowed),
        check_ports(recorder, scope.expectations, scope.published, elsewhere=watched, trips=trips),
        check_recursion(recorder, scope.expectations.hostname, trips=trips),
        check_web(recorder, scope, locating),
        check_pages(recorder, scope.expectations.pages),
        check_families(recorder, scope, locating),
    )
    recorded = judge_recorded(recorder, await locating, planned=bool(scope.expectations))
    return [*chain.from_iterable(parts), *recorded], await resolving


async def _peers(transport: Transport, resolving: Awaitable[Resolution]) -> list[Finding]:
    resolution = await resolving
    return [*resolution.findings, *await check_federation(transport, resolution)]


async def _watched(
    scope: Scope, discovering: Awaitable[Chain], resolving: Awaitable[Resolution]
) -> Elsewhere:
    """Tell which ports the other checks look at."""
    base, resolution = base_of(scope, await discovering), await resolving
    return Elsewhere.of(scope.expectations, base=base, resolution=resolution)


async def _clients(
    transport: Transport, scope: Scope, discovering: Awaitable[Chain]
) -> list[Finding]:
    """Look at the base URL that clients find, or else at the planned one."""
    found = await discovering
    base = base_of(scope, found)
    if not base:
        return [CLIENT.unknown("Clients find no base URL, so nothing was looked at there.")]
    return await check_api(transport, scope, base, wellknown.value_of(found))


def _unique(findings: Iterable[Finding]) -> list[Finding]:
    """Drop what two parts saw alike, such as one certificate that serves both."""
    return list({(item.id, item.verdict, item.message): item for item in findings}.values())


def _accepted(findings: Iterable[Finding], ignore: Sequence[str]) -> tuple[Finding, ...]:
    """Keep findings the operator accepts in view, but let them count as information."""
    return tuple(
        finding.counted_as("info", "(accepted)")
        if finding.id in ignore and finding.verdict in SPOKEN
        else finding
        for finding in findings
    )
