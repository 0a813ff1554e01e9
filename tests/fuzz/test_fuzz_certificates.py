# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of strangers, with flipped bytes and thousands of names."""

from __future__ import annotations

import datetime

from ansible_collections.homestead.matrix.plugins.module_utils.verify import certificates
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Certificate,
)
from ansible_collections.homestead.matrix.tests.fuzz.properties import (
    assert_sound,
    fuzzed,
    value_or_refusal,
)
from ansible_collections.homestead.matrix.tests.fuzz.strategies import TEXTS, mutated
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.authority import (
    DER,
    Authority,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example
from hypothesis import strategies as st

NAME = "example.com"
AUTHORITY = Authority.make()
PLAIN = AUTHORITY.issue(NAME, "192.0.2.1", "2001:db8::1").certificate.public_bytes(DER)
EXPIRED = AUTHORITY.issue("*.example.com", days=-3).certificate.public_bytes(DER)
MANY = AUTHORITY.issue(*(f"n{number}.example.com" for number in range(5000)))
MANY_BYTES = MANY.certificate.public_bytes(DER)


def _odd() -> bytes:
    """Make a certificate with every kind of name, usages, constraints and a long subject."""
    key = ec.generate_private_key(ec.SECP256R1())
    texts = [x509.NameAttribute(x509.NameOID.COMMON_NAME, "é\n<b>\x1b[0m")]
    texts += [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "o" * 60)] * 100
    names: list[x509.GeneralName] = [
        x509.DNSName("a" * 5000),
        x509.RFC822Name("a@example.com"),
        x509.UniformResourceIdentifier("https://example.com"),
        x509.DirectoryName(x509.Name(texts)),
        x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x0c\x01a"),
    ]
    builder = x509.CertificateBuilder().subject_name(x509.Name(texts)).issuer_name(x509.Name(texts))
    builder = builder.public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(datetime.datetime(1950, 1, 1, tzinfo=datetime.timezone.utc))
    builder = builder.not_valid_after(datetime.datetime(9999, 1, 1, tzinfo=datetime.timezone.utc))
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
    must_staple = x509.TLSFeature([x509.TLSFeatureType.status_request])
    builder = builder.add_extension(must_staple, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(DER)


ODD = _odd()
ENCODED = mutated(PLAIN, EXPIRED, ODD)
FAULTS = st.sampled_from(
    [
        "",
        "Hostname mismatch, certificate is not valid for 'example.com'.",
        "certificate has expired",
        "certificate is not yet valid",
        "unable to get local issuer certificate",
        "self-signed certificate",
    ]
)
CHAINS = st.lists(ENCODED, max_size=3).map(tuple)
CERTIFICATES = st.builds(Certificate, CHAINS, TEXTS, FAULTS | TEXTS)


@fuzzed(CERTIFICATES)
@example(Certificate((MANY_BYTES,), "TLSv1.3", "Hostname mismatch"))
@example(Certificate((ODD,), "TLSv1.3", "Hostname mismatch"))
@example(Certificate((PLAIN,) * 1000, "TLSv1.3", "unable to get issuer certificate"))
@example(Certificate((b"\x30\x84\xff\xff\xff\xff",)))
def test_certificates_are_judged(certificate: Certificate) -> None:
    value_or_refusal(certificates.read, certificate)
    assert_sound(certificates.judge_certificate(certificate, name=NAME, where="here"))
