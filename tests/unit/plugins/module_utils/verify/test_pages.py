# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
    Page,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.pages import judge
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Exchange,
    Fault,
    Request,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site

URL = "https://jitsi.example.com/"
SERVED, HANDED_ON = Page(URL, "Jitsi Meet", served=True), Page(URL, "Jitsi Meet")
TLS, REFUSED = Fault("tls", "the certificate is for another name"), Fault("refused", "refused")


@pytest.mark.parametrize(
    ("page", "status", "error", "verdict"),
    [
        pytest.param(SERVED, 200, None, "ok", id="the page is there"),
        pytest.param(SERVED, 404, None, "error", id="the page is gone"),
        pytest.param(HANDED_ON, 200, None, "ok", id="the service answers"),
        pytest.param(HANDED_ON, 404, None, "ok", id="the service wants to be asked otherwise"),
        pytest.param(HANDED_ON, 502, None, "error", id="the service is dead"),
        pytest.param(HANDED_ON, 504, None, "error", id="the service hangs"),
        pytest.param(SERVED, 200, TLS, "error", id="the certificate lacks the name"),
        pytest.param(SERVED, 0, REFUSED, "skipped", id="the host is another check's business"),
    ],
)
def test_a_page(page: Page, status: int, error: Fault | None, verdict: str) -> None:
    exchange = Exchange(Request(URL, address="192.0.2.1"), status=status, error=error)
    assert judge(page, exchange).verdict == verdict


def test_the_pages_are_those_of_names_of_components() -> None:
    given = {"components": ["jitsi", "heisenbridge"], "bridge_admins": ["@alice:example.com"]}
    pages = Expectations.of(site("example.com", given)["expectations"]).pages
    assert SERVED in pages
    assert Page(f"{URL}http-bind", "Jitsi Meet") in pages
    assert all(page.url.startswith(URL) for page in pages)
