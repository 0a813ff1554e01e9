# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role writes for the name server of the private network."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from nginx_rendering import ROLES, Role, described

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
ANALYZE, DNSMASQ = (shutil.which(each, path=PATH) for each in ("systemd-analyze", "dnsmasq"))
BLOCKED = """# a list in the form of /etc/hosts, and names alone
0.0.0.0 Ads.example.net  # why
:: ads.example.net
tracker.example.org
127.0.0.1 localhost
"""


def role(*lists: Path, **inputs: Any) -> Role:
    given = {"components": ["wireguard", "dnsmasq"], **inputs}
    return Role(
        "dnsmasq",
        matrix_site=described(**given),
        dnsmasq_block_lists=[str(path) for path in lists],
        ansible_search_path=[str(ROLES / "dnsmasq")],
    )


def configuration(*lists: Path, **inputs: Any) -> str:
    return role(*lists, **inputs).render("dnsmasq.conf.j2")


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
def test_its_exposure_is_low(tmp_path: Path) -> None:
    path = tmp_path / "homestead-dnsmasq.service"
    path.write_text(role().render("homestead-dnsmasq.service.j2"))
    words = [str(ANALYZE), "security", "--offline=yes", "--threshold=25", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_listens_in_the_tunnel_only() -> None:
    text = configuration()
    assert "interface=wg-matrix\nexcept-interface=lo\nbind-dynamic\n" in text
    assert "listen-address" not in text


def test_names_of_the_host_lead_into_the_tunnel() -> None:
    text = configuration(serve_base_domain=True)
    assert "\nhost-record=matrix.example.com,10.71.0.1,fd" in text
    assert "\nhost-record=example.com,10.71.0.1,fd" in text


def test_others_are_asked_of_whom_the_operator_says() -> None:
    assert "server=" not in configuration()
    text = configuration(dnsmasq_upstreams=["192.0.2.53", "2001:db8::53"])
    assert "\nno-resolv\nserver=192.0.2.53\nserver=2001:db8::53\n" in text


def test_what_is_listed_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text(BLOCKED)
    lines = [line for line in configuration(tmp_path / "blocked").splitlines() if "local" in line]
    assert lines == ["local=/ads.example.net/", "local=/tracker.example.org/"]


@pytest.mark.skipif(DNSMASQ is None, reason="dnsmasq is not installed")
def test_dnsmasq_takes_it(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text(BLOCKED)
    path = tmp_path / "dnsmasq.conf"
    path.write_text(configuration(tmp_path / "blocked", dnsmasq_upstreams=["192.0.2.53"]))
    subprocess.run([str(DNSMASQ), "--test", f"--conf-file={path}"], check=True)
