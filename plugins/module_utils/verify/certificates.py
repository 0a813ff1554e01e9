# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a certificate says and whether strangers trust it (server-server API, TLS)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .findings import Check, Finding
from .transport import Certificate

if TYPE_CHECKING:
    from cryptography import x509

NAMES_SHOWN = 20
DAYS_ADVISED = 14
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
    "Find out why the certificate was not renewed (systemctl status certbot.timer).",
)


@dataclass(frozen=True)
class Facts:
    """The fields of a leaf certificate that verdicts and people need."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime

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
    return Facts(
        subject=leaf.subject.rfc4514_string(),
        issuer=leaf.issuer.rfc4514_string(),
        names=_names(leaf),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
    )


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
    """Judge trust, name and remaining days of the certificate that `where` shows for a name."""
    now = now or datetime.now(timezone.utc)
    try:
        facts = read(certificate)
    except ValueError as error:
        return [TRUST.error(f"The certificate of {where} cannot be read: {error}.", where=where)]
    evidence = {"where": where, **_evidence(certificate, facts, now)}
    return [*_trust(certificate, facts, name, evidence), *_expiry(facts, now, evidence)]


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
        carried = ", ".join(facts.names[:NAMES_SHOWN]) or "no name"
        return f"it is for {carried}, not for {name}"
    if "expired" in fault:
        return f"it expired on {facts.not_after:%Y-%m-%d %H:%M} UTC"
    if "not yet valid" in fault:
        return f"it is valid only from {facts.not_before:%Y-%m-%d %H:%M} UTC"
    if facts.subject == facts.issuer and len(certificate.chain) <= 1:
        return "it is self-signed"
    if "issuer" in fault or "first certificate" in fault:
        return f"its issuer {facts.issuer} is unknown, or an intermediate certificate is missing"
    return certificate.fault.rstrip(".")


def _expiry(facts: Facts, now: datetime, evidence: dict[str, Any]) -> Iterator[Finding]:
    """Warn about the days left; an expired certificate is already an error of trust."""
    days = facts.days_left(now)
    if days < 0:
        return
    judge = EXPIRY.warning if days < DAYS_ADVISED else EXPIRY.ok
    yield judge(f"The certificate of {evidence['where']} is valid for {days} more days.")


def _evidence(certificate: Certificate, facts: Facts, now: datetime) -> dict[str, Any]:
    return {
        "subject": facts.subject[:200],
        "issuer": facts.issuer[:200],
        "names": list(facts.names[:NAMES_SHOWN]),
        "not_before": facts.not_before.isoformat(),
        "not_after": facts.not_after.isoformat(),
        "days_left": facts.days_left(now),
        "chain_length": len(certificate.chain),
        "tls_version": certificate.tls_version,
    }
