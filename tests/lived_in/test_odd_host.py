# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with every oddity at once that must not matter: it becomes a verified server all the same.

Its owner hides new files from others (umask 077), lets nothing run from /tmp, wants a password for
sudo, names a locale that does not exist, has taken sftp out of sshd, and lets nobody in but through
another machine. The web server of the base domain has another site, which is its default.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from ansible_collections.homestead.matrix.tests.lab.runs import Run

PASSWORD = "correct horse battery staple"
ODDITIES = r"""
set -e
for part in common-session common-session-noninteractive; do
    echo 'session optional pam_umask.so umask=0077' >>/etc/pam.d/$part
done
mount -o remount,noexec /tmp
echo "debian:$1" | chpasswd
echo 'debian ALL=(ALL) ALL' >/etc/sudoers.d/debian
printf 'LANG=xx_YY.UTF-8\nLC_ALL=xx_YY.UTF-8\n' >>/etc/environment
sed -i '/Subsystem.*sftp/d' /etc/ssh/sshd_config
systemctl restart ssh
"""
OTHER_SITE = """
server {
    listen 80 default_server;
    listen [::]:80 default_server;
    server_name _;
    return 404;
}
"""
MALFORMED = "/etc/apt/sources.list.d/owner.list"


@dataclass(frozen=True)
class OddHost:
    """The lab, and what an operator sets for such a host."""

    lab: Lab
    variables: dict[str, Any]

    def site(self) -> Run:
        return self.lab.play("site", **self.variables)

    def seen(self, command: str) -> str:
        """Return what the operator's own login sees."""
        return self.lab.run("matrix", "su", "-", "debian", "-c", command).strip()


@pytest.fixture(scope="module")
def host() -> Iterator[OddHost]:
    lab = Lab("odd")
    lab.up(release=os.environ.get("LAB_RELEASE", "12"))
    try:
        lab.run("matrix", "sh", "-c", ODDITIES, "sh", PASSWORD)
        lab.write("base", "/etc/nginx/sites-enabled/other", OTHER_SITE)
        lab.run("base", "systemctl", "reload", "nginx")
        yield OddHost(lab, {**_through(lab), "ansible_become_password": PASSWORD})
    finally:
        lab.down()


def _through(lab: Lab) -> dict[str, str]:
    """Let ssh reach the host through the base domain's machine, and no other way."""
    own, between = lab.host_address("matrix"), lab.host_address("base")
    login = f"User debian\nIdentityFile {lab.state}/ssh_key\n"
    known = f"UserKnownHostsFile {lab.state}/known_hosts\n"
    config = lab.state / "ssh_config"
    config.write_text(f"Host {own}\nProxyJump {between}\nHost *\n{login}{known}")
    lab.shell("matrix", f"echo 'AllowUsers debian@{between}' >>/etc/ssh/sshd_config")
    lab.run("matrix", "systemctl", "restart", "ssh")
    return {"ansible_ssh_extra_args": f"-F {config}"}


def test_a_broken_source_of_packages_is_told_in_apts_own_words(host: OddHost) -> None:
    host.lab.write("matrix", MALFORMED, "deb nonsense\n")
    run = host.site()
    host.lab.run("matrix", "rm", MALFORMED)
    assert run.status != 0
    assert f"Malformed entry 1 in list file {MALFORMED}" in run.output


def test_it_becomes_a_verified_server(host: OddHost) -> None:
    run = host.site()
    assert run.status == 0, run.output[-8000:]
    assert host.lab.report("report")["verdict"] not in ("error", "warning")


def test_nothing_changes_the_second_time(host: OddHost) -> None:
    assert host.site().recap("matrix")["changed"] == 0


def test_the_host_was_odd_all_the_while(host: OddHost) -> None:
    assert host.seen("umask") == "0077"
    assert "noexec" in host.lab.run("matrix", "findmnt", "--noheadings", "-o", "OPTIONS", "/tmp")
    assert host.lab.attempt("matrix", "su", "-", "debian", "-c", "sudo -n true").returncode != 0
    assert host.seen("echo $LC_ALL") == "xx_YY.UTF-8"
    assert "sftp" not in host.lab.run("matrix", "sshd", "-T")
    assert "default_server" in host.lab.run("base", "nginx", "-T")
