# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The labs of the tests: their hosts from outside and from inside, and playbooks run on them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.resolver
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.description import (
    DEFAULTS,
    variable,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site
from ansible_collections.homestead.matrix.tests.lab import warm_ansible
from ansible_collections.homestead.matrix.tests.lab.homestead_lab import CHECKOUT
from ansible_collections.homestead.matrix.tests.lab.runs import Run, wait_until

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tests/lab/lab"
DOMAIN = "homestead.test"
HOSTNAME = f"matrix.{DOMAIN}"
PEER = "peer.test"
PATIENCE = 1200.0
ROOTS = {
    "HOME": "/root",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}
_FIRST: dict[str, tuple[int, str]] = {}


def first_process(container: str) -> int:
    """Return the number that a container's first process has on this machine."""
    process, began = _FIRST.get(container, (0, ""))
    if not began or _began(process) != began:
        asked = ["docker", "inspect", "--format={{.State.Pid}}", container]
        told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
        process = int(told)
        _FIRST[container] = (process, _began(process))
    return process


def _began(process: int) -> str:
    """Return when a process began (proc_pid_stat(5)), empty if it is no more."""
    try:
        told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    return told.rpartition(")")[2].split()[19]


@dataclass(frozen=True)
class Lab:
    """One lab, made by tests/lab/lab; processes of tests that run side by side have their own."""

    given_name: str

    @property
    def name(self) -> str:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "")
        return "-".join(filter(None, (self.given_name, worker)))

    @property
    def state(self) -> Path:
        return ROOT / ".cache/lab" / self.name

    def container(self, host: str) -> str:
        return f"{self.name}-{CHECKOUT}-{host}"

    def up(
        self, *, release: str = "13", only: tuple[str, ...] = (), topology: Path | None = None
    ) -> None:
        """Start the lab, or only some of its hosts; they are bare."""
        options = [f"--only={host}" for host in only]
        options += [f"--topology={topology}"] if topology else []
        self._lab("up", "--release", release, *options)

    def down(self) -> None:
        """Stop the lab and remove what it left."""
        self._lab("down")

    def is_up(self) -> bool:
        """Tell whether the lab is there and all its hosts run."""
        return self._lab("status", check=False) == 0

    def _lab(self, command: str, *options: str, check: bool = True) -> int:
        words = [str(PROGRAM), command, "--name", self.name, *options]
        return subprocess.run(words, check=check, stdin=subprocess.DEVNULL).returncode

    # Who and where the hosts are.

    @property
    def hosts(self) -> dict[str, dict[str, Any]]:
        """What the inventory says of each host."""
        inventory = json.loads((self.state / "inventory/hosts.json").read_text())
        groups = inventory["all"]["children"]["lab"]["children"].values()
        return {name: host for group in groups for name, host in group["hosts"].items()}

    @property
    def settings(self) -> dict[str, Any]:
        """What the inventory says of Matrix servers."""
        path = self.state / "inventory/group_vars/matrix.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}

    @property
    def authorities(self) -> Path:
        """The certificates that the lab's small internet trusts."""
        return self.state / "ca.pem"

    def host_address(self, host: str) -> str:
        return str(self.hosts[host]["ansible_host"])

    def address(self, name: str, family: int = 4) -> str:
        """Return the address that the lab's name server gives for a name."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [self.host_address("ns")]
        return str(resolver.resolve(name, "A" if family == 4 else "AAAA")[0])

    # On a host, past its ssh and its firewall.

    def begin(self, host: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a program as root on a host by its namespaces: the engine is slow."""
        first = first_process(self.container(host))
        enter = ["nsenter", f"--target={first}", "--all", "--root", "--wd", "--", *command]
        pipe = subprocess.PIPE
        return subprocess.Popen(enter, env=ROOTS, stdin=pipe, stdout=pipe, stderr=pipe)

    def attempt(
        self, host: str, *command: str, stdin: bytes | str = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program, which may fail, as root on a host."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        with self.begin(host, *command) as process:
            output, errors = process.communicate(given)
        # A program that a signal killed has the status that shells give it.
        status = process.returncode if process.returncode >= 0 else 128 - process.returncode
        return subprocess.CompletedProcess(command, status, output, errors)

    def run(self, host: str, *command: str, stdin: bytes | str = b"") -> str:
        """Run a program as root on a host and return what it printed."""
        done = self.attempt(host, *command, stdin=stdin)
        said = done.stdout.decode(errors="replace")
        assert done.returncode == 0, f"{host}: {command}: {said}{done.stderr.decode()}"
        return said

    def shell(self, host: str, script: str, *, stdin: bytes | str = b"") -> str:
        """Run a script as root on a host; its last command decides whether it fails."""
        return self.run(host, "sh", "-c", script, stdin=stdin)

    def read(self, host: str, path: str) -> str:
        return self.run(host, "cat", path)

    def write(self, host: str, path: str, content: bytes | str) -> None:
        """Write a file in place; one that exists keeps its owner and mode."""
        self.run(host, "tee", path, stdin=content)

    def read_names_again(self) -> None:
        """Let the lab's name server read its zone, however often somebody has asked for that."""
        self.shell("ns", "systemctl reset-failed dnsmasq; systemctl restart dnsmasq")

    def exposure(self, host: str, unit: str) -> float:
        """Return how much of the host a unit reaches, as systemd judges it: 0 to 10."""
        judged = self.ssh(host, f"systemd-analyze security --no-pager {unit}")
        (found,) = re.findall(r"Overall exposure level for \S+: ([0-9.]+)", judged)
        return float(found)

    def reboot(self, host: str) -> None:
        """Restart a whole host."""
        subprocess.run(["docker", "restart", self.container(host)], check=True, capture_output=True)
        asked = ("systemctl", "is-system-running")
        wait_until(lambda: b"running" in self.attempt(host, *asked).stdout, seconds=120)

    # As an operator does it.

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

    def login(self, host: str, command: str, **options: str) -> list[str]:
        """Return the ssh command that runs a shell command as root on a host."""
        given = {
            "IdentityFile": str(self.state / "ssh_key"),
            "UserKnownHostsFile": str(self.state / "known_hosts"),
            **options,
        }
        words = [word for name, value in given.items() for word in ("-o", f"{name}={value}")]
        script = f"sudo sh -c {shlex.quote(command)}"
        return ["ssh", *words, f"debian@{self.host_address(host)}", script]

    def ssh(self, host: str, command: str, stdin: str = "") -> str:
        """Run a shell command as root on a host, by plain ssh, and return what it printed."""
        command_line = self.login(host, command)
        done = subprocess.run(command_line, input=stdin, capture_output=True, text=True, check=True)
        return done.stdout

    def start(
        self, playbook: str | Path, *options: str, environment: dict[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a playbook, in a process group of its own: one of the collection's, or a file."""
        return subprocess.Popen(
            ["ansible-playbook", *self._arguments(playbook, options)],
            cwd=self.state,
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def play_alone(
        self, playbook: str | Path, *options: str, environment: dict[str, str] | None = None
    ) -> Run:
        """Run a playbook to its end by the program that operators call."""
        began = time.monotonic()
        process = self.start(playbook, *options, environment=environment)
        output, _errors = process.communicate(timeout=PATIENCE)
        return Run(process.returncode, output, time.monotonic() - began)

    def play(self, playbook: str | Path, *options: str, **variables: Any) -> Run:
        """Run a playbook to its end, sooner than `play_alone` does, with variables if given."""
        given = ("--extra-vars", json.dumps(variables)) if variables else ()
        return warm_ansible.play(
            self._arguments(playbook, (*options, *given)),
            folder=self.state,
            environment=self.environment,
            seconds=PATIENCE,
        )

    def _arguments(self, playbook: str | Path, options: tuple[str, ...]) -> list[str]:
        name = str(playbook) if isinstance(playbook, Path) else f"homestead.matrix.{playbook}"
        return ["--inventory", str(self.state / "inventory"), name, *options]

    def module(self, host: str, module: str, **arguments: object) -> dict[str, Any]:
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
        result: dict[str, Any] = json.loads(done.stdout.split("=>", 1)[1])
        return result

    def report(self, name: str) -> dict[str, Any]:
        """Return what a playbook wrote for programs about the lab's domain."""
        path = self.state / "matrix-reports" / DOMAIN / f"{name}.json"
        return dict(json.loads(path.read_text(encoding="utf-8")))

    # As a stranger.

    def network(self) -> Network:
        """Return the network as the verifier sees it from this machine."""
        given = self.settings
        return Network(
            Guard.parse(given["verify_allow_private"]),
            ca_file=str(self.authorities),
            nameservers=given["verify_nameservers"],
        )

    def site(self, **variables: Any) -> dict[str, Any]:
        """Return what follows from the lab's settings and these variables."""
        given = {**self.settings, **variables}
        names = {name: variable(name) for name in DEFAULTS}
        return site(DOMAIN, {name: given[key] for name, key in names.items() if key in given})

    def verifier_arguments(self, **variables: Any) -> dict[str, Any]:
        """Return what the role gives the verifier, with credentials for an hour."""
        given = self.settings
        made = self.module("matrix", "homestead.matrix.turn_credentials", ttl=3600)
        return {
            "server_name": DOMAIN,
            "expectations": self.site(**variables)["expectations"],
            "turn_credentials": made["credentials"],
            "ca_file": given["verify_ca_file"],
            "nameservers": given["verify_nameservers"],
            "allow_private": given["verify_allow_private"],
        }
