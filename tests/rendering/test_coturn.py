# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TURN relay's configuration, judged by coturn itself and by the ports of the table."""

from __future__ import annotations

import ipaddress
import re
import shlex
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from firewall_rendering import in_own_network
from nginx_rendering import Role, described, free_port

TURNSERVER = shutil.which("turnserver")
COMPLAINTS = re.compile(r"bad configuration|error|unknown|cannot|invalid|warning", re.IGNORECASE)
RELEASES = ("12", "13")
PRIVATE = """
0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 169.254.169.254 172.20.0.1 192.168.1.1 255.255.255.255
::1 ::ffff:10.0.0.1 64:ff9b::a00:1 2001::1 2002:a00:1:: fc00::1 fd12::1 fe80::1
"""


def role(release: str = "13", **more: Any) -> Role:
    given = {"coturn_external_ip": [], "coturn_allowed_peers": [], **more}
    return Role("coturn", matrix_site=described(), matrix_host={"release": release}, **given)


def options(release: str = "13", **more: Any) -> dict[str, list[str]]:
    """Return the values of every option of the configuration; a flag has an empty one."""
    lines = role(release, **more).render("turnserver.conf.j2").splitlines()
    found: dict[str, list[str]] = {}
    for line in (line for line in lines if line and not line.startswith("#")):
        name, _unused, value = line.partition("=")
        found.setdefault(name, []).append(value)
    return found


@pytest.mark.skipif(TURNSERVER is None, reason="coturn is not installed")
@pytest.mark.parametrize("release", RELEASES)
def test_coturn_takes_it_without_a_complaint(
    release: str, tmp_path: Path, nginx_certificate: tuple[Path, Path]
) -> None:
    ports = {3478: free_port(), 5349: free_port()}
    text = role(release, coturn_external_ip=["192.0.2.1"]).render("turnserver.conf.j2")
    for own, free in ports.items():
        text = text.replace(f"port={own}\n", f"port={free}\n")
    text = text.replace("\nsyslog\n", "\nlog-file=stdout\n")
    for name, path in zip(("cert", "pkey"), nginx_certificate):
        text = re.sub(rf"^{name}=.*$", f"{name}={path}", text, flags=re.MULTILINE)
    (tmp_path / "turnserver.conf").write_text(f"{text}listening-ip=127.0.0.1\n")
    said = run_until_it_listens(tmp_path, ports[3478])
    assert [line for line in said.splitlines() if COMPLAINTS.search(line)] == []
    assert said.count("Certificate file found") > 0


def run_until_it_listens(root: Path, port: int) -> str:
    """Run coturn until its port answers, and return everything it said."""
    words = [str(TURNSERVER), "-c", str(root / "turnserver.conf"), "--pidfile", str(root / "pid")]
    database = ["--userdb", str(root / "users")]
    with subprocess.Popen(
        [*words, *database], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        wait_for(port)
        process.terminate()
        said, _unused = process.communicate(timeout=20)
    return said


def wait_for(port: int) -> None:
    for _unused in range(200):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)


def test_its_ports_are_those_of_the_table() -> None:
    found = options()
    own = {int(found["listening-port"][0]), int(found["tls-listening-port"][0])}
    relay = (int(found["min-port"][0]), int(found["max-port"][0]))
    table = [port for port in described()["ports"] if port["component"] == "coturn"]
    assert {port["first"] for port in table if port["first"] == port["last"]} == own
    assert {(p["first"], p["last"]) for p in table if p["first"] != p["last"]} == {relay}


@pytest.mark.parametrize(
    ("others", "both"),
    [
        pytest.param("", "49152-49573", id="nobody else's"),
        pytest.param("8080,9148-9150", "8080,9148-9150,49152-49573", id="those of the operator"),
        pytest.param("49500-49600", "49152-49600", id="some of them already"),
    ],
)
def test_the_kernel_keeps_the_relay_ports_free_beside_those_of_others(
    others: str, both: str
) -> None:
    unit = role().render("homestead-relay.service.j2")
    (line,) = re.findall(r"^ExecStart=(/bin/sh .*)$", unit, re.MULTILINE)
    reserve = shlex.split(line)[-1].replace("$$", "$")
    kept = "/proc/sys/net/ipv4/ip_local_reserved_ports"
    script = f"echo {others} >{kept}; {reserve}; {reserve}; cat {kept}"
    assert in_own_network(script, rules="") == f"{both}\n"


@pytest.mark.parametrize("address", PRIVATE.split())
def test_private_peers_are_denied(address: str) -> None:
    assert any(holds(entry, address) for entry in options()["denied-peer-ip"])


@pytest.mark.parametrize("address", ["9.9.9.9", "2a01:4f8::1", "2620:fe::fe", "2001:4860::1"])
def test_public_peers_are_reached(address: str) -> None:
    assert not any(holds(entry, address) for entry in options()["denied-peer-ip"])


def holds(entry: str, address: str) -> bool:
    first, _unused, last = entry.partition("-")
    low, high = ipaddress.ip_address(first), ipaddress.ip_address(last or first)
    wanted = ipaddress.ip_address(address)
    return low.version == wanted.version and int(low) <= int(wanted) <= int(high)


def test_variables_become_options() -> None:
    found = options(
        coturn_external_ip=["192.0.2.1/10.0.0.1"], coturn_allowed_peers=["10.0.0.0-10.0.0.9"]
    )
    assert found["external-ip"] == ["192.0.2.1/10.0.0.1"]
    assert found["allowed-peer-ip"] == ["10.0.0.0-10.0.0.9"]


def test_the_secret_is_the_one_of_the_host() -> None:
    assert options()["static-auth-secret"] == ["@@homestead-secret:turn@@"]


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_but_the_relay_is_offered(release: str) -> None:
    expected = {"use-auth-secret", "no-cli", "no-tcp-relay", "no-multicast-peers", "fingerprint"}
    assert expected <= set(options(release))
    assert {"lt-cred-mech", "no-auth", "allow-loopback-peers"}.isdisjoint(options(release))
