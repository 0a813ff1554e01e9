# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.certificates import (
    judge_certificate,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Certificate,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.authority import (
    DER,
    Authority,
    Key,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

AUTHORITY = Authority.make()


def judged(certificate: Certificate, *, in_days: float = 0) -> dict[str, str]:
    now = datetime.now(timezone.utc) + timedelta(days=in_days)
    findings = judge_certificate(certificate, name="example.com", where="here", now=now)
    return {f"{item.verdict} {item.id}": item.message for item in findings}


@pytest.mark.parametrize(
    ("names", "fault", "message"),
    [
        (("a.org", "1.2.3.4"), "Hostname mismatch, certificate", "for a.org, 1.2.3.4, not for"),
        (("a.org",), "IP address mismatch, certificate", "it is for a.org, not for example.com"),
        (("a.org",), "certificate has expired", "it expired on 20"),
        (("a.org",), "certificate is not yet valid", "it is valid only from 20"),
        (("a.org",), "unable to get local issuer certificate", "intermediate certificate is miss"),
        (("a.org",), "EE certificate key too weak", "EE certificate key too weak"),
    ],
)
def test_untrusted(names: tuple[str, ...], fault: str, message: str) -> None:
    found = judged(AUTHORITY.issue(*names).seen(fault))
    assert message in found["error certificate.trust"]


def test_self_signed() -> None:
    own = Authority.make().certificate.public_bytes(DER)
    found = judged(Certificate((own,), fault="self-signed certificate"))
    assert "it is self-signed" in found["error certificate.trust"]


@pytest.mark.parametrize(
    ("life", "days", "verdict", "left"),
    [
        pytest.param(90, 30, "ok", "30 more days", id="a third of 90 days"),
        pytest.param(90, 15, "ok", "15 more days", id="a sixth of 90 days"),
        pytest.param(90, 10, "warning", "10 more days", id="less of 90 days"),
        pytest.param(47, 9, "ok", "9 more days", id="a fifth of 47 days"),
        pytest.param(47, 7, "warning", "7 more days", id="a seventh of 47 days"),
        pytest.param(6.67, 6.6, "ok", "6 more days", id="fresh for 6 days"),
        pytest.param(6.67, 2, "ok", "2 more days", id="a third of 6 days"),
        pytest.param(6.67, 1, "warning", "24 more hours", id="the last of 6 days"),
        pytest.param(397, 20, "ok", "20 more days", id="a year, renewed by hand"),
        pytest.param(397, 13, "warning", "13 more days", id="the end of a year"),
    ],
)
def test_life_left(life: float, days: float, verdict: str, left: str) -> None:
    found = judged(AUTHORITY.issue("example.com", days=days, life=life).seen())
    assert set(found) == {
        "ok certificate.trust",
        f"{verdict} certificate.expiry",
        "ok certificate.key",
    }
    assert f"valid for {left}." in found[f"{verdict} certificate.expiry"]


def test_an_expired_certificate_is_one_fault() -> None:
    found = judged(AUTHORITY.issue("example.com", days=-1).seen("certificate has expired"))
    assert set(found) == {"error certificate.trust", "ok certificate.key"}


def strength(certificate: Certificate) -> tuple[str, str]:
    (finding,) = [
        item
        for item in judge_certificate(certificate, name="example.com", where="here")
        if item.id == "certificate.key"
    ]
    return finding.verdict, finding.message


@pytest.mark.parametrize(
    ("key", "verdict", "message"),
    [
        pytest.param(rsa.generate_private_key(65537, 1024), "error", "RSA key of 1024", id="1024"),
        pytest.param(rsa.generate_private_key(65537, 2048), "ok", "RSA key of 2048", id="2048"),
        pytest.param(ec.generate_private_key(ec.SECP384R1()), "ok", "ECDSA key of 384", id="P-384"),
        pytest.param(ed25519.Ed25519PrivateKey.generate(), "ok", "an Ed25519 key.", id="Ed25519"),
    ],
)
def test_key(key: Key, verdict: str, message: str) -> None:
    judged_as, said = strength(AUTHORITY.issue("example.com", key=key).seen())
    assert (judged_as, message in said) == (verdict, True)


_RSA_WITH = bytes.fromhex("06092a864886f70d0101")
"""The beginning of an RSA signature's identifier (RFC 8017 appendix C); one byte names the hash."""


def signed_with(number: int) -> Certificate:
    """Return an RSA certificate whose signature is said to be made with another hash."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.com")])
    key = rsa.generate_private_key(65537, 2048)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    now = datetime.now(timezone.utc)
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=30))
    encoded = builder.sign(key, hashes.SHA256()).public_bytes(DER)
    assert encoded.count(_RSA_WITH + b"\x0b") == 2
    return Certificate((encoded.replace(_RSA_WITH + b"\x0b", _RSA_WITH + bytes([number])),))


@pytest.mark.parametrize(
    ("number", "verdict", "message"),
    [
        pytest.param(4, "error", "signed with MD5", id="MD5"),
        pytest.param(5, "error", "signed with SHA1", id="SHA-1"),
        pytest.param(11, "ok", "RSA key of 2048", id="SHA-256"),
        pytest.param(13, "ok", "RSA key of 2048", id="SHA-512"),
    ],
)
def test_signature(number: int, verdict: str, message: str) -> None:
    judged_as, said = strength(signed_with(number))
    assert (judged_as, message in said) == (verdict, True)


def test_thousands_of_names_stay_out_of_the_report() -> None:
    names = [f"{number}.{'x' * 50}.example.org" for number in range(5000)]
    certificate = AUTHORITY.issue(*names).seen("Hostname mismatch, certificate")
    findings = judge_certificate(certificate, name="example.com", where="here")
    (trust,) = [item for item in findings if item.id == "certificate.trust"]
    assert "and 4980 more, not for example.com" in trust.message
    assert trust.evidence["names_count"] == 5000
    assert max(len(str(item.as_dict())) for item in findings) < 4000


def test_a_name_of_many_letters_is_cut() -> None:
    certificate = AUTHORITY.issue("a" * 60, "x" * 100_000).seen("Hostname mismatch, certificate")
    findings = judge_certificate(certificate, name="example.com", where="here")
    assert max(len(str(item.as_dict())) for item in findings) < 4000


@given(st.lists(st.binary(), max_size=2))
def test_bytes_that_are_no_certificate(chain: list[bytes]) -> None:
    assert set(judged(Certificate(tuple(chain)))) == {"error certificate.trust"}
