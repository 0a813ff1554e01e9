# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.certificates import (
    judge_certificate,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.transport import Certificate
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.authority import (
    DER,
    Authority,
)
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
    ("days", "named"),
    [
        (30, {"ok certificate.trust", "ok certificate.expiry"}),
        (10, {"ok certificate.trust", "warning certificate.expiry"}),
    ],
)
def test_days_left(days: int, named: set[str]) -> None:
    assert set(judged(AUTHORITY.issue("example.com", days=days).seen())) == named


def test_an_expired_certificate_is_one_fault() -> None:
    found = judged(AUTHORITY.issue("example.com", days=-1).seen("certificate has expired"))
    assert set(found) == {"error certificate.trust"}


@given(st.lists(st.binary(), max_size=2))
def test_bytes_that_are_no_certificate(chain: list[bytes]) -> None:
    assert set(judged(Certificate(tuple(chain)))) == {"error certificate.trust"}
