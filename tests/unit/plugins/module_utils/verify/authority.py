# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates for tests, made on the spot by an authority of their own."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Union

from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Certificate,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

Key = Union[ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey, rsa.RSAPrivateKey]
PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER
_PLAIN = serialization.NoEncryption()
_FORM = serialization.PrivateFormat.PKCS8


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Authority:
    """An authority, and what it signs."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, name: str = "Test Authority") -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(name), _name(name), key)
        basic = x509.BasicConstraints(ca=True, path_length=None)
        builder = _valid(builder.add_extension(basic, critical=True), days=30)
        return cls(key, builder.sign(key, hashes.SHA256()))

    def issue(
        self, *names: str, days: float = 30, life: float = 90, key: Key | None = None
    ) -> Issued:
        """Issue a certificate for `life` days that end `days` from now, or ended before."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(names[0]), self.certificate.subject, key)
        alternatives = x509.SubjectAlternativeName([_alternative(text) for text in names])
        builder = builder.add_extension(alternatives, critical=False)
        builder = _valid(builder, days=days, life=life)
        return Issued(key, builder.sign(self.key, hashes.SHA256()))

    def write(self, folder: Path) -> str:
        path = folder / "ca.pem"
        path.write_bytes(self.certificate.public_bytes(PEM))
        return str(path)


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    key: Key
    certificate: x509.Certificate

    def seen(self, fault: str = "") -> Certificate:
        """Return the certificate as the transport would show it."""
        return Certificate((self.certificate.public_bytes(DER),), "TLSv1.3", fault)

    def context(self, folder: Path) -> ssl.SSLContext:
        """Return what a server needs to show this certificate."""
        path = folder / f"{self.certificate.serial_number}.pem"
        key = self.key.private_bytes(PEM, _FORM, _PLAIN)
        path.write_bytes(key + self.certificate.public_bytes(PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _builder(subject: x509.Name, issuer: x509.Name, key: Key) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    return builder.public_key(key.public_key()).serial_number(x509.random_serial_number())


def _valid(
    builder: x509.CertificateBuilder, *, days: float, life: float = 90
) -> x509.CertificateBuilder:
    end = datetime.now(timezone.utc) + timedelta(days=days, minutes=1)
    return builder.not_valid_before(end - timedelta(days=life)).not_valid_after(end)


def _alternative(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
