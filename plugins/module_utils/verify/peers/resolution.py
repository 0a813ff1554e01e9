# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a server name leads peers (server-server API, Resolving server names)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ...names import SERVER_NAME_ADVISED_LENGTH, ServerName
from ..findings import Check, Finding
from ..redirect_chain import Chain, follow
from ..wire.hosts import authority
from ..wire.transport import DnsAnswer, SrvTarget, Transport
from .delegation import delegated_name

FEDERATION_PORT = 8448
SERVICE_STEPS = ("3.3", "3.4", "4", "5")
"""The steps by which an SRV record leads to other addresses than those of the name."""
TARGETS_LIMIT = 16
ENDPOINTS_LIMIT = 32
QUESTIONS_LIMIT = 2 + 4 * TARGETS_LIMIT
"""How many questions one resolution asks the DNS at most."""
_REFERENCE = "Server-Server API, Resolving server names"

NAME = Check(
    "resolution.server_name",
    "resolution",
    "Appendices, Server Name",
    "Use a lower-case ASCII host name of at most 230 characters, with a port only if you must.",
)
STEP = Check("resolution.step", "resolution", _REFERENCE, "")
ADDRESSES = Check(
    "resolution.addresses",
    "resolution",
    _REFERENCE,
    "Create A and AAAA records for this name at your DNS provider.",
)
LOOKUP = Check(
    "resolution.lookup",
    "resolution",
    _REFERENCE,
    "Ask your DNS provider why this question fails: peers give up here, "
    "because a failure is not the same as a missing record.",
)
DEPRECATED = Check(
    "resolution.srv_deprecated",
    "resolution",
    _REFERENCE,
    "Rename the record to _matrix-fed._tcp, or publish /.well-known/matrix/server instead.",
)
TARGET = Check(
    "resolution.srv_target",
    "resolution",
    "RFC 2782",
    "Let the SRV record point at a name that has A or AAAA records of its own.",
)
MANY = Check("resolution.many", "resolution", _REFERENCE, "")


@dataclass(frozen=True, order=True)
class PeerEndpoint:
    """An address and a port that peers connect to."""

    address: str
    port: int

    def __str__(self) -> str:
        return authority(self.address, self.port)


@dataclass(frozen=True)
class Resolution:
    """The outcome: where to connect, what to say there, and which name the certificate carries."""

    server_name: str
    step: str = ""
    endpoints: tuple[PeerEndpoint, ...] = ()
    host_header: str = ""
    certificate_name: str = ""
    error: str = ""
    chain: Chain | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class _Found:
    """Endpoints, and what was noticed on the way to them."""

    endpoints: tuple[PeerEndpoint, ...] = ()
    findings: tuple[Finding, ...] = ()


async def resolve(transport: Transport, server_name: str) -> Resolution:
    """Take every step of the specification; never raise for what is found."""
    try:
        name = ServerName.parse(server_name)
    except ValueError as error:
        finding = NAME.error(f"The server name is not valid: {error}.", server_name=server_name)
        return Resolution(server_name, error=str(error), findings=(finding,))
    resolution = await _from_name(transport, server_name, name)
    return _concluded(replace(resolution, server_name=server_name), _name_finding(server_name))


async def _from_name(transport: Transport, text: str, name: ServerName) -> Resolution:
    if name.is_literal:
        return _literal("1", text, name)
    if name.port is not None:
        return await _direct(transport, "2", text, name)
    chain = await follow(transport, f"https://{name.host}/.well-known/matrix/server")
    if chain.last.no_route:
        message = f"Where peers go cannot be told from here: {chain.last.request.url} fails: "
        unknown = STEP.unknown(f"{message}{chain.last.error}.")
        return Resolution("", chain=chain, findings=(unknown,))
    delegated = _delegation(chain)
    if delegated is None:
        resolution = await _by_service(transport, ("4", "5", "6"), name)
    elif (target := ServerName.parse(delegated)).is_literal:
        resolution = _literal("3.1", delegated, target)
    elif target.port is not None:
        resolution = await _direct(transport, "3.2", delegated, target)
    else:
        resolution = await _by_service(transport, ("3.3", "3.4", "3.5"), target)
    return replace(resolution, chain=chain)


def _delegation(chain: Chain) -> str | None:
    if not chain.answered:
        return None
    try:
        return delegated_name(chain.last.body)
    except ValueError:
        return None


def _literal(step: str, text: str, name: ServerName) -> Resolution:
    endpoint = PeerEndpoint(name.address, name.port or FEDERATION_PORT)
    return Resolution("", step, (endpoint,), text, name.address)


async def _direct(transport: Transport, step: str, text: str, name: ServerName) -> Resolution:
    found = await _addresses(transport, name.host, name.port or FEDERATION_PORT)
    return Resolution("", step, found.endpoints, text, name.host, findings=found.findings)


async def _by_service(
    transport: Transport, steps: tuple[str, str, str], name: ServerName
) -> Resolution:
    """Look for SRV records, the deprecated name only if the other has none, then use 8448."""
    current, legacy = await asyncio.gather(
        transport.resolve(f"_matrix-fed._tcp.{name.host}", "SRV"),
        transport.resolve(f"_matrix._tcp.{name.host}", "SRV"),
    )
    if current.failed or current.services:
        step, found = steps[0], await _services(transport, "_matrix-fed._tcp", name.host, current)
    elif legacy.failed or legacy.services:
        step, found = steps[1], await _services(transport, "_matrix._tcp", name.host, legacy)
    else:
        return await _direct(transport, steps[2], name.host, name)
    return Resolution("", step, found.endpoints, name.host, name.host, findings=found.findings)


async def _services(transport: Transport, label: str, host: str, answer: DnsAnswer) -> _Found:
    record = f"{label}.{host}"
    if answer.failed:
        message = f"The question for the SRV record {record} ends in {answer.status}."
        return _Found(findings=(LOOKUP.error(message, record=record),))
    ordered = sorted(answer.services, key=lambda service: (service.priority, -service.weight))
    tried = ordered[:TARGETS_LIMIT]
    targets = await asyncio.gather(*(_target(transport, record, item) for item in tried))
    findings = (*_deprecation(label, record), *_many(len(ordered), TARGETS_LIMIT, "SRV records"))
    return _Found(
        _unique(endpoint for target in targets for endpoint in target.endpoints),
        findings + tuple(f for target in targets for f in target.findings),
    )


def _many(count: int, limit: int, what: str) -> tuple[Finding, ...]:
    """Say that not all of them were looked at, if there are too many."""
    if count <= limit:
        return ()
    message = f"The server name leads to more than {limit} {what}; only the first {limit} of them"
    return (MANY.skipped(f"{message} were looked at."),)


def _deprecation(label: str, record: str) -> tuple[Finding, ...]:
    if label != "_matrix._tcp":
        return ()
    return (DEPRECATED.warning(f"Peers find the server by the deprecated SRV record {record}."),)


async def _target(transport: Transport, record: str, service: SrvTarget) -> _Found:
    if service.target in ("", "."):
        message = f"The SRV record {record} says that there is no federation here (target '.')."
        return _Found(findings=(TARGET.error(message, record=record),))
    found = await _addresses(transport, service.target, service.port)
    aliases = (await transport.resolve(service.target, "A")).aliases or (
        await transport.resolve(service.target, "AAAA")
    ).aliases
    if not aliases:
        return found
    message = f"The SRV record {record} points at {service.target}, which is an alias (CNAME)."
    return _Found(findings=(TARGET.error(message, record=record, aliases=list(aliases)),))


async def _addresses(transport: Transport, host: str, port: int) -> _Found:
    """Return every address of a host, IPv4 first; a question that fails is a finding."""
    kinds = ("A", "AAAA")
    answers = await asyncio.gather(transport.resolve(host, "A"), transport.resolve(host, "AAAA"))
    endpoints = _unique(PeerEndpoint(text, port) for answer in answers for text in answer.records)
    judge = LOOKUP.warning if endpoints else LOOKUP.error
    failed = tuple(
        judge(f"The question for the {kind} records of {host} ends in {answer.status}.")
        for kind, answer in zip(kinds, answers)
        if answer.failed
    )
    if endpoints or failed:
        return _Found(endpoints, failed)
    message = f"The name {host} has neither A nor AAAA records."
    return _Found(findings=(ADDRESSES.error(message, host=host),))


def _unique(endpoints: Iterable[PeerEndpoint]) -> tuple[PeerEndpoint, ...]:
    return tuple(dict.fromkeys(endpoints))


def _name_finding(server_name: str) -> Finding:
    if server_name != server_name.lower():
        return NAME.warning(f"The server name {server_name} has upper-case letters.")
    if len(server_name) > SERVER_NAME_ADVISED_LENGTH:
        return NAME.warning(f"The server name has {len(server_name)} characters.")
    return NAME.ok(f"The server name {server_name} is valid.")


def _concluded(resolution: Resolution, name: Finding) -> Resolution:
    """Add the verdict on the way as a whole."""
    resolution = _limited(resolution)
    endpoints = [str(endpoint) for endpoint in resolution.endpoints]
    error = "" if endpoints else _first_error(resolution.findings)
    if error or not endpoints:
        return replace(resolution, error=error, findings=(name, *resolution.findings))
    conclusion = STEP.ok(
        f"Peers find the server by step {resolution.step} at {', '.join(endpoints)}.",
        step=resolution.step,
        connect=endpoints,
        host_header=resolution.host_header,
        certificate_name=resolution.certificate_name,
    )
    return replace(resolution, findings=(name, *resolution.findings, conclusion))


def _limited(resolution: Resolution) -> Resolution:
    endpoints, findings = resolution.endpoints, resolution.findings
    many = _many(len(endpoints), ENDPOINTS_LIMIT, "addresses")
    return replace(resolution, endpoints=endpoints[:ENDPOINTS_LIMIT], findings=(*findings, *many))


def _first_error(findings: tuple[Finding, ...]) -> str:
    return next((finding.message for finding in findings if finding.verdict == "error"), "")
