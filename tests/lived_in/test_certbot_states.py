# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host on which certbot was before: whatever it left, a run ends with what our timer renews.

The host's owner got certificates with `certbot --standalone` for two names: that of the Matrix
server, and one of a shop. Each test puts them into a state in which hosts are found, lets a run
come, makes the new certificate end, and lets the timer's unit renew it from a real ACME server.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import HOSTNAME, Lab
from ansible_collections.homestead.matrix.tests.lab.runs import Run, wait_until
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.authority import (
    PEM,
    Authority,
)
from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

ACME = "https://acme.test:14000/dir"
STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"
SHOP = "shop.test"
LIVE = f"/etc/letsencrypt/live/{HOSTNAME}"
ARCHIVE = f"/etc/letsencrypt/archive/{HOSTNAME}"
RENEWAL = f"/etc/letsencrypt/renewal/{HOSTNAME}.conf"
OURS = "/etc/homestead/certificate/acme"
SERVED = f"/etc/homestead/tls/{HOSTNAME}"
CERTBOT = (
    "REQUESTS_CA_BUNDLE=/etc/ssl/lab.pem certbot --non-interactive --agree-tos "
    f"--register-unsafely-without-email --server {ACME}"
)
TREE = (
    "find /etc/letsencrypt -ls 2>/dev/null; "
    "find /etc/letsencrypt -type f -exec sha256sum {} + 2>/dev/null; :"
)
ROLE = """
- hosts: matrix
  become: true
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: homestead.matrix.certificate}
    - ansible.builtin.import_role: {name: homestead.matrix.certificate, tasks_from: acme}
"""

OWNERS = {
    "made by standalone": "true",
    "made by hand": f"sed -i 's/= standalone/= manual/' {RENEWAL}",
    "by DNS, whose plugin is gone": f"sed -i 's/= standalone/= dns-cloudflare/' {RENEWAL}",
    "by nginx, whose plugin is gone": (
        f"sed -i 's/^authenticator = .*/authenticator = nginx\\ninstaller = nginx/' {RENEWAL}"
    ),
    "by a webroot that is gone": (
        f"sed -i 's|= standalone|= webroot\\nwebroot_path = /srv/gone,|' {RENEWAL}"
    ),
    "with an RSA key": f"cp -r /root/rsa/* {ARCHIVE}; sed -i 's/= ecdsa/= rsa/' {RENEWAL}",
    "under a name with -0001": (
        f"cd /etc/letsencrypt; mv {RENEWAL} renewal/{HOSTNAME}-0001.conf; mv {LIVE} {LIVE}-0001; "
        f"mv {ARCHIVE} {ARCHIVE}-0001; sed -i 's|/{HOSTNAME}|&-0001|' renewal/*-0001.conf"
    ),
    "two for the same name": (
        f"cd /etc/letsencrypt; cp -a {LIVE} live/again; cp -a {ARCHIVE} archive/again; "
        f"sed 's|/{HOSTNAME}|/again|' {RENEWAL} >renewal/again.conf"
    ),
    "revoked": f"cp -r /root/revoked/* {ARCHIVE}",
    "from a test authority": (f"sed -i 's|^server = .*|server = {STAGING}|' {RENEWAL}"),
    "the renewal's configuration is broken": f"echo '[[[ = ' >{RENEWAL}",
    "the renewal's configuration is gone": f"rm {RENEWAL}",
    "the renewal's configuration is empty": f": >{RENEWAL}",
    "links lead nowhere": f"rm -r {ARCHIVE}",
    "files instead of links": (
        f"cd {LIVE}; for f in *.pem; do cp --remove-destination $(readlink -f $f) $f; done"
    ),
    "a directory by hand, unknown to certbot": (
        f"rm -r {ARCHIVE} {RENEWAL} {LIVE}; mkdir {LIVE}; cp /root/ended/* {LIVE}"
    ),
    "it has expired": (
        f"cd /root/ended; cp fullchain.pem {ARCHIVE}/cert1.pem; "
        f"cp fullchain.pem {ARCHIVE}/fullchain1.pem; "
        f"cp privkey.pem {ARCHIVE}/privkey1.pem"
    ),
    "it expires tomorrow": (
        f"cd /root/ends; cp fullchain.pem {ARCHIVE}/cert1.pem; "
        f"cp fullchain.pem {ARCHIVE}/fullchain1.pem; "
        f"cp privkey.pem {ARCHIVE}/privkey1.pem"
    ),
    "it is for other names": f"cp /etc/letsencrypt/archive/{SHOP}/* {ARCHIVE}",
    "accounts are broken": (
        "for f in $(find /etc/letsencrypt/accounts -name '*.json'); do echo '{' >$f; done"
    ),
    "no account": "rm -r /etc/letsencrypt/accounts",
    "settings for everything": (
        "printf 'authenticator = standalone\\npre-hook = systemctl stop nginx\\nserver = https://gone.test/\\n'"
        " >>/etc/letsencrypt/cli.ini"
    ),
    "settings of a plugin that is gone": (
        "echo 'dns-cloudflare-credentials = /root/key' >>/etc/letsencrypt/cli.ini"
    ),
    "a hook that stops the web server": (
        "cd /etc/letsencrypt/renewal-hooks; printf '#!/bin/sh\\nsystemctl stop nginx\\n' >pre/it; "
        "chmod 755 pre/it; cp pre/it deploy"
    ),
    "locks of one that was killed": (
        "for d in /etc /var/lib /var/log; do touch $d/letsencrypt/.certbot.lock; done"
    ),
    "everything is gone": "rm -r /etc/letsencrypt",
    "it is a file": "rm -r /etc/letsencrypt; : >/etc/letsencrypt",
}
"""What makes each state of the owner's files, out of two good lineages."""

OUR_OWN = {
    "it has expired": f"cp /root/ended/* {OURS}/issued",
    "it has expired and is served": f"cp /root/ended/* {OURS}/issued; cp /root/ended/* {SERVED}",
    "it expires tomorrow": f"cp /root/ends/* {OURS}/issued; cp /root/ends/* {SERVED}",
    "it was asked for other names": f"echo '{ACME} {SHOP}' >{OURS}/issued/asked",
    "it was asked of another server": f"sed -i 's|acme.test|gone.test|' {OURS}/issued/asked",
    "it is empty": f": >{OURS}/issued/fullchain.pem",
    "the key is another's": f"cp /root/ends/privkey.pem {OURS}/issued",
    "half a request": f"mv {OURS}/issued {OURS}/new",
    "certbot's files are broken": (
        f"rm -r {OURS}/issued; find {OURS}/certbot -name '*.json' -exec sh -c 'echo >$0' '{{}}' ';'"
    ),
    "certbot's files are gone": f"rm -r {OURS}/certbot {OURS}/issued",
    "everything is gone": f"rm -r {OURS}",
}
"""What befell the collection's own files, by restored backups and hands."""


class OldHost:
    """The host, with what its owner had."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.playbook = folder / "certificate.yml"
        self.playbook.write_text(ROLE)
        self.authority = Authority.make()
        self.ended = 0

    def settle(self) -> None:
        """Let the owner live there, and then the Matrix server's web server come."""
        addresses = ",".join(self.lab.hosts["matrix"]["matrix_addresses"])
        record = f"host-record={SHOP},{addresses}"
        every_time = "[Service]\\nEnvironment=PEBBLE_AUTHZREUSE=0\\n"  # ask the host for its proof
        self.lab.shell(
            "ns",
            f"echo {record} >>/etc/dnsmasq.d/lab.conf; mkdir /run/systemd/system/pebble.service.d; "
            f"printf '{every_time}' >/run/systemd/system/pebble.service.d/proof.conf; "
            "systemctl daemon-reload; systemctl restart dnsmasq pebble; sleep 1",
        )
        install = "apt-get install -qq --no-install-recommends certbot openssl >/dev/null"
        self.shell(f"apt-get update -qq; DEBIAN_FRONTEND=noninteractive {install}")
        for more in (
            f"{HOSTNAME} --cert-name {HOSTNAME}",
            f"{HOSTNAME} --cert-name rsa --key-type rsa",
        ):
            self.shell(f"{CERTBOT} certonly --standalone --duplicate --domains {more}")
        self.shell(
            f"{CERTBOT} certonly --standalone --domains {SHOP}; "
            "mv /etc/letsencrypt/archive/rsa /root/rsa; rm -r /etc/letsencrypt/*/rsa*; "
            f"cp -r {ARCHIVE} /root/revoked; cp -a /etc/letsencrypt /root/before; "
            f"{CERTBOT} certonly --standalone --force-renewal --domains {HOSTNAME}; "
            f"{CERTBOT} revoke --no-delete-after-revoke --cert-path {ARCHIVE}/cert2.pem; "
            f"cd {ARCHIVE}; for f in *2.pem; do cp $f /root/revoked/${{f%2.pem}}1.pem; done"
        )
        self.ended = self.give_pair("/root/ended", days=-1)
        self.give_pair("/root/ends", days=1)
        made = self.lab.play("site", "--tags=certificate,reverse_proxy")
        assert made.status == 0, made.output[-4000:]

    def shell(self, script: str) -> str:
        return self.lab.shell("matrix", script)

    def give_pair(self, folder: str, *, days: float) -> int:
        """Bring the host a certificate of somebody else's, and return its number."""
        issued = self.authority.issue(HOSTNAME, days=days)
        key = issued.key.private_bytes(PEM, PrivateFormat.PKCS8, NoEncryption())
        self.shell(f"mkdir {folder}")
        self.lab.write("matrix", f"{folder}/privkey.pem", key)
        self.lab.write("matrix", f"{folder}/fullchain.pem", issued.certificate.public_bytes(PEM))
        return issued.certificate.serial_number

    def go_back(self) -> None:
        """Have the owner's two good lineages, and no certificate of ours."""
        self.shell(
            f"rm -rf /etc/letsencrypt {OURS} {SERVED}/*; cp -a /root/before /etc/letsencrypt"
        )

    def come(self) -> None:
        """Do what a run does about the certificate, whose other tasks cost more than this."""
        self.shell("homestead-certificate renewed 6 || homestead-certificate renew 6")

    def run(self) -> Run:
        done = self.lab.play(self.playbook)
        assert done.status == 0, done.output[-4000:]
        return done

    def shown(self) -> x509.Certificate:
        """Return the certificate that a stranger sees."""
        anything = ssl.create_default_context()
        anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
        address = self.lab.host_address("matrix")
        with (
            socket.create_connection((address, 443), timeout=10) as plain,
            anything.wrap_socket(plain, server_hostname=HOSTNAME) as secure,
        ):
            shown = secure.getpeercert(binary_form=True)
        assert shown
        return x509.load_der_x509_certificate(shown)

    def assert_fresh(self) -> int:
        """Assert that a stranger sees a new certificate of the ACME server's; return its number."""
        seen = self.shown()
        assert "Pebble Intermediate" in seen.issuer.rfc4514_string()
        names = seen.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [HOSTNAME]
        assert seen.not_valid_after_utc - datetime.now(timezone.utc) > timedelta(days=89)
        return seen.serial_number

    def assert_renews(self) -> None:
        """Assert that the timer's unit renews what is served, once that has ended."""
        before = self.assert_fresh()
        self.shell(f"cp /root/ended/* {OURS}/issued; cp /root/ended/* {SERVED}")
        self.shell("systemctl reload nginx; systemctl start homestead-certificate.service")
        old = {before, self.ended}
        wait_until(lambda: self.shown().serial_number not in old, seconds=10)  # workers come anew
        self.assert_fresh()
        self.shell("systemctl is-enabled --quiet homestead-certificate.timer")
        self.shell("systemctl is-active --quiet homestead-certificate.timer")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OldHost]:
    lab = Lab("certbot")
    lab.up(release=os.environ.get("LAB_RELEASE", "13"), only=("ns", "matrix"))
    try:
        made = OldHost(lab, tmp_path_factory.mktemp("certbot"))
        made.settle()
        yield made
    finally:
        lab.down()


@pytest.mark.parametrize("state", OWNERS)
def test_what_the_owner_has_is_left_alone(host: OldHost, state: str) -> None:
    host.go_back()
    host.shell(OWNERS[state])
    before = host.shell(TREE)
    host.come()
    host.assert_renews()
    assert host.shell(TREE) == before


@pytest.mark.parametrize("state", OUR_OWN)
def test_what_befell_our_own_is_mended(host: OldHost, state: str) -> None:
    host.come()
    host.shell(OUR_OWN[state])
    host.come()
    host.assert_renews()


def test_a_run_renews_what_the_owner_has_and_what_we_had(host: OldHost) -> None:
    host.go_back()
    assert host.run().recap("matrix")["changed"] > 0
    host.assert_renews()
    host.shell(OUR_OWN["it has expired and is served"])
    assert host.run().recap("matrix")["changed"] > 0
    host.assert_fresh()
    assert host.run().recap("matrix")["changed"] == 0


def test_settings_of_openssl_are_the_owners(host: OldHost) -> None:
    """What they add to each request would stand twice in ours."""
    host.shell("cd /etc/ssl; cp -a openssl.cnf before.cnf")
    extension = "[req]\nreq_extensions = all\n[all]\nsubjectAltName = DNS:www.shop.test\n"
    host.shell(f"printf '{extension}' >/etc/ssl/openssl.cnf; rm -rf {OURS}")
    host.come()
    host.assert_renews()
    host.shell("cd /etc/ssl; mv before.cnf openssl.cnf")


def test_the_owners_other_certificate_goes_on_through_the_web_server(host: OldHost) -> None:
    """As docs/certificates.md says: standalone finds port 80 taken."""
    host.go_back()
    host.come()
    renew = f"{CERTBOT} renew --force-renewal --no-random-sleep-on-renew --cert-name {SHOP}"
    assert host.lab.attempt("matrix", "sh", "-c", renew).returncode != 0
    host.shell(
        "DEBIAN_FRONTEND=noninteractive apt-get install -qq python3-certbot-nginx >/dev/null"
    )
    host.shell(f"{CERTBOT} certonly --cert-name {SHOP} --domains {SHOP} --nginx --force-renewal")
    host.shell(renew)
    assert host.run().recap("matrix")["changed"] == 0
    host.assert_renews()


def test_a_server_that_forgot_our_account(host: OldHost) -> None:
    host.lab.shell("ns", "systemctl restart pebble; sleep 1")
    host.assert_renews()


def test_a_server_that_is_away_loses_nothing(host: OldHost) -> None:
    """What is served goes on; what is not due needs no server."""
    host.come()
    before = host.assert_fresh()
    host.lab.shell("ns", "systemctl stop pebble")
    try:
        assert host.run().recap("matrix")["changed"] == 0
        said = host.lab.attempt("matrix", "homestead-certificate", "renew", "1")
        assert b"acme.test" in said.stderr
    finally:
        host.lab.shell("ns", "systemctl start pebble; sleep 1")
    assert host.assert_fresh() == before
    host.assert_renews()
