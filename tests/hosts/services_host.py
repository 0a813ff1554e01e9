# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bare lab host on which Debian's dnsmasq, Postfix and oidentd run, and a stranger to it."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import dataclass
from ipaddress import ip_interface, ip_network
from pathlib import Path
from typing import Literal

from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports.check_ports import (
    check_ports,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports.dns_recursion import (
    check_recursion,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    DnsAnswer,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.ports import (
    component_ports,
)
from ansible_collections.homestead.matrix.tests.lab.labs import HOSTNAME, Lab

HOST = HOSTNAME
PACKAGES = "dnsmasq postfix oidentd"
TLS = "smtpd_tls_cert_file=/etc/tls/cert.pem smtpd_tls_key_file=/etc/tls/key.pem"
SETTINGS = "smtpd_tls_security_level=may smtpd_peername_lookup=no"
SUBMISSION = "submission/inet=submission inet n - y - - smtpd -o smtpd_tls_security_level=encrypt"
INTERNET = (
    "dnsmasq --conf-file=/dev/null --no-resolv --port=5300 --listen-address=127.0.0.1 "
    "--bind-interfaces --address=/example.com/192.0.2.80"
)
"""What a name server on the host asks in turn."""
COMPONENTS = ("ssh", "postmoogle", "heisenbridge", "dnsmasq")


class Known(Network):
    """The real network, with the host's addresses known beforehand."""

    known: tuple[str, ...] = ()

    async def resolve(self, name: str, kind: Literal["A", "AAAA", "CNAME", "SRV"]) -> DnsAnswer:
        sign = {"A": ".", "AAAA": ":"}.get(kind, " ")
        found = tuple(item for item in self.known if sign in item and name == HOST)
        return DnsAnswer("found" if found else "nodata", found)


@dataclass(frozen=True)
class ServicesHost:
    """The host, and the certificate of its mail server."""

    lab: Lab
    certificate: Path

    @classmethod
    def up(cls, folder: Path) -> ServicesHost:
        """Start the host, install everything, and make the controller a stranger to it."""
        host = cls(Lab("services"), folder / "cert.pem")
        host.lab.up(only=("matrix",))
        host.shell(
            "apt-get update -qq && DEBIAN_FRONTEND=noninteractive "
            f"apt-get install -qq --no-install-recommends {PACKAGES} >/dev/null; "
            "systemctl disable --now dnsmasq oidentd 2>/dev/null; mkdir -p /etc/tls; "
            "systemctl start oidentd.socket; "  # its forking daemon ends at once now and then
            "sed -i 's/^hosts:.*/hosts: files/' /etc/nsswitch.conf"  # or they look for our name
        )
        host.estrange()
        host.certify(HOST)
        host.shell(f"postconf -e inet_interfaces=all {TLS} {SETTINGS}")
        return host

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(self.lab.hosts["matrix"]["matrix_addresses"])

    def shell(self, script: str) -> None:
        self.lab.shell("matrix", script)

    def estrange(self) -> None:
        """Give the host networks of its own only; dnsmasq calls everything in them local."""
        for address in self.addresses:
            alone = f"{address}/128" if ":" in address else f"{address}/32"
            near = ip_interface(f"{address}/{64 if ':' in address else 28}").network
            self.shell(
                f"ip address del {address}/{near.prefixlen} dev eth0; "
                f"ip address add {alone} dev eth0 {'nodad' if ':' in address else ''}; "
                f"ip route replace {near} dev eth0"
            )

    def certify(self, name: str) -> None:
        """Give the mail server a certificate for this name, which only we trust."""
        words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=m"
        key = self.certificate.with_name("key.pem")
        more = ["-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out"]
        command = ["openssl", *words.split(), *more, str(self.certificate)]
        subprocess.run(command, check=True, capture_output=True)
        for path in (key, self.certificate):
            self.lab.write("matrix", f"/etc/tls/{path.name}", path.read_text())

    def mail(self, *settings: str, submission: str = SUBMISSION) -> None:
        """Run Postfix with these settings."""
        wanted = " ".join(f"'{setting}'" for setting in settings)
        change = f"postconf -e {wanted};" if wanted else ""
        again = "systemctl reload-or-restart postfix; sleep 1"
        self.shell(f"{change} postconf -M '{submission}'; {again}")

    def names(self, options: str | None) -> None:
        """Run dnsmasq with these options, or not at all."""
        start = f"dnsmasq --conf-file=/dev/null {options}" if options is not None else "true"
        self.shell(f"pkill -x dnsmasq; sleep 0.3; {INTERNET}; {start}; sleep 0.3")

    def look(self) -> list[Finding]:
        """Let the verifier look at the host from the controller."""
        allowed = [str(ip_network(address)) for address in self.addresses]
        network = Known(Guard.parse(allowed), ca_file=str(self.certificate))
        network.known = self.addresses
        ports = [port.expected() for port in component_ports(COMPONENTS, ssh_port=22)]
        planned = {"hostname": HOST, "ports": {"open": ports, "closed": []}}
        return asyncio.run(_look(network, Expectations.of(planned)))


async def _look(network: Network, expected: Expectations) -> list[Finding]:
    found = await asyncio.gather(
        check_ports(network, expected), check_recursion(network, expected.hostname)
    )
    return [finding for part in found for finding in part]
