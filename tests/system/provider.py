# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator of the lab's hosts does: run playbooks, log in, look at the results."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.resolver
from ansible_collections.homestead.matrix.plugins.plugin_utils.site import site

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "tests/lab/lab"
DOMAIN = "homestead.test"
HOSTNAME = f"matrix.{DOMAIN}"
PEER = "peer.test"


@dataclass(frozen=True)
class Run:
    """A finished playbook: its exit status, what it printed and its wall-clock seconds."""

    status: int
    output: str
    seconds: float

    def recap(self, host: str) -> dict[str, int]:
        """Return the counters of the play recap of one host."""
        line = re.findall(rf"^{host}\s+: (.*)$", self.output, re.MULTILINE)
        assert line, f"no recap of {host} in:\n{self.output[-6000:]}"
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line[-1])}


@dataclass(frozen=True)
class Lab:
    """One lab, made by tests/lab/lab, and the ways an operator and his machine use it."""

    name: str

    @property
    def state(self) -> Path:
        return ROOT / ".cache/lab" / self.name

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "tests/lab/ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
            "ANSIBLE_INVENTORY": str(self.state / "inventory"),
            "ANSIBLE_NOCOLOR": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PWD": str(self.state),
        }

    def up(self, release: str) -> None:
        """Start the lab; its hosts are bare."""
        command = [str(LAB), "up", "--name", self.name, "--release", release]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

    def down(self) -> None:
        """Stop the lab and remove what it left."""
        subprocess.run([str(LAB), "down", "--name", self.name], check=True)

    def start(self, playbook: str, *options: str) -> subprocess.Popen[str]:
        """Start a playbook of the collection in a process group of its own."""
        return subprocess.Popen(
            ["ansible-playbook", f"homestead.matrix.{playbook}", *options],
            cwd=self.state,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def play(self, playbook: str, *options: str) -> Run:
        """Run a playbook to its end."""
        began = time.monotonic()
        process = self.start(playbook, *options)
        output, _errors = process.communicate(timeout=1200)
        return Run(process.returncode, output, time.monotonic() - began)

    def play_file(self, path: Path) -> Run:
        """Run a playbook that is not one of the collection's."""
        began = time.monotonic()
        command = ["ansible-playbook", str(path)]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        return Run(done.returncode, done.stdout + done.stderr, time.monotonic() - began)

    def login(self, host: str, command: str) -> list[str]:
        """Return the ssh command that runs a shell command as root on a host."""
        return [
            "ssh",
            *("-i", str(self.state / "ssh_key")),
            *("-o", f"UserKnownHostsFile={self.state / 'known_hosts'}"),
            f"debian@{self._hosts[host]['ansible_host']}",
            f"sudo sh -c {shlex.quote(command)}",
        ]

    def ssh(self, host: str, command: str, stdin: str = "") -> str:
        """Run a shell command as root on a host, by plain ssh, and return what it printed."""
        done = subprocess.run(
            self.login(host, command),
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    @property
    def _hosts(self) -> dict[str, dict[str, str]]:
        inventory = json.loads((self.state / "inventory/hosts.json").read_text())
        groups = inventory["all"]["children"]["lab"]["children"].values()
        return {name: host for group in groups for name, host in group["hosts"].items()}

    @property
    def authorities(self) -> Path:
        """The certificates that the lab's small internet trusts."""
        return self.state / "ca.pem"

    def address(self, name: str, family: int = 4) -> str:
        """Return the address that the lab's name server gives for a name."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [self._hosts["ns"]["ansible_host"]]
        return str(resolver.resolve(name, "A" if family == 4 else "AAAA")[0])

    def module(self, host: str, module: str, **arguments: object) -> dict[str, object]:
        """Run one module on a host as root and return its result."""
        command = ["ansible", host, "--become", "--one-line", "-m", module]
        done = subprocess.run(
            [*command, *(["-a", json.dumps(arguments)] if arguments else [])],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        result: dict[str, object] = json.loads(done.stdout.split("=>", 1)[1])
        return result

    def verifier_arguments(self) -> dict[str, Any]:
        """Return what the role gives the verifier, with credentials for an hour."""
        variables = json.loads((self.state / "inventory/group_vars/matrix.json").read_text())
        plan = site(DOMAIN, {"support": variables["matrix_support"]})
        made = self.module("matrix", "homestead.matrix.turn_credentials", ttl=3600)
        return {
            "server_name": DOMAIN,
            "expectations": plan["expectations"],
            "turn_credentials": made["credentials"],
            "ca_file": variables["verify_ca_file"],
            "nameservers": variables["verify_nameservers"],
            "allow_private": variables["verify_allow_private"],
        }


def kill(process: subprocess.Popen[str]) -> None:
    """Kill the controller's processes the hard way and wait until they are gone."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
