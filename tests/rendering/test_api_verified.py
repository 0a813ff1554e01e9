# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the verifier says about a real Synapse with nothing before it, and about nginx's limit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.api.check_api import check_api
from ansible_collections.homestead.matrix.plugins.module_utils.verify.api.media import judge_size
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.scope import Scope
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import Request
from homeserver import running
from nginx_rendering import (
    HOSTNAME,
    NGINX,
    Nginx,
    described,
    proxy_files,
    proxy_role,
    release_of_nginx,
)

if TYPE_CHECKING:
    from pathlib import Path

LOCAL, MIB = "127.0.0.1", 1024 * 1024


def network() -> Network:
    return Network(Guard.parse(["127.0.0.0/8"]), nameservers=[f"{LOCAL}:9"])


def test_synapse_itself(tmp_path: Path) -> None:
    """Whoever passes everything on shows the admin API, and nothing else is wrong."""
    scope = Scope("example.com", expectations=Expectations(registration="invite", max_upload_mb=70))
    with running("invite", tmp_path) as url:
        found = asyncio.run(check_api(network(), scope, url, {}))
    faults = [item for item in found if item.verdict not in ("ok", "info")]
    assert [f"{item.verdict} {item.id}" for item in faults] == ["error exposure.admin_api"]
    seen = faults[0].evidence["exchanges"]
    assert [exchange["status"] for exchange in seen] == [200, 401]
    fine = {item.id for item in found if item.verdict == "ok"}
    assert {"client.media", "client.media_route", "client.upload_size"} <= fine
    assert {"client.auth_metadata", "exposure.metrics"} <= fine


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
@pytest.mark.parametrize(("megabytes", "verdict"), [(2, "ok"), (3, "error")])
def test_limit_of_nginx(
    tmp_path: Path, nginx_certificate: tuple[Path, Path], megabytes: int, verdict: str
) -> None:
    tmp_path.chmod(0o755)
    nginx = Nginx(tmp_path)
    role = proxy_role(described(max_upload_mb=2), release=release_of_nginx(), ipv6=False)
    nginx.write(proxy_files(role), nginx_certificate)
    with nginx.running():
        url = f"https://{HOSTNAME}:{nginx.ports[443]}/_matrix/media/v3/upload"
        request = Request(url, "POST", address=LOCAL, announced=megabytes * MIB)
        exchange = asyncio.run(network().request(request))
    assert judge_size(exchange, megabytes).verdict == verdict
