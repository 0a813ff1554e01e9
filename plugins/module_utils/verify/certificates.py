# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a certificate says and whether strangers trust it (server-server API, TLS)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from .findings import Check, Finding
from .wire.transport import Certificate

if TYPE_CHECKING:
    from cryptography import x509

NAMES_SHOWN = 20
_LEFT_ADVISED = timedelta(days=14)
_PART_ADVISED = 6
"""Renewals begin with a third of a certificate's life left: a sixth is late, however long it is."""
_IN_HOURS = timedelta(days=2)
_REFERENCE = "Server-Server API, TLS"
TRUST = Check(
    "certificate.trust",
    "certificate",
    _REFERENCE,
    "Serve an unexpired certificate for this name, with its intermediates (fullchain.pem).",
)
EXPIRY = Check(
    "certificate.expiry",
    "certificate",
    _REFERENCE,
    "Find out why the certificate was not renewed (journalctl --unit homestead-certificate).",
)
KEY = Check(
    "certificate.key",
    "certificate",
    "Server-Server API, TLS",
    "Get a new certificate with a new key: ECDSA (P-256), or RSA with at least 2048 bits.",
)
RSA_BITS = 2048
UNUSUAL = "unusual"
_BROKEN = frozenset({"md5", "sha1"})
_TEXT_SHOWN = 200


@dataclass(frozen=True)
class Facts:
    """The fields of a leaf certificate that verdicts and people need.

    `bits` is 0 for a key of a fixed size, `digest` is empty if the signature needs none.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    serial: str
    key: str
    bits: int
    digest: str

    def days_left(self, now: datetime) -> int:
        return (self.not_after - now).days


def read(certificate: Certificate) -> Facts:
    """Read the leaf certificate or raise ValueError."""
    from cryptography import exceptions, x509

    if not certificate.chain:
        raise ValueError("there is none")
    odd = (x509.DuplicateExtension, x509.UnsupportedGeneralNameType, x509.InvalidVersion)
    try:
        return _read(certificate.chain[0])
    except (*odd, exceptions.UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from None


def _read(encoded: bytes) -> Facts:
    from cryptography import x509

    leaf = x509.load_der_x509_certificate(encoded)
    key, bits = _key_of(leaf)
    return Facts(
        subject=leaf.subject.rfc4514_string(),
        issuer=leaf.issuer.rfc4514_string(),
        names=_names(leaf),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        serial=f"{leaf.serial_number:X}",
        key=key,
        bits=bits,
        digest=_digest_of(leaf),
    )


def _digest_of(leaf: x509.Certificate) -> str:
    """Name the hash of the signature; empty if it has none or an unknown one."""
    from cryptography import exceptions

    try:
        return leaf.signature_hash_algorithm.name if leaf.signature_hash_algorithm else ""
    except exceptions.UnsupportedAlgorithm:
        return ""


def _key_of(leaf: x509.Certificate) -> tuple[str, int]:
    """Name the kind of a key as people do, and its bits if they vary."""
    from cryptography import exceptions
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

    kinds: dict[str, type] = {
        "RSA": rsa.RSAPublicKey,
        "ECDSA": ec.EllipticCurvePublicKey,
        "Ed25519": ed25519.Ed25519PublicKey,
        "Ed448": ed448.Ed448PublicKey,
    }
    try:
        public = leaf.public_key()
    except (exceptions.UnsupportedAlgorithm, ValueError):
        return UNUSUAL, 0
    found = next((name for name, kind in kinds.items() if isinstance(public, kind)), UNUSUAL)
    return found, int(getattr(public, "key_size", 0))


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    dns = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return (*dns, *map(str, addresses))


def judge_certificate(
    certificate: Certificate, *, name: str, where: str, now: datetime | None = None
) -> list[Finding]:
    """Judge trust, name and remaining life of the certificate that `where` shows for a name."""
    now = now or datetime.now(timezone.utc)
    try:
        facts = read(certificate)
    except ValueError as error:
        return [TRUST.error(f"The certificate of {where} cannot be read: {error}.", where=where)]
    evidence = {"where": where, "host": name, **_evidence(certificate, facts, now)}
    return [
        *_trust(certificate, facts, name, evidence),
        *_expiry(facts, now, evidence),
        _key(facts, where),
    ]


def _trust(
    certificate: Certificate, facts: Facts, name: str, evidence: dict[str, Any]
) -> Iterator[Finding]:
    where = evidence["where"]
    if not certificate.fault:
        yield TRUST.ok(f"The certificate of {where} is trusted for {name}.", **evidence)
        return
    reason = _explained(certificate, facts, name)
    yield TRUST.error(f"The certificate of {where} is not trusted: {reason}.", **evidence)


def _explained(certificate: Certificate, facts: Facts, name: str) -> str:
    fault = certificate.fault.lower()
    if "mismatch" in fault:
        return f"it is for {_carried(facts)}, not for {name}"
    if "expired" in fault:
        return f"it expired on {facts.not_after:%Y-%m-%d %H:%M} UTC"
    if "not yet valid" in fault:
        return f"it is valid only from {facts.not_before:%Y-%m-%d %H:%M} UTC"
    if facts.subject == facts.issuer and len(certificate.chain) <= 1:
        return "it is self-signed"
    if "issuer" in fault or "first certificate" in fault:
        return f"its issuer {facts.issuer} is unknown, or an intermediate certificate is missing"
    return certificate.fault.rstrip(".")


def _carried(facts: Facts) -> str:
    """List the names of a certificate, and say how many are not listed."""
    more = len(facts.names) - NAMES_SHOWN
    listed = ", ".join(facts.names[:NAMES_SHOWN]) or "no name"
    return f"{listed[:_TEXT_SHOWN]} and {more} more" if more > 0 else listed[:_TEXT_SHOWN]


def _key(facts: Facts, where: str) -> Finding:
    """Judge the strength of the key, and of the signature on it (RFC 9325 sections 4.4 and 4.5)."""
    kind = f"{facts.key} key of {facts.bits} bits" if facts.bits else f"{facts.key} key"
    if facts.key == "RSA" and facts.bits < RSA_BITS:
        message = f"The certificate of {where} has an {kind}, which is too short."
        return KEY.error(message, where=where)
    if facts.digest in _BROKEN:
        message = (
            f"The certificate of {where} is signed with {facts.digest.upper()}, a broken hash."
        )
        return KEY.error(message, where=where)
    if facts.key == UNUSUAL:
        return KEY.warning(f"The certificate of {where} has a key that few accept.", where=where)
    return KEY.ok(f"The certificate of {where} has an {kind}.", where=where, digest=facts.digest)


def _expiry(facts: Facts, now: datetime, evidence: dict[str, Any]) -> Iterator[Finding]:
    """Warn if little of its life is left; an expired certificate is already an error of trust."""
    left, life = facts.not_after - now, facts.not_after - facts.not_before
    if left < timedelta():
        return
    judge = EXPIRY.warning if left < min(_LEFT_ADVISED, life / _PART_ADVISED) else EXPIRY.ok
    told = (
        f"{left // timedelta(hours=1)} more hours" if left < _IN_HOURS else f"{left.days} more days"
    )
    yield judge(f"The certificate of {evidence['where']} is valid for {told}.")


def _evidence(certificate: Certificate, facts: Facts, now: datetime) -> dict[str, Any]:
    return {
        "subject": facts.subject[:_TEXT_SHOWN],
        "issuer": facts.issuer[:_TEXT_SHOWN],
        "names": [name[:_TEXT_SHOWN] for name in facts.names[:NAMES_SHOWN]],
        "names_count": len(facts.names),
        "serial": facts.serial[:_TEXT_SHOWN],
        "key": f"{facts.key} {facts.bits or ''}".rstrip(),
        "digest": facts.digest,
        "not_before": facts.not_before.isoformat(),
        "not_after": facts.not_after.isoformat(),
        "days_left": facts.days_left(now),
        "chain_length": len(certificate.chain),
        "tls_version": certificate.tls_version,
    }
