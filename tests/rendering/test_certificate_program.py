# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that puts certificates in place, run for real in a directory of its own."""

from __future__ import annotations

import grp
import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from nginx_rendering import Role, described

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
        site = described()
        site["certificate"] = {
            **site["certificate"],
            "names": NAMES,
            "directory": str(self.target),
            "group": own_group,
            "reload": ["nginx.service", "coturn.service"],
        }
        given = {"matrix_site": site, "certificate_acme_directory": SERVER}
        text = Role("certificate", **given).render("homestead-certificate.sh.j2")
        self.target.mkdir()
        for place in ("/etc/homestead/certificate", "/run/homestead-certificate"):
            text = text.replace(place, str(self.root))
        self.executable("program", text)
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

    def issue(self, *names: str, days: float, life: float = 90, server: str = SERVER) -> Pair:
        """Write a pair as if this server had issued it when asked for these names."""
        folder = self.root / "acme/issued"
        folder.mkdir(parents=True)
        (folder / "asked").write_text(f"{server} {' '.join(names)}\n")
        made = self.pair(*names, days=days, life=life)
        paths = (folder / "fullchain.pem", folder / "privkey.pem")
        for source, path in zip(made, paths):
            Path(source).rename(path)
        return str(paths[0]), str(paths[1])

    def pair(self, *names: str, days: float = 30, life: float = 90) -> Pair:
        """Write a self-signed certificate for these names, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        stem = f"{'+'.join(names).replace('*', 'all')}{days}"
        chain_path, key_path = self.root / f"{stem}.pem", self.root / f"{stem}.key"
        chain_path.write_bytes(certificate(key, names, days, life).public_bytes(Encoding.PEM))
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        key_path.write_bytes(key.private_bytes(*form))
        return str(chain_path), str(key_path)


def certificate(
    key: ec.EllipticCurvePrivateKey, names: tuple[str, ...], days: float, life: float
) -> x509.Certificate:
    """Return a certificate for `life` days that ends in so many days, or ended before."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    end = datetime.now(tz=timezone.utc) + timedelta(days=days)
    builder = x509.CertificateBuilder(subject, subject, key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(end - timedelta(days=life)).not_valid_after(end)
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


THIRD, SIXTH = "3", "6"


@pytest.mark.parametrize(
    ("life", "days", "part", "renewed"),
    [
        pytest.param(90, 31, THIRD, True, id="more than a third of 90 days"),
        pytest.param(90, 29, THIRD, False, id="less than a third of 90 days"),
        pytest.param(90, 16, SIXTH, True, id="more than a sixth of 90 days"),
        pytest.param(90, 14, SIXTH, False, id="less than a sixth of 90 days"),
        pytest.param(6.67, 3, THIRD, True, id="half of six days"),
        pytest.param(6.67, 2, THIRD, False, id="less than a third of six days"),
        pytest.param(90, -1, SIXTH, False, id="expired"),
        pytest.param(90, 89, "1", False, id="to renew it in any case"),
    ],
)
def test_what_has_little_of_its_life_ahead_is_to_be_renewed(
    program: Program, life: float, days: float, part: str, *, renewed: bool
) -> None:
    pair = program.issue(*NAMES, days=days, life=life)
    program.run("install", *pair)
    for path in ("fullchain.pem", "privkey.pem"):  # an expired one is not installed by itself
        shutil.copy(program.root / "acme/issued" / path, program.target / path)
        (program.target / path).chmod(0o640)
    assert program.true("renewed", part) is renewed


@pytest.mark.parametrize(
    ("names", "server"),
    [
        pytest.param(NAMES[:1], SERVER, id="a name is missing"),
        pytest.param([*NAMES, "www.example.com"], SERVER, id="a name too many"),
        pytest.param(NAMES, f"{SERVER}2", id="another server"),
    ],
)
def test_what_was_asked_for_otherwise_is_to_be_renewed(
    program: Program, names: list[str], server: str
) -> None:
    pair = program.issue(*names, days=80, server=server)
    program.run("install", *pair)
    assert not program.true("renewed", SIXTH)


def test_nothing_was_issued_yet(program: Program) -> None:
    assert not program.true("renewed", SIXTH)


def test_what_was_issued_but_not_installed_is_installed(program: Program) -> None:
    pair = program.issue(*NAMES, days=80)
    assert not program.true("renewed", SIXTH)
    assert program.run("renew", SIXTH).stderr == ""
    assert program.true("renewed", SIXTH)
    assert program.true("installed", *pair)
    assert program.told() == ["reload-or-restart nginx.service"]


@pytest.mark.parametrize("words", [[], ["renew"], ["install", "/one"], ["forget", "/a", "/b"]])
def test_it_says_how_it_is_used(program: Program, words: list[str]) -> None:
    said = program.run(*words)
    assert (said.returncode, said.stderr.startswith("usage: program install")) == (1, True)
