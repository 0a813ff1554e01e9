# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What peers met on their way, as plain data: the forms of other testers are made of it.

No question is asked for it: exchanges come from the recorder, DNS answers from memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterable, Sequence
from typing import Any

from ..answers import object_of
from ..redirect_chain import OK, Chain
from ..strict_json import text_at
from ..wire.hosts import is_address
from ..wire.recorder import Recorder, Taken
from ..wire.transport import Certificate, DnsAnswer, Exchange, Transport
from .caching import kept_seconds, stated_seconds
from .resolution import PeerEndpoint, Resolution
from .signing import decode, is_signed

_CERTIFICATES, _NAMES, _KEYS, _TEXT = 10, 100, 20, 500
_KEYS_SIZE = 16 * 1024
_KEY_BYTES = 32
_MOST_SECONDS = 10**9
_BY_SERVICE = {"3.3": "_matrix-fed", "3.4": "_matrix", "4": "_matrix-fed", "5": "_matrix"}
_NO_SERVICE = ("3.5", "6")


async def peers_of(recorder: Recorder, resolution: Resolution) -> dict[str, Any]:
    """Return how peers get there, and what each address said to them."""
    records = await _services(recorder, resolution)
    names = [record["target"] for record in records] or [resolution.certificate_name]
    return {
        "step": resolution.step,
        "error": resolution.error[:_TEXT],
        "addresses": [str(endpoint) for endpoint in resolution.endpoints],
        "well_known": _well_known(resolution.chain),
        "srv_skipped": resolution.step not in (*_BY_SERVICE, *_NO_SERVICE),
        "srv": records,
        "hosts": await _hosts(recorder, names) if resolution.endpoints else {},
        "endpoints": [
            _endpoint(recorder.taken, resolution, endpoint) for endpoint in resolution.endpoints
        ],
    }


async def _services(transport: Transport, resolution: Resolution) -> list[dict[str, Any]]:
    label = _BY_SERVICE.get(resolution.step)
    if not label:
        return []
    name = f"{label}._tcp.{resolution.certificate_name}"
    answer = await transport.resolve(name, "SRV")
    return [
        {
            "name": name,
            "target": item.target,
            "port": item.port,
            "priority": item.priority,
            "weight": item.weight,
        }
        for item in sorted(answer.services)[:_NAMES]
    ]


async def _hosts(transport: Transport, names: Iterable[str]) -> dict[str, Any]:
    hosts = [name for name in dict.fromkeys(names) if not is_address(name)]
    pairs = await asyncio.gather(
        *(
            asyncio.gather(transport.resolve(name, "A"), transport.resolve(name, "AAAA"))
            for name in hosts
        )
    )
    return {name: _host(name, *answers) for name, answers in zip(hosts, pairs)}


def _host(name: str, *answers: DnsAnswer) -> dict[str, Any]:
    aliases = [alias for answer in answers for alias in answer.aliases]
    return {
        "cname": aliases[-1] if aliases else name,
        "addresses": [address for answer in answers for address in answer.records],
    }


def _well_known(chain: Chain | None) -> dict[str, Any] | None:
    """Return the delegation as it was read, or why there is none; None if nobody asks for one."""
    if chain is None:
        return None
    told = text_at(object_of(chain.last), "m.server") if chain.answered else None
    return {
        "address": chain.hops[0].address,
        "m_server": (told or "")[:_TEXT],
        "error": "" if told else _missing(chain)[:_TEXT],
        "cache_expires_at": _expires(chain.last) if told else 0,
    }


def _expires(exchange: Exchange) -> int:
    now = time.time()
    return int(now + kept_seconds(stated_seconds(exchange.headers, now)))


def _missing(chain: Chain) -> str:
    if chain.fault:
        return f"the redirects lead nowhere ({chain.fault})"
    return _fault(chain.last)["message"] or "m.server is missing or not a text"


def _endpoint(
    taken: Sequence[Taken], resolution: Resolution, endpoint: PeerEndpoint
) -> dict[str, Any]:
    keys = _sent(taken, endpoint, "/_matrix/key/v2/server")
    version = _sent(taken, endpoint, "/_matrix/federation/v1/version")
    certificate = _certificate(keys, version)
    return {
        "address": str(endpoint),
        "keys_fault": _fault(keys),
        "version_fault": _fault(version),
        "certificates": _certificates(certificate),
        "tls_version": certificate.tls_version if certificate else "",
        "trust_fault": certificate.fault[:_TEXT] if certificate else "",
        "version": _version(version),
        "content_type": keys.header("Content-Type")[:2] if keys else [],
        **_judged(object_of(keys) if keys else {}, resolution.server_name),
    }


def _sent(taken: Sequence[Taken], endpoint: PeerEndpoint, path: str) -> Exchange | None:
    """Return what came back from an address for a path of the federation API."""
    for item in taken:
        request = item.exchange.request
        if (request.address, item.port) == (endpoint.address, endpoint.port) and (
            item.secure and request.url.endswith(path)
        ):
            return item.exchange
    return None


def _fault(exchange: Exchange | None) -> dict[str, str]:
    """Tell why an exchange has no JSON object; nothing if it has, be its server trusted or not."""
    if exchange is None:
        return {"kind": "unasked", "message": "it was not asked"}
    if not exchange.whole:
        error = exchange.error
        return {"kind": error.kind if error else "protocol", "message": str(error or "no answer")}
    if exchange.status != OK:
        return {"kind": "status", "message": f"the status is {exchange.status}"}
    if not object_of(exchange):
        return {"kind": "json", "message": "the answer is not a JSON object with content"}
    return {"kind": "", "message": ""}


def _certificate(*exchanges: Exchange | None) -> Certificate | None:
    found = (item.certificate for item in exchanges if item and item.certificate)
    return next(found, None)


def _certificates(certificate: Certificate | None) -> list[dict[str, Any]]:
    chain = certificate.chain[:_CERTIFICATES] if certificate else ()
    return [_summary(encoded) for encoded in chain]


def _summary(encoded: bytes) -> dict[str, Any]:
    """Return the names in one certificate of a chain; only the fingerprint if it is unreadable."""
    from cryptography import exceptions, x509
    from cryptography.x509.oid import NameOID

    facts: dict[str, Any] = {"sha256": hashlib.sha256(encoded).hexdigest()}
    odd = (x509.DuplicateExtension, x509.UnsupportedGeneralNameType, x509.InvalidVersion)
    try:
        parsed = x509.load_der_x509_certificate(encoded)
        subject = parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        issuer = parsed.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        listed = names.get_values_for_type(x509.DNSName)[:_NAMES]
    except x509.ExtensionNotFound:
        listed = []
    except (*odd, exceptions.UnsupportedAlgorithm, ValueError):
        return facts
    common = {"subject": subject, "issuer": issuer}
    told = {key: str(value[0].value)[:_TEXT] if value else "" for key, value in common.items()}
    return {**facts, **told, "names": [name[:_TEXT] for name in listed]}


def _version(exchange: Exchange | None) -> dict[str, str]:
    value = object_of(exchange) if exchange else {}
    told = {key: text_at(value, "server", key) for key in ("name", "version")}
    return {key: text[:_TEXT] for key, text in told.items() if text is not None}


def _judged(keys: dict[str, Any], server_name: str) -> dict[str, Any]:
    """Return the published keys and what was checked of each of them."""
    published = keys.get("verify_keys")
    entries = published if isinstance(published, dict) else {}
    names = sorted(name for name in entries if name.startswith("ed25519:"))[:_KEYS]
    until = keys.get("valid_until_ts")
    milliseconds = until if isinstance(until, int) else 0
    return {
        "keys": keys if len(str(keys)) <= _KEYS_SIZE else {},
        "name_matches": keys.get("server_name") == server_name,
        "seconds_valid": max(min(milliseconds // 1000 - int(time.time()), _MOST_SECONDS), -1),
        "key_checks": {name[:_TEXT]: _key(keys, name) for name in names},
    }


def _key(keys: dict[str, Any], name: str) -> dict[str, Any]:
    """Check one key: its length, and its signature over the answer (appendices, Signing JSON)."""
    text = text_at(keys, "verify_keys", name, "key") or ""
    signature = text_at(keys, "signatures", str(keys.get("server_name")), name) or ""
    facts = {"key": text[:_TEXT], "valid": False, "signed": False}
    try:
        public = decode(text)
        facts["valid"] = len(public) == _KEY_BYTES
        facts["signed"] = bool(facts["valid"]) and is_signed(
            keys, key=public, signature=decode(signature)
        )
    except ValueError:
        return facts
    return facts
