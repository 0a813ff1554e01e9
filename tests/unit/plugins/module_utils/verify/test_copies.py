# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where copies of the documents are looked for."""

from __future__ import annotations

import asyncio

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.scope import Scope
from ansible_collections.homestead.matrix.plugins.module_utils.verify.verification import verify
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    FakeTransport,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    BASE,
    DOMAIN,
    RECORDS,
    page,
    replies,
)


@pytest.mark.parametrize(
    ("base", "copy"),
    [
        pytest.param("https://host.example.com:8443", "https://host.example.com", id="name"),
        pytest.param("https://192.0.2.9", "https://192.0.2.9", id="IPv4"),
        pytest.param("https://[2001:db8::9]:8443", "https://[2001:db8::9]", id="IPv6"),
    ],
)
def test_copies_are_looked_for_on_the_host_of_the_base_url(base: str, copy: str) -> None:
    answers = replies()
    document = page({"m.homeserver": {"base_url": base}})
    transport = FakeTransport(RECORDS, {**answers, f"{BASE}/.well-known/matrix/client": document})
    asyncio.run(verify(transport, Scope(DOMAIN)))
    asked = {request.url for request in transport.requests}
    assert f"{copy}/.well-known/matrix/support" in asked
