# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates with one fault each, signed on the spot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Union

from ansible_collections.homestead.matrix.tests.lab.labs import HOSTNAME
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.authority import (
    PEM,
    Authority,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

Key = Union[ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey]


@dataclass(frozen=True)
class Shape:
    """What a certificate is like; the defaults are healthy."""

    names: tuple[str, ...] = (HOSTNAME,)
    days: float = 60
    begins: float = -10
    rsa_bits: int = 0
    issuer: str = "authority"
    """`authority`, `itself`, `stranger`, or `intermediate`, which is not sent along."""


@dataclass(frozen=True)
class Pair:
    """What a web server reads: the chain and the key, in PEM."""

    chain: str
    key: str


def make(authority: Authority, shape: Shape) -> Pair:
    """Sign a certificate of this shape."""
    key = _key(shape)
    issuers = {
        "authority": lambda: (authority.certificate.subject, authority.key),
        "itself": lambda: (_named(shape.names[0]), key),
        "stranger": lambda: _issuer(Authority.make("Nobody's authority")),
        "intermediate": lambda: (_named("Intermediate"), ec.generate_private_key(ec.SECP256R1())),
    }
    issuer, signer = issuers[shape.issuer]()
    leaf = _leaf(shape, key, issuer).sign(signer, hashes.SHA256())
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Pair(leaf.public_bytes(PEM).decode(), key.private_bytes(PEM, *form).decode())


def _key(shape: Shape) -> Key:
    if shape.rsa_bits:
        return rsa.generate_private_key(public_exponent=65537, key_size=shape.rsa_bits)
    return ec.generate_private_key(ec.SECP256R1())


def _issuer(authority: Authority) -> tuple[x509.Name, Key]:
    return authority.certificate.subject, authority.key


def _leaf(shape: Shape, key: Key, issuer: x509.Name) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    names = x509.SubjectAlternativeName([x509.DNSName(name) for name in shape.names])
    return (
        x509.CertificateBuilder()
        .subject_name(_named(shape.names[0]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=shape.begins))
        .not_valid_after(now + timedelta(days=shape.days))
        .add_extension(names, critical=False)
    )


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
