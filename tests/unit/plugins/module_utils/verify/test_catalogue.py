# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import re

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.catalogue import (
    refuse_unknown,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    Server,
)


@pytest.mark.parametrize(
    "identity",
    [
        pytest.param("certificate.expiry", id="plain"),
        pytest.param("ports.open.tcp-25", id="a port"),
        pytest.param("ports.published.udp-5353", id="a published port"),
        pytest.param("well_known.client.cors", id="a document"),
        pytest.param("turn.tls", id="a way to the relay"),
    ],
)
def test_a_finding_may_have_this_id(identity: str) -> None:
    refuse_unknown([identity])


@pytest.mark.parametrize(
    ("identity", "sentence"),
    [
        pytest.param(
            "certificate.expirey",
            "'certificate.expirey' is not a finding (did you mean 'certificate.expiry'?)",
            id="misspelt",
        ),
        pytest.param(
            "well_known.klient.cors",
            "'well_known.klient.cors' is not a finding (did you mean 'well_known.client.cors'?)",
            id="another document",
        ),
        pytest.param(
            "ports.opened.tcp-25",
            "'ports.opened.tcp-25' is not a finding (did you mean 'ports.open.tcp-25'?)",
            id="misspelt before a port",
        ),
        pytest.param("ports.open.25", "'ports.open.25' is not a finding", id="no protocol"),
        pytest.param("turn.{part}", "'turn.{part}' is not a finding", id="not filled in"),
        pytest.param("", "'' is not a finding", id="empty"),
    ],
)
def test_no_finding_has_this_id(identity: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        refuse_unknown(["certificate.trust", identity])


def test_all_at_once() -> None:
    with pytest.raises(ValueError, match="'one' is not a finding; 'two' is not a finding"):
        refuse_unknown(["one", "two"])


def test_every_finding_of_a_run_can_be_named() -> None:
    refuse_unknown(finding.id for finding in asyncio.run(Server().findings()))
