# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that puts certificates in place, run for real in a directory of its own."""

from __future__ import annotations

import grp
import os
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from nginx_rendering import Role, described

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["matrix.example.com", "example.com"]
SERVER = "https://acme.example.net/directory"
SYSTEMCTL = """#!/bin/sh
# Only nginx runs; what is asked of it is written down, and it may refuse.
case "$*" in
    *is-active*) [ "$3" = nginx.service ] ;;
    *) echo "$*" >>{told}; [ ! -e {broken} ] ;;
esac
"""

Pair = tuple[str, str]


@dataclass(frozen=True)
class Program:
    """The rendered program, and what it works on."""

    root: Path

    def write(self) -> None:
        own_group = grp.getgrgid(os.getgid()).gr_name
        wish = {
            "names": NAMES,
            "directory": str(self.target),
            "group": own_group,
            "reload": ["nginx.service", "coturn.service"],
        }
        site = {**described(), "certificate": wish}
        text = Role("certificate", matrix_site=site).render("homestead-certificate.sh.j2")
        self.target.mkdir()
        self.executable("program", text.replace("/etc/letsencrypt", str(self.root)))
        fake = SYSTEMCTL.format(told=self.root / "told", broken=self.root / "broken")
        self.executable("systemctl", fake)

    @property
    def target(self) -> Path:
        return self.root / "target"

    def executable(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)
        (self.root / name).chmod(0o755)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.root}:{os.environ['PATH']}"}
        command = [str(self.root / "program"), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def true(self, *words: str) -> bool:
        return self.run(*words).returncode == 0

    def told(self) -> list[str]:
        path = self.root / "told"
        return path.read_text().splitlines() if path.exists() else []

    def pair(self, *names: str, days: int = 30) -> Pair:
        """Write a self-signed certificate for these names, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        stem = f"{'+'.join(names).replace('*', 'all')}{days}"
        chain_path, key_path = self.root / f"{stem}.pem", self.root / f"{stem}.key"
        chain_path.write_bytes(certificate(key, names, days).public_bytes(Encoding.PEM))
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        key_path.write_bytes(key.private_bytes(*form))
        return str(chain_path), str(key_path)


def certificate(
    key: ec.EllipticCurvePrivateKey, names: tuple[str, ...], days: int
) -> x509.Certificate:
    """Return a certificate that ends in so many days, or ended before."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    end = datetime.now(tz=timezone.utc) + timedelta(days=days)
    builder = x509.CertificateBuilder(subject, subject, key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(end - timedelta(days=90)).not_valid_after(end)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    return builder.add_extension(alternatives, critical=False).sign(key, hashes.SHA256())


@pytest.fixture
def program(tmp_path: Path) -> Program:
    made = Program(tmp_path)
    made.write()
    return made


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(NAMES, id="exactly our names"),
        pytest.param(["*.example.com", "example.com"], id="wildcard"),
        pytest.param([*NAMES, "other.example.com"], id="more names"),
    ],
)
def test_a_good_pair_is_put_in_place_and_told(program: Program, names: list[str]) -> None:
    pair = program.pair(*names)
    assert not program.true("installed", *pair)
    assert program.run("install", *pair).stderr == ""
    assert program.true("installed", *pair)
    assert program.told() == ["reload-or-restart nginx.service"]
    assert {path.name: path.stat().st_mode & 0o777 for path in program.target.iterdir()} == {
        "fullchain.pem": 0o640,
        "privkey.pem": 0o640,
    }


def test_another_pair_is_not_installed(program: Program) -> None:
    program.run("install", *program.pair(*NAMES))
    assert not program.true("installed", *program.pair(*NAMES, days=31))


def test_a_key_that_everybody_reads_is_not_installed_well(program: Program) -> None:
    pair = program.pair(*NAMES)
    program.run("install", *pair)
    (program.target / "privkey.pem").chmod(0o644)
    assert not program.true("installed", *pair)


def test_a_unit_that_was_not_told_is_told_later(program: Program) -> None:
    pair = program.pair(*NAMES)
    (program.root / "broken").touch()
    assert "these units do not reload: nginx.service." in program.run("install", *pair).stderr
    assert not program.true("installed", *pair)
    (program.root / "broken").unlink()
    assert program.true("install", *pair)
    assert program.true("installed", *pair)


def bad_pairs(program: Program) -> dict[str, Pair]:
    good, other = program.pair(*NAMES), program.pair(*NAMES, days=31)
    return {
        "is not for example.com.": program.pair(NAMES[0]),
        "has expired.": program.pair(*NAMES, days=-1),
        "does not belong to the certificate": (good[0], other[1]),
        "holds no certificate in PEM form.": (good[1], good[1]),
        "holds no private key in PEM form": (good[0], good[0]),
        "/nowhere holds no certificate": ("/nowhere", good[1]),
    }


def test_a_bad_pair_changes_nothing(program: Program) -> None:
    good = program.pair(*NAMES, days=20)
    program.run("install", *good)
    for sentence, pair in bad_pairs(program).items():
        assert sentence in program.run("install", *pair).stderr
        assert program.true("installed", *good)


def test_a_renewal_is_taken_as_the_acme_server_issued_it(program: Program) -> None:
    pair = program.pair(NAMES[0])
    assert program.true("renew", *pair)
    assert program.true("installed", *pair)


@pytest.mark.parametrize(
    ("names", "server", "issued"),
    [
        pytest.param(NAMES[::-1], SERVER, True, id="our names in another order"),
        pytest.param(NAMES[:1], SERVER, False, id="a name is missing"),
        pytest.param([*NAMES, "www.example.com"], SERVER, True, id="a name that the CA added"),
        pytest.param(NAMES, f"{SERVER}2", False, id="another server"),
    ],
)
def test_it_knows_what_was_issued(
    program: Program, names: list[str], server: str, issued: bool
) -> None:
    (program.root / "renewal").mkdir()
    (program.root / "renewal" / "matrix.example.com.conf").write_text(f"server = {server}\n")
    assert program.true("issued", SERVER, program.pair(*names)[0]) is issued


def test_nothing_was_issued_yet(program: Program) -> None:
    assert not program.true("issued", SERVER, "/nowhere")
