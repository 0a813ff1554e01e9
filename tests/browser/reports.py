# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports as operators get them: of a healthy server, and of one with faults of every kind."""

from __future__ import annotations

import asyncio
from typing import Any

from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.scope import Scope
from ansible_collections.homestead.matrix.plugins.module_utils.verify.verification import verify
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site
from ansible_collections.homestead.matrix.plugins.plugin_utils.handover import (
    page as handover_page,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.handover.handover import (
    handover,
    with_verification,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.merge import merge
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.page import as_html
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.report import Report
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    NO_CONNECTION,
    FakeTransport,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    API,
    BASE,
    DOMAIN,
    KEYS,
    REGISTER,
    Server,
    flows,
    page,
    redirect,
)

HOSTILE = '<script>document.title = "taken"</script><img src=https://third.test/x onerror=alert(1)>'
LONG = "a" * 300


def healthy() -> Report:
    return _report(_looked(Server(), "vantage"))


def faulty() -> Report:
    """Return the report of a server that is broken in many ways, and says nasty things."""
    server = Server()
    well_known = f"{BASE}/.well-known/matrix"
    server.replies[f"{well_known}/client"] = redirect(f"{API}/client")
    server.change(f"{API}/.well-known/matrix/support", body=b'{"contacts": [{"role": "boss"}]}')
    server.replies[KEYS] = NO_CONNECTION
    server.replies[REGISTER] = flows(["m.login.dummy"])
    server.replies[f"{API}/_matrix/client/v3/account/whoami"] = page(b"<html>", 502)
    near, far = _looked(server, "near"), _looked(server, HOSTILE)
    near["findings"] += [_NASTY, _UNKNOWN]
    return _report(near, far)


_NASTY = {
    "id": "turn.nasty",
    "area": "turn",
    "verdict": "error",
    "message": f"It says {HOSTILE} {LONG}",
    "remedy": f"Do not believe {HOSTILE}.",
    "reference": f"RFC {LONG}",
    "evidence": {"banner": HOSTILE, LONG: [LONG, {"deep": [None, True, LONG]}], "lines": "1\n2"},
}
_UNKNOWN = {**_NASTY, "id": "ports.none", "verdict": "unknown", "message": "Nothing is known."}


def _looked(server: Server, vantage: str) -> dict[str, Any]:
    """Return what the verify module returns on a vantage."""
    transport = FakeTransport(server.records, server.replies)
    found = asyncio.run(
        verify(transport, Scope(DOMAIN, expectations=Expectations.of(server.expectations)))
    )
    return {**found.as_dict(), "vantage": vantage}


def _report(*looks: dict[str, Any]) -> Report:
    return merge([Report.of(look, checked_at="2026-01-02T03:04:05Z") for look in looks])


def handed_over() -> str:
    """Return the handover page of a server with faults, a bridge, and texts that take room."""
    given = {
        "components": ["heisenbridge"],
        "bridge_admins": [f"@alice:{DOMAIN}"],
        "extra_ports": [{"protocol": "tcp", "first": 7000, "purpose": f"{HOSTILE} {LONG}"}],
    }
    return handover_page.as_html(with_verification(handover(site(DOMAIN, given)), faulty()))


REPORTS = {"healthy": as_html(healthy()), "faulty": as_html(faulty())}
HANDOVER = "handover"
PAGES = {**REPORTS, "report": REPORTS["faulty"], HANDOVER: handed_over()}
