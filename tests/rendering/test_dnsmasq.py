# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role writes for the private network's name server, judged by it and by systemd."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from exposure import assert_low, needs_systemd_analyze
from nginx_rendering import Role, described

DNSMASQ = shutil.which("dnsmasq", path="/usr/sbin:/usr/bin")
UPSTREAMS = ["192.0.2.53", "2001:db8::53"]
DIRECTORY = "/etc/homestead/dnsmasq"


def role(**inputs: Any) -> Role:
    return Role("dnsmasq", matrix_site=described(components=["wireguard", "dnsmasq"], **inputs))


@pytest.fixture
def lists(tmp_path: Path) -> list[str]:
    """Return two block lists, one of each form."""
    (tmp_path / "names").write_text("# ours\nads.example.com\nAds.example.net\n||x^\n")
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n0.0.0.0 ads.example.com _x.example\n")
    return [str(tmp_path / "names"), str(tmp_path / "hosts")]


def blocked(role: Role) -> list[str]:
    return role.render("blocked.conf.j2").splitlines()[1:]


def test_names_of_all_lists_are_blocked_once(lists: list[str]) -> None:
    assert blocked(role(dnsmasq_block_lists=lists)) == [
        "local=/_x.example/",
        "local=/ads.example.com/",
        "local=/ads.example.net/",
    ]
    assert blocked(role()) == []


@pytest.mark.skipif(DNSMASQ is None, reason="dnsmasq is not installed")
@pytest.mark.parametrize("upstreams", [[], UPSTREAMS], ids=["of the host", "given"])
def test_it_takes_what_is_written(upstreams: list[str], lists: list[str], tmp_path: Path) -> None:
    given = role(dnsmasq_upstreams=upstreams, dnsmasq_block_lists=lists, serve_base_domain=True)
    text = given.render("dnsmasq.conf.j2")
    (tmp_path / "dnsmasq.conf").write_text(text.replace(DIRECTORY, str(tmp_path)))
    (tmp_path / "blocked.conf").write_text(given.render("blocked.conf.j2"))
    words = [str(DNSMASQ), "--test", f"--conf-file={tmp_path}/dnsmasq.conf"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_answers_in_the_tunnel_only() -> None:
    lines = role().render("dnsmasq.conf.j2").splitlines()
    listens = [line for line in lines if line.startswith(("interface=", "listen", "except"))]
    assert listens == ["interface=wg-matrix", "except-interface=lo"]
    assert "bind-dynamic" in lines


def test_names_of_the_host_lead_into_the_tunnel() -> None:
    lines = role(serve_base_domain=True).render("dnsmasq.conf.j2").splitlines()
    for name in ("matrix.example.com", "example.com"):
        assert f"interface-name={name},wg-matrix" in lines


def test_whom_it_asks() -> None:
    def asks(**inputs: Any) -> list[str]:
        lines = role(**inputs).render("dnsmasq.conf.j2").splitlines()
        return [line for line in lines if line.startswith(("server", "resolv", "no-resolv"))]

    assert asks() == ["resolv-file=/etc/resolv.conf"]
    assert asks(dnsmasq_upstreams=UPSTREAMS) == [
        "no-resolv",
        *(f"server={address}" for address in UPSTREAMS),
    ]


@needs_systemd_analyze
def test_its_exposure_is_low(tmp_path: Path) -> None:
    assert_low("homestead-dnsmasq.service", role().render("homestead-dnsmasq.service.j2"), tmp_path)
