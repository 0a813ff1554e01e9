# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator changes on a running server comes true, is verified, and can be taken back."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.tests.lab.browsers import browser
from ansible_collections.homestead.matrix.tests.lab.example_component import (
    ARCHIVE,
    collection_with_it,
)
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, HOSTNAME, ROOT, Lab
from ansible_collections.homestead.matrix.tests.lab.relays import PASSWORD, SMTP, Relay, link
from ansible_collections.homestead.matrix.tests.lab.runs import Run, wait_until
from canaries import on_host, read_by_others
from changing import assert_verified_and_settled, change, changes
from cryptography import x509
from mail import Person, sign_up_and_forget_the_password
from sign_ups import Resident, newcomers

ZONE = "/etc/dnsmasq.d/lab.conf"
LEAVES = {name: f"/etc/lab/{HOSTNAME}.{name}" for name in ("crt", "key")}
WRONG = "horse-correct-battery"
CONFIGURATION = "cat /etc/matrix-synapse/homeserver.yaml"
HOLD_PASSWORD = {"/etc/homestead/secrets/smtp", "/etc/matrix-synapse/homeserver.yaml"}
FORMER = ":/^A last reading: protocols without ports"
"""A commit whose collection made servers, by its subject: what somebody may have installed."""


def shown(lab: Lab, port: int = 443) -> x509.Certificate:
    """Return the certificate that a stranger sees."""
    anything = ssl.create_default_context()
    anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((lab.address(HOSTNAME), port), timeout=10) as plain,
        anything.wrap_socket(plain, server_hostname=HOSTNAME) as secure,
    ):
        certificate = secure.getpeercert(binary_form=True)
    assert certificate
    return x509.load_der_x509_certificate(certificate)


@pytest.fixture(scope="module")
def tokens(server: Lab) -> dict[str, str]:
    made = server.module("matrix", "homestead.matrix.registration_token", return_token=True)
    return {"a good token": made["token"]}


def test_a_renewal_reaches_every_service_and_leaves_nothing_to_do(changing: Lab) -> None:
    before = shown(changing).serial_number
    changing.ssh("matrix", "homestead-certificate renew 1")
    now = shown(changing).serial_number
    assert now != before
    wait_until(lambda: shown(changing, 5349).serial_number == now, seconds=10)
    assert changes(changing) == 0


@contextmanager
def base_domain_at_the_matrix_host(lab: Lab) -> Iterator[None]:
    """Let the base domain's name lead to the Matrix host."""
    before = lab.ssh("ns", f"cat {ZONE}")
    addresses = f"{lab.address(HOSTNAME, 4)},{lab.address(HOSTNAME, 6)}"
    after = re.sub(rf"(?m)^host-record={DOMAIN},.*$", f"host-record={DOMAIN},{addresses}", before)
    assert after != before
    lab.write("ns", ZONE, after)
    lab.read_names_again()
    try:
        yield
    finally:
        lab.write("ns", ZONE, before)
        lab.read_names_again()


def assert_told_what_is_wrong(post: Relay) -> None:
    """Ask Postfix itself, at its right ports and at its wrong ones."""
    assert [post.ask(587, "starttls"), post.ask(465, "implicit")] == ["", ""]
    assert "554 5.7.1" in post.ask(587, "starttls", user="")
    assert "certificate that does not hold: self" in post.ask(2587, "starttls")
    assert "offers no STARTTLS at port 2525" in post.ask(2525, "starttls")
    assert "Hostname mismatch" in post.ask(465, "implicit", host="other.test")


@pytest.mark.usefixtures("post")
def test_a_relay_that_says_no_is_found_by_the_run(changing: Lab) -> None:
    """What ran before goes on, and what was wrong is not kept."""
    smtp = {**SMTP, "password": WRONG}
    refused = change(changing, "-vvv", "--diff", "--tags=synapse", matrix_smtp=smtp)
    assert refused.status != 0
    assert "the relay relay.test says: 535 5.7.8 Error: authentication failed" in refused.output
    assert WRONG not in refused.output
    assert "email:" not in changing.ssh("matrix", CONFIGURATION)
    assert changing.ssh("matrix", "systemctl is-active matrix-synapse") == "active\n"


def test_the_base_domain_on_the_same_host_and_registration_by_email(
    changing: Lab, post: Relay, resident: Resident, tokens: dict[str, str]
) -> None:
    """It gets the base domain's certificate, and the documents stand where peers look first.

    The verifier compares the mode with what a stranger is offered.
    """
    registration = {"matrix_registration": "email", "matrix_smtp": SMTP}
    with base_domain_at_the_matrix_host(changing):
        run = assert_verified_and_settled(
            changing, "-vvv", "--diff", matrix_serve_base_domain=True, **registration
        )
        assert PASSWORD not in run.output
        assert on_host(changing, "matrix", {"smtp": PASSWORD}) == HOLD_PASSWORD
        assert read_by_others(changing, "matrix", HOLD_PASSWORD) == set()
        assert f"DNS:{DOMAIN}" in changing.ssh(
            "matrix", f"openssl x509 -in /etc/homestead/tls/{HOSTNAME}/fullchain.pem -noout -text"
        )
        assert newcomers(changing, tokens) == {}
        resident.assert_at_home()
        assert_told_what_is_wrong(post)
        with browser(changing) as page:
            sign_up_and_forget_the_password(Person(changing, post), page)


def test_a_certificate_that_the_host_signs_and_nobody_may_register(changing: Lab) -> None:
    """Nobody trusts it, so the run says so at its end; the server serves with it all the same."""
    variables = {
        "matrix_certificate": "self_signed",
        "matrix_registration": "closed",
        "matrix_registration_terms": {"version": "2026-01", "text": "<p>Be kind.</p>"},
        "matrix_registration_captcha": {"site_key": "public-key", "secret": PASSWORD},
    }
    seen = change(changing, "--diff", **variables)
    assert seen.recap("base")["failed"] == 0
    assert seen.recap("matrix")["failed"] == 1
    said = seen.output.rpartition("PLAY [Prove Matrix servers from outside]")[2]
    assert set(re.findall(r"certificate\.[a-z]+", said)) == {"certificate.trust"}
    verdicts = {item["id"]: item["verdict"] for item in changing.report("report")["findings"]}
    assert verdicts["registration.mode"] == "ok"
    assert shown(changing).issuer.rfc4514_string() == "CN=homestead.matrix self-signed"
    assert changes(changing, **variables) == 0
    enabled = "systemctl is-enabled --quiet {}.timer && echo yes; :"
    assert not changing.shell("matrix", enabled.format("homestead-certificate"))
    assert changing.shell("matrix", enabled.format("certbot"))  # for certificates of the owner's
    assert PASSWORD not in seen.output
    assert PASSWORD not in changing.ssh("matrix", CONFIGURATION)
    page = f"curl --silent --insecure https://{HOSTNAME}/_matrix/consent"
    assert "<p>Be kind.</p>" in changing.shell("vantage", page)


def test_a_certificate_of_the_operators_own_and_everybody_may_register(
    changing: Lab, post: Relay, resident: Resident, tokens: dict[str, str]
) -> None:
    changing.ssh("ns", f"lab-certificate {HOSTNAME} DNS:{HOSTNAME}")
    folder = changing.state / "certificates"  # beside the inventory
    folder.mkdir()
    for name, path in LEAVES.items():
        (folder / name).write_text(changing.ssh("ns", f"cat {path}"))
    assert_verified_and_settled(
        changing,
        matrix_registration="open",
        matrix_registration_open_accepted=True,
        matrix_smtp={**SMTP, "tls": "implicit"},
        matrix_certificate="files",
        certificate_fullchain="certificates/crt",
        certificate_privkey="certificates/key",
    )
    assert shown(changing).issuer.rfc4514_string() == "CN=Authority of the lab"
    assert set(newcomers(changing, tokens)) == {"nothing"}
    resident.assert_at_home()
    reader = Person(changing, post)
    assert reader.asks_for_a_letter("/account/3pid")
    assert HOSTNAME in link(post.letter(reader.address))


EXAMPLE = f"example.{DOMAIN}"
HANDSHAKE = (
    "GET /ws HTTP/1.1",
    f"Host: {EXAMPLE}",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "",
    "",
)
ACCEPTED = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""The key and its answer are those of RFC 6455 section 1.3."""


WHO_AM_I = """
import re, urllib.request
registration = open("/etc/example/example.yaml").read()
token = re.search(r"(?m)^as_token: '?([A-Za-z0-9]+)", registration)[1]
url = "http://127.0.0.1:8008/_matrix/client/v3/account/whoami"
request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
print(urllib.request.urlopen(request).read().decode())
"""


@contextmanager
def example_at_the_matrix_host(lab: Lab) -> Iterator[None]:
    """Let the example's name lead to the Matrix host."""
    record = f"host-record={EXAMPLE},{lab.address(HOSTNAME, 4)},{lab.address(HOSTNAME, 6)}"
    lab.shell("ns", f"echo {record} >>{ZONE}")
    lab.read_names_again()
    try:
        yield
    finally:
        lab.shell("ns", f"sed -i '/^host-record={EXAMPLE},/d' {ZONE}")
        lab.read_names_again()


def example_says(lab: Lab, request: str) -> str:
    """Return what a stranger gets from the example's name over HTTPS."""
    anything = ssl.create_default_context()
    anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((lab.address(HOSTNAME), 443), timeout=10) as plain,
        anything.wrap_socket(plain, server_hostname=EXAMPLE) as secure,
    ):
        secure.sendall(request.encode())
        return b"".join(iter(lambda: secure.recv(4096), b"")).decode()


def get(path: str) -> str:
    return f"GET {path} HTTP/1.1\r\nHost: {EXAMPLE}\r\nConnection: close\r\n\r\n"


def test_a_component_is_one_row_and_one_role(changing: Lab, tmp_path: Path) -> None:
    """It is added and removed by the list alone; what follows from its row follows by itself."""
    key = changing.shell("matrix", ARCHIVE.read_text(encoding="utf-8"))
    installed = {"ANSIBLE_COLLECTIONS_PATH": str(collection_with_it(tmp_path, key))}
    on = '--extra-vars={"matrix_components": ["example"]}'

    def run(*options: str) -> Run:
        done = changing.play_alone("site", *options, environment=installed)
        assert done.status == 0, done.output[-8000:]
        return done

    with example_at_the_matrix_host(changing):
        assert run(on).recap("matrix")["changed"] > 0
        (told,) = changing.report("handover")["parts"]
        assert (told["name"], told["address"]) == ("example", f"https://{EXAMPLE}")
        assert run(on, "--skip-tags=verify").recap("matrix")["changed"] == 0
        assert "example 0.16.0 None /x" in example_says(changing, get("/x"))
        assert "A page of the example." in example_says(changing, get("/page/example-page"))
        assert "M_UNRECOGNIZED" in example_says(changing, get("/private/example-page"))
        assert changing.read("matrix", "/var/lib/example-answer") == "homestead\n"
        assert "None /ws" in example_says(
            changing, get("/ws").replace("close", "close, Upgrade\r\nUpgrade: h2c")
        )
        assert ACCEPTED in example_says(changing, "\r\n".join(HANDSHAKE))
        assert '"org.example"' in changing.ssh("matrix", "cat /var/lib/homestead/well-known/client")
        assert "7000" in changing.ssh("matrix", "nft list ruleset")
        both = "/etc/example/example.yaml /etc/matrix-synapse/appservices/example.yaml"
        changing.ssh("matrix", f"cmp {both}")
        seen = changing.ssh("matrix", "python3 -", WHO_AM_I)
        assert f"@examplebot:{DOMAIN}" in seen
        changing.shell("matrix", "echo gathered >/var/lib/example/data")
        run("--skip-tags=verify", "--extra-vars=matrix_retired_data=remove")
    (copy,) = changing.shell("matrix", "ls -d /var/lib/homestead/retired/*/example").split()
    parts = "find . -type f; cat var/lib/example/data; pg_restore -f- example.dump"
    kept = changing.shell("matrix", f"cd {copy}; {parts}")
    assert "./etc/homestead/secrets/appservice_example_as" in kept
    assert "\ngathered\n" in kept
    assert "PostgreSQL database dump complete" in kept
    gone = "/etc/example /etc/matrix-synapse/appservices/example.yaml /opt/example/current"
    gone += " /etc/apt/sources.list.d/example.sources /var/lib/example"
    look = (
        "nft list ruleset; ss -Hlntu; ls /etc/homestead/secrets; runuser -u postgres -- psql -Atl"
    )
    left = changing.shell("matrix", f"ls -d {gone} 2>/dev/null; {look}")
    assert not re.search(r"example|7000|8900", left)


ANOTHER_SITE = """
- hosts: matrix
  become: true
  gather_facts: false
  tasks:
    - homestead.matrix.service:
        name: another_site
        state: "{{ wished }}"
        files:
          - path: /etc/nginx/conf.d/another.conf
            content: "server { listen 9999; }"
            on_change: {reload: nginx.service}
        validate: [{argv: [/usr/sbin/nginx, -t]}]
"""


def test_a_reload_that_nginx_cannot_do_is_undone(changing: Lab) -> None:
    """A port that is taken passes nginx's own check, and its reload reports success."""
    playbook = changing.state / "another_site.yml"
    playbook.write_text(ANOTHER_SITE)
    holder = changing.begin("matrix", "timeout", "60", "python3", "-m", "http.server", "9999")
    wait_until(lambda: "9999" in changing.shell("matrix", "ss -Hltn"), seconds=20)
    refused = changing.play(playbook, wished="present")
    assert "nginx.service goes on with its former configuration" in refused.output
    assert "Address already in use" in refused.output
    assert "another" not in changing.run("matrix", "ls", "/etc/nginx/conf.d")
    changing.shell("matrix", "pkill -x timeout")
    holder.communicate()
    assert changing.play(playbook, wished="present").changed
    assert "nginx" in changing.shell("matrix", "ss -Hltnp sport = :9999")
    assert changing.play(playbook, wished="absent").changed


def test_the_way_back_to_a_former_release(changing: Lab, tmp_path: Path) -> None:
    """The former release takes over what this one made; at the end of this file this one does."""
    collection = tmp_path / "ansible_collections/homestead/matrix"
    collection.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", FORMER], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"the history of this copy does not have the former release {FORMER}")
    subprocess.run(["tar", "-x", "-C", str(collection)], input=archive.stdout, check=True)
    installed = {"ANSIBLE_COLLECTIONS_PATH": str(tmp_path)}
    # What belongs to another service there is given up by one task and made again by the next run.
    options = ("site", "--skip-tags=verify")
    former = [changing.play_alone(*options, environment=installed) for _run in range(2)]
    for run in former:
        assert run.status == 0, run.output[-8000:]
    assert former[-1].recap("matrix")["changed"] == 0
