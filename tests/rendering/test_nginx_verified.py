# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the verifier says about nginx with the rendered files, and with one fault in them."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.check_web import (
    judge_plaintext,
    judge_redirect,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.clock import judge_clocks
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.hsts import judge_hsts
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.sites import Sites
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.tls_versions import (
    check_versions,
    judge_http,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.recorder import (
    Recorder,
    Site,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import Request
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

    from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

LOCAL, API = "127.0.0.1", "/_matrix/client/versions"
GOOD = {
    "ok certificate.versions",
    "ok web.http_versions",
    "ok web.hsts",
    "ok web.clock",
    "ok web.redirect",
    "ok web.plaintext",
}
OLD_TLS = {
    r"ssl_protocols [^;]+": "ssl_protocols TLSv1 TLSv1.1 TLSv1.2",
    r"ssl_ciphers [^;]+": "ssl_ciphers ALL:@SECLEVEL=0",
}
NO_HTTP2 = {r"http2 on;": "", r" ssl http2\b": " ssl"}
OPEN_API = {r"return 301 [^;]+": """return 200 '{"versions": []}'"""}


async def look(nginx: Nginx) -> list[Finding]:
    """Look at nginx, whose ports are not the usual ones here, as a run does."""
    recorder = Recorder(Network(Guard.parse(["127.0.0.0/8"]), nameservers=[f"{LOCAL}:9"]))
    port = nginx.ports[443]
    site = Site(LOCAL, port, HOSTNAME)
    greeted, _answer, page, api = await asyncio.gather(
        check_versions(recorder, [site]),
        recorder.request(Request(f"https://{HOSTNAME}:{port}{API}", address=LOCAL)),
        *(
            recorder.request(Request(f"http://{HOSTNAME}:{nginx.ports[80]}{path}", address=LOCAL))
            for path in ("/", API)
        ),
    )
    return [
        *greeted,
        *judge_http([site], recorder.greeted, recorder.taken),
        *judge_hsts(recorder.taken, Sites("example.com", HOSTNAME, port), planned=True),
        *judge_clocks(recorder.taken),
        *judge_redirect(page, HOSTNAME, strict=True),
        *judge_plaintext(api),
    ]


@pytest.mark.parametrize(
    ("changes", "better", "worse"),
    [
        pytest.param({}, set(), set(), id="as rendered"),
        pytest.param(
            OLD_TLS,
            {"ok certificate.versions"},
            {"warning certificate.versions"},
            id="old versions of TLS",
        ),
        pytest.param(
            NO_HTTP2, {"ok web.http_versions"}, {"info web.http_versions"}, id="no HTTP/2"
        ),
        pytest.param(
            {r"add_header Strict[^;]+;": ""}, {"ok web.hsts"}, {"warning web.hsts"}, id="no HSTS"
        ),
        pytest.param(
            OPEN_API,
            {"ok web.redirect", "ok web.plaintext"},
            {"warning web.redirect", "error web.plaintext"},
            id="the API on port 80",
        ),
    ],
)
def test_each_fault_of_nginx_is_named_alone(
    tmp_path: Path,
    nginx_certificate: tuple[Path, Path],
    changes: dict[str, str],
    better: set[str],
    worse: set[str],
) -> None:
    tmp_path.chmod(0o755)
    nginx = Nginx(tmp_path)
    role = proxy_role(described(), release=release_of_nginx(), ipv6=False)
    nginx.write(
        {path: _changed(text, changes) for path, text in proxy_files(role).items()},
        nginx_certificate,
    )
    with nginx.running():
        found = asyncio.run(look(nginx))
    assert {f"{finding.verdict} {finding.id}" for finding in found} == GOOD - better | worse


def _changed(text: str, changes: dict[str, str]) -> str:
    for pattern, replacement in changes.items():
        text = re.sub(pattern, replacement, text)
    return text
