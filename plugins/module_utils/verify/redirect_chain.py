# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Following redirects hop by hop, within bounds (server-server API, Resolving server names)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urldefrag, urljoin, urlsplit

from .wire.transport import KIB, Exchange, Request, Transport

HOPS_LIMIT = 5
DOCUMENT_LIMIT = 50 * KIB
OK = 200
ORIGIN = ("Origin", "https://stranger.invalid")
"""A page that no server can have on a list: what it may read, every page may (RFC 6761)."""
NOBODY = ("Origin", "null")
HTTPS = 443
# fmt: off
BLOCKED_PORTS = frozenset({
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
    103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
    512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
    995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
    6669, 6679, 6697, 10080,
})
# fmt: on
"""Ports that belong to other protocols (Fetch standard, Port blocking)."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})

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
        if hops[-1].error or hops[-1].status not in REDIRECTS:
            return Chain(tuple(hops))
        target = location(hops[-1])
        if fault := _fault(target, hops):
            return Chain(tuple(hops), fault)
        request = _redirected(request, target)


def _redirected(request: Request, target: str) -> Request:
    """Ask the next address: led to another origin, browsers keep theirs back (Fetch standard)."""
    moved = _origin(request.url) != _origin(target)
    return replace(request, url=target, headers=(NOBODY,) if moved else request.headers)


def _origin(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or HTTPS


def refused_by_browsers(url: str) -> str:
    """Say why browsers do not follow a redirect to this URL (Fetch standard, HTTP fetch)."""
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        return "it carries a user name"
    return f"they never use port {parts.port}" if parts.port in BLOCKED_PORTS else ""


def location(exchange: Exchange) -> str:
    """Return the absolute URL an exchange redirects to, without fragment, if there is one."""
    values = exchange.header("Location")
    if len(set(values)) != 1 or not values[0].isascii():
        return ""
    try:
        # Browsers and peers write a space as it should be (URL standard, path state).
        target = urldefrag(urljoin(exchange.request.url, values[0].strip())).url.replace(" ", "%20")
        is_somewhere = bool(urlsplit(target).hostname) and urlsplit(target).port != 0
    except ValueError:
        return ""
    return target if is_somewhere else ""


def _fault(target: str, hops: list[Exchange]) -> ChainFault:
    if not target:
        return "location"
    if urlsplit(target).scheme != "https":
        return "downgrade"
    if target in {hop.request.url for hop in hops}:
        return "loop"
    return "count" if len(hops) > HOPS_LIMIT else ""
