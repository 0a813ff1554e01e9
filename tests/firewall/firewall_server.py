# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of two bare hosts, the server and a stranger, and what an operator does to the server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.homestead.matrix.tests.lab.labs import ROOT, Lab
from ansible_collections.homestead.matrix.tests.lab.runs import Run, kill, wait_until

__all__ = ["Lab", "Run", "Server", "kill", "wait_until"]
SCAN = ROOT / "tests/system/scan.py"
PLAY = ROOT / "tests/firewall/play.yml"
# Nothing but the firewall's own task: what the host and the description are is not asked each time.
OPTIONS = ("--diff", "--skip-tags=always")
DRIVER = ROOT / "tests/firewall/driver.py"
TUNNEL = ROOT / "tests/firewall/tunnel.py"
# One whose outer ports are fixed, so that the answers of either end belong to the other's packets.
VXLAN = """\
ip link add tun9 type vxlan id 9 remote {there} local {here} dev eth0 dstport 4789 srcport 4789 4790
ip address add {own}/30 dev tun9
ip link set tun9 up"""
FILL = "kill $(cat /run/tunnel.pid); rm /run/tunnel.pid; ip link delete tun9"
TOPOLOGY = ROOT / "tests/firewall/topology.toml"
# All that decides which packets come in, now and after the next boot.
STATE = r"""
nft -st list table inet homestead 2>/dev/null
nft -st list table inet firewalld 2>/dev/null
for tables in iptables ip6tables; do
    $tables-save 2>/dev/null | sed 's/ \[[0-9:]*\]$//' |
        grep -E '^(-A|:.* DROP|:ufw)' | grep -v DOCKER_
done
for file in /etc/ufw/user.rules /etc/ufw/user6.rules /etc/ufw/ufw.conf /etc/default/ufw \
    /etc/homestead/firewall.nft $(find /etc/firewalld -name '*.xml' -o -name '*.conf' | sort)
do echo "# $file"; cat "$file"; done 2>/dev/null
for unit in ufw firewalld homestead-firewall
do echo "$unit: $(systemctl is-enabled $unit 2>/dev/null)"; done
"""


@dataclass(frozen=True)
class Server:
    """One managed host with the firewall it is to have, and the stranger beside it."""

    lab: Lab
    firewall: str = "nftables"

    def up(self, release: str) -> None:
        """Start both hosts: nothing filters, though every firewall is installed."""
        self.lab.up(release=release, topology=TOPOLOGY)

    def start(self, *options: str, **variables: Any) -> subprocess.Popen[str]:
        """Start the play in a process group of its own."""
        given = json.dumps(self._given(variables))
        return self.lab.start(PLAY, *OPTIONS, "--extra-vars", given, *options)

    def play(self, *options: str, **variables: Any) -> Run:
        """Run the play to its end."""
        return self.lab.play(PLAY, *OPTIONS, *options, **self._given(variables))

    def _given(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"matrix_domain": "example.org", "matrix_firewall": self.firewall, **variables}

    def run(self, *command: str, host: str = "server", text: str = "") -> str:
        """Run a command as root on a host, past its firewall; it may fail."""
        return self.lab.attempt(host, *command, stdin=text).stdout.decode()

    def shell(self, script: str, *, host: str = "server") -> str:
        """Run a shell script as root on a host, past its firewall."""
        return self.run("sh", "-c", script, host=host)

    def behind(self, script: str) -> subprocess.Popen[bytes]:
        """Start a shell script as root on the server and let it run beside what comes next."""
        return self.lab.begin("server", "sh", "-c", script)

    def rules(self) -> str:
        """Return all that decides which packets come in, now and after the next boot."""
        return self.shell(STATE)

    def commit(self, wishes: list[Any]) -> list[list[str]]:
        """Commit ports with their rules in turn, past ssh, and return what is open after each."""
        # In a package: firewalld has one called `firewall` of its own.
        pack = ["tar", "-C", str(ROOT / "plugins/module_utils"), "--transform=s,^,homestead/,"]
        pack += ["--exclude=__pycache__", "-c", "already_there.py"]
        pack += ["firewall", "host", "service"]
        packed = subprocess.run(pack, check=True, capture_output=True).stdout
        unpack = "mkdir -p /tmp/driver && tar -C /tmp/driver -x"
        self.lab.shell("server", unpack, stdin=packed)
        self.lab.write("server", "/tmp/driver/driver.py", DRIVER.read_text(encoding="utf-8"))
        command = ["python3", "/tmp/driver/driver.py", "/tmp/driver"]
        opened: list[list[str]] = json.loads(self.run(*command, text=json.dumps(wishes)))
        return opened

    def dig(self, way: str, ends: Mapping[str, str]) -> None:
        """Make a tunnel from the stranger to the server, with these addresses inside."""
        self.fill()
        outside = {"server": self.address(), "stranger": self.lab.host_address("stranger")}
        for host, other in (("server", "stranger"), ("stranger", "server")):
            here, there, own = outside[host], outside[other], ends[host]
            calls = there if host == "stranger" else ""
            self.lab.write(host, "/run/tunnel.py", TUNNEL.read_text(encoding="utf-8"))
            run = f"setsid python3 /run/tunnel.py {way} {own} {calls} >/run/tunnel.log 2>&1"
            script = f"{run} & echo $! >/run/tunnel.pid"
            if way == "vxlan":
                script = VXLAN.format(here=here, there=there, own=own)
            self.lab.shell(host, script)
        wait_until(lambda: self.is_reachable(**self.through(ends["server"])), seconds=20)

    def fill(self) -> None:
        """Take the tunnel away."""
        for host in ("server", "stranger"):
            self.shell(FILL, host=host)

    def through(self, address: str) -> dict[str, str]:
        """Return options of ssh with which the controller comes through the tunnel."""
        *jump, stranger, _script = self.lab.login("stranger", "true", ControlPath="none")
        way = " ".join([*jump, "-W", f"{address}:22", stranger])
        known = str(self.lab.state / "known_hosts")
        return {"ProxyCommand": way, "HostKeyAlias": self.address(), "UserKnownHostsFile": known}

    def is_reachable(self, **way: str) -> bool:
        """Tell whether the controller can make a new ssh connection."""
        options = {"ControlPath": "none", "ConnectTimeout": "3", **way}
        command = self.lab.login("server", "true", **options)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return done.returncode == 0

    def reboot(self) -> None:
        """Restart the whole host."""
        self.lab.reboot("server")
        # firewalld takes its name on the bus, and so is active for systemd, before it has loaded
        # its rules; it answers after that.
        self.run("firewall-cmd", "--state")

    def answers(self, protocol: str, first: int, last: int, *, family: int = 4) -> set[int]:
        """Return the ports that answer the stranger in any way, a refusal included."""
        numbers = [protocol, str(first), str(last), "2000"]
        command = ["python3", "-", self.address(family), *numbers]
        found = self.run(*command, host="stranger", text=SCAN.read_text(encoding="utf-8"))
        return {int(port) for port in json.loads(found)}

    def address(self, family: int = 4) -> str:
        scope = "inet" if family == 4 else "inet6"
        shown = self.run("ip", "-json", "address", "show", "eth0")
        addresses = json.loads(shown)[0]["addr_info"]
        return next(
            str(each["local"])
            for each in addresses
            if each["family"] == scope and each["scope"] == "global"
        )
