# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of two bare hosts, the server and a stranger, and what an operator does to the server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "tests/lab/lab"
SCAN = ROOT / "tests/system/scan.py"
PLAY = ROOT / "tests/firewall/play.yml"
DRIVER = ROOT / "tests/firewall/driver.py"
COLLECTIONS = os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(ROOT / ".cache/collections"))
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
class Run:
    """A finished play."""

    status: int
    output: str
    seconds: float

    @property
    def changed(self) -> bool:
        return "changed=0" not in self.output


@dataclass(frozen=True)
class Server:
    """One managed host with the firewall it is to have, and the stranger beside it."""

    lab: str
    firewall: str = "nftables"

    def up(self, release: str) -> None:
        """Start both hosts, bare."""
        hosts = ["--only", "server", "--only", "stranger"]
        self._lab("up", "--release", release, *hosts)

    def down(self) -> None:
        self._lab("down")

    def start(self, *options: str, **variables: Any) -> subprocess.Popen[str]:
        """Start the play in a process group of its own."""
        given = {"matrix_domain": "example.org", "matrix_firewall": self.firewall, **variables}
        return subprocess.Popen(
            ["ansible-playbook", str(PLAY), "--diff", "-e", json.dumps(given), *options],
            cwd=self._state,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def play(self, *options: str, **variables: Any) -> Run:
        """Run the play to its end."""
        began = time.monotonic()
        process = self.start(*options, **variables)
        output, _errors = process.communicate(timeout=300)
        return Run(process.returncode, output, time.monotonic() - began)

    def run(self, *command: str, host: str = "server", text: str = "") -> str:
        """Run a command as root on a host, past its firewall."""
        done = subprocess.run(
            [str(LAB), "run", "--name", self.lab, host, *command],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    def shell(self, script: str, *, host: str = "server") -> str:
        """Run a shell script as root on a host, past its firewall."""
        return self.run("sh", "-c", script, host=host)

    def behind(self, script: str) -> subprocess.Popen[bytes]:
        """Start a shell script as root on the server and let it run beside what comes next."""
        command = [str(LAB), "run", "--name", self.lab, "server", "sh", "-c", script]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def rules(self) -> str:
        """Return all that decides which packets come in, now and after the next boot."""
        return self.shell(STATE)

    def commit(self, wishes: list[Any]) -> list[list[str]]:
        """Commit ports with their rules in turn, past ssh, and return what is open after each."""
        package = ROOT / "plugins/module_utils/firewall"
        # Under another name: firewalld has a package `firewall` of its own.
        pack = ["tar", "-C", str(package.parent), "--transform=s/^firewall/homestead/"]
        pack += ["--exclude=__pycache__", "-c", package.name]
        packed = subprocess.run(pack, check=True, capture_output=True)
        into = [str(LAB), "run", "--name", self.lab, "server"]
        unpack = [*into, "sh", "-c", "mkdir -p /tmp/driver && tar -C /tmp/driver -x"]
        subprocess.run(unpack, input=packed.stdout, check=True)
        self.run("tee", "/tmp/driver/driver.py", text=DRIVER.read_text(encoding="utf-8"))
        command = ["python3", "/tmp/driver/driver.py", "/tmp/driver"]
        opened: list[list[str]] = json.loads(self.run(*command, text=json.dumps(wishes)))
        return opened

    def is_reachable(self) -> bool:
        """Tell whether the controller can make a new ssh connection."""
        options = {
            "ControlPath": "none",
            "ConnectTimeout": "3",
            "IdentityFile": str(self._state / "ssh_key"),
            "UserKnownHostsFile": str(self._state / "known_hosts"),
        }
        given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        command = ["ssh", *given, f"debian@{self.address()}", "true"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return done.returncode == 0

    def reboot(self) -> None:
        """Restart the whole host."""
        subprocess.run(["docker", "restart", f"{self.lab}-server"], check=True, capture_output=True)
        wait_until(lambda: "running" in self.run("systemctl", "is-system-running"), seconds=30)
        # firewalld takes its name on the bus, and so is active for systemd, before it has loaded
        # its rules; it answers after that.
        self.run("firewall-cmd", "--state")

    def answers(self, protocol: str, first: int, last: int, *, family: int = 4) -> set[int]:
        """Return the ports that answer the stranger in any way, a refusal included."""
        numbers = [protocol, str(first), str(last), "400"]
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

    @property
    def _state(self) -> Path:
        return ROOT / ".cache/lab" / self.lab

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS,
            "ANSIBLE_CONFIG": str(ROOT / "tests/lab/ansible.cfg"),
            "ANSIBLE_INVENTORY": str(self._state / "inventory"),
            "ANSIBLE_NOCOLOR": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def _lab(self, command: str, *options: str) -> None:
        subprocess.run([str(LAB), command, "--name", self.lab, *options], check=True)


def kill(process: subprocess.Popen[str]) -> None:
    """Kill the controller the hard way."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def wait_until(happened: Callable[[], bool], *, seconds: float) -> float:
    """Wait until something happens and return after how long it did."""
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < seconds, f"did not happen within {seconds} seconds"
        time.sleep(0.05)
    return time.monotonic() - began
