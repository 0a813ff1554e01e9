# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Following redirects hop by hop, within bounds (server-server API, Resolving server names)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urldefrag, urljoin, urlsplit

from .transport import KIB, Exchange, Request, Transport

HOPS_LIMIT = 5
DOCUMENT_LIMIT = 50 * KIB
OK = 200
ORIGIN = ("Origin", "https://app.element.io")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

ChainFault = Literal["", "loop", "downgrade", "count", "location"]


@dataclass(frozen=True)
class Chain:
    """The exchanges from the first URL to the last one, and why following ended early."""

    hops: tuple[Exchange, ...]
    fault: ChainFault = ""

    @property
    def last(self) -> Exchange:
        return self.hops[-1]

    @property
    def arrived(self) -> bool:
        """Whether an answer came over trusted HTTPS on every hop."""
        return not self.fault and not any(hop.error for hop in self.hops)

    @property
    def answered(self) -> bool:
        """Whether there is a document to read."""
        return self.arrived and self.last.status == OK


def first_request(url: str) -> Request:
    """Ask for a document as a browser on another origin would."""
    return Request(url=url, headers=(ORIGIN,), limit=DOCUMENT_LIMIT)


async def follow(transport: Transport, url: str) -> Chain:
    """Get a document, following at most `HOPS_LIMIT` redirects and none twice."""
    hops: list[Exchange] = []
    request = first_request(url)
    while True:
        hops.append(await transport.request(request))
        if hops[-1].error or hops[-1].status not in _REDIRECTS:
            return Chain(tuple(hops))
        target = location(hops[-1])
        if fault := _fault(target, hops):
            return Chain(tuple(hops), fault)
        request = replace(request, url=target)


def location(exchange: Exchange) -> str:
    """Return the absolute URL an exchange redirects to, without fragment, if there is one."""
    values = exchange.header("Location")
    if len(set(values)) != 1 or not values[0].isascii():
        return ""
    try:
        target = urldefrag(urljoin(exchange.request.url, values[0])).url
        return target if urlsplit(target).hostname else ""
    except ValueError:
        return ""


def _fault(target: str, hops: list[Exchange]) -> ChainFault:
    if not target:
        return "location"
    if urlsplit(target).scheme != "https":
        return "downgrade"
    if target in {hop.request.url for hop in hops}:
        return "loop"
    return "count" if len(hops) > HOPS_LIMIT else ""
