# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan's redirects for other people's web servers, judged by those programs where installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site
from ansible_collections.homestead.matrix.plugins.plugin_utils.plan.operators_plan import plan

PLACES = "/usr/local/sbin:/usr/sbin:/usr/bin"
AROUND = {
    "nginx": (
        "pid {root}/pid; error_log stderr;\nevents {{}}\n"
        "http {{ server {{ listen 8081;\n{it}\n}} }}\n"
    ),
    "caddy": "http://example.com {{\n{it}\nrespond site\n}}\n",
    "apache": (
        "ServerName example.com\nServerRoot /etc/apache2\nPidFile {root}/pid\nErrorLog {root}/log\n"
        "Include mods-available/mpm_event.load\n"
        + "".join(
            f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
            for name in ("authz_core", "alias", "headers")
        )
        + "Listen 8083\n<VirtualHost *:8083>\n{it}\n</VirtualHost>\n"
    ),
}
CHECKS = {
    "nginx": ["nginx", "-t", "-c", "{file}"],
    "caddy": ["caddy", "validate", "--adapter", "caddyfile", "--config", "{file}"],
    "apache": ["apache2", "-t", "-f", "{file}"],
}


@pytest.mark.parametrize(
    "name", [name for name in CHECKS if shutil.which(CHECKS[name][0], path=PLACES)]
)
def test_the_program_takes_its_snippet(name: str, tmp_path: Path) -> None:
    support = {"support_page": "https://example.com/support"}
    snippet = plan(site("example.com", {"support": support}))["snippets"][name]
    file = tmp_path / "configuration"
    file.write_text(AROUND[name].format(root=tmp_path, it=snippet), encoding="utf-8")
    command = [word.format(file=file) for word in CHECKS[name]]
    done = subprocess.run(
        command,
        env={"PATH": PLACES, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
