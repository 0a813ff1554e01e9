# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What strangers must not reach at the base URL: admin APIs and metrics."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence

from ..answers import MISSING_TOKEN, errcode, object_of, stated, why_unknown
from ..evidence import seen
from ..expectations import PrivatePlace
from ..findings import Check, Finding
from ..redirect_chain import OK
from ..wire.transport import KIB, Exchange, Request, Transport

ADMIN_API = Check(
    "exposure.admin_api",
    "exposure",
    "Synapse documentation, Reverse proxy",
    "Take /_synapse/admin and /_dendrite/admin out of the proxy, or let only addresses of "
    "administrators through; on the host itself the API stays in reach.",
)
METRICS = Check(
    "exposure.metrics",
    "exposure",
    "Synapse documentation, Monitoring with Prometheus",
    "Take the path out of the proxy, or protect it; let Prometheus ask at a private address.",
)
PRIVATE = Check(
    "exposure.private",
    "exposure",
    "",
    "Run homestead.matrix.site again, and look for other rules of the web server for this address; "
    "only matrix_admin_networks and the private network may get an answer there.",
)
_ADMIN_PATHS = (
    "/_synapse/admin/v1/server_version",
    "/_synapse/admin/v2/users",
    "/_dendrite/admin/registrationTokens",
)
_REFUSALS = (403, 404)
_METRICS_PATHS = ("/_synapse/metrics", "/metrics")
_ADMIN_KEYS = frozenset({"server_version", "users", "registration_tokens"})
_TOKEN_CODES = frozenset({MISSING_TOKEN, "M_UNKNOWN_TOKEN"})
_PROMETHEUS = re.compile(rb"^# (?:HELP|TYPE) [A-Za-z_:]", re.MULTILINE)


async def check_exposure(transport: Transport, base_url: str, *, planned: bool) -> list[Finding]:
    """Ask for what only administrators should get, without a token, reading only."""
    paths = (*_ADMIN_PATHS, *_METRICS_PATHS)
    requests = [Request(url=base_url + path, limit=64 * KIB) for path in paths]
    exchanges = await asyncio.gather(*(transport.request(item) for item in requests))
    count = len(_ADMIN_PATHS)
    return [
        judge_admin_api(exchanges[:count], planned=planned),
        judge_metrics(exchanges[count:]),
    ]


def judge_admin_api(exchanges: Sequence[Exchange], *, planned: bool) -> Finding:
    """Judge whether the homeserver itself answers for its admin API."""
    reached = [exchange for exchange in exchanges if _is_admin_api(exchange)]
    if not reached:
        return _hidden(ADMIN_API, exchanges, "The admin API is out of reach for strangers.")
    first = reached[0]
    judge = ADMIN_API.error if planned else ADMIN_API.warning
    return judge(
        f"Strangers reach the admin API: {first.request.url} answers {stated(first)}, "
        "so only a token keeps them out.",
        exchanges=[seen(exchange) for exchange in reached],
    )


def judge_metrics(exchanges: Sequence[Exchange]) -> Finding:
    """Judge whether one of the answers is the text format of Prometheus."""
    shown = [item for item in exchanges if item.status == OK and _PROMETHEUS.search(item.body)]
    if not shown:
        return _hidden(METRICS, exchanges, "Strangers see no metrics.")
    message = f"Everybody can read the metrics at {shown[0].request.url}."
    return METRICS.error(message, exchanges=[seen(exchange) for exchange in shown])


async def check_private(transport: Transport, places: Iterable[PrivatePlace]) -> list[Finding]:
    """Ask where only few may get an answer; the admin API has a finding of its own."""
    asked = [place for place in places if not is_admin_api(place)]
    requests = [Request(url=place.url, limit=64 * KIB) for place in asked]
    exchanges = await asyncio.gather(*(transport.request(item) for item in requests))
    return [judge_private(exchanges, asked)] if asked else []


def is_admin_api(place: PrivatePlace) -> bool:
    """Tell whether it is Synapse's admin API."""
    return place.url.endswith("/_synapse/admin/")


def judge_private(exchanges: Sequence[Exchange], places: Sequence[PrivatePlace]) -> Finding:
    """Judge whether a stranger gets anything but a refusal."""
    reached = [
        (place, exchange)
        for place, exchange in zip(places, exchanges)
        if exchange.status not in _REFUSALS and not why_unknown(exchange)
    ]
    if not reached:
        return _hidden(PRIVATE, exchanges, "Strangers get nothing where only some may.")
    place, first = reached[0]
    return PRIVATE.error(
        f"Strangers get an answer at {place.url} ({place.purpose}), which is for "
        f"{' and '.join(place.networks)} only: {stated(first)}.",
        exchanges=[seen(exchange) for _place, exchange in reached],
    )


def _is_admin_api(exchange: Exchange) -> bool:
    """Whether a homeserver answers: it asks for a token, or gives what was asked for."""
    if exchange.status in (401, 403):
        return errcode(exchange) in _TOKEN_CODES
    return exchange.status == OK and bool(_ADMIN_KEYS & set(object_of(exchange)))


def _hidden(check: Check, exchanges: Sequence[Exchange], message: str) -> Finding:
    for exchange in exchanges:
        if reason := why_unknown(exchange):
            unknown = f"This is not known: {exchange.request.url} {reason}."
            return check.skipped(unknown, exchange=seen(exchange))
    return check.ok(message)
