# Copyright: the homestead.matrix contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers that play the lab's hosts."""

from __future__ import annotations

import json
import shlex
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from homestead_lab.lab import LABEL, Lab
from homestead_lab.shell import LabError, attempt, run
from homestead_lab.topology import Host

if TYPE_CHECKING:
    from homestead_lab.topology import Subnet

RECORD = "hosts.json"
BOOT_TIMEOUT = 60.0
TUNNEL = "/dev/net/tun"
# What systemd needs instead of --privileged, which not every machine can give.
RIGHTS = [
    *("--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW"),
    *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
    *("--cgroupns", "private", "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec"),
]


def running(lab: Lab) -> dict[str, Host]:
    """Return the hosts that were finished and run."""
    listed = run(
        ["docker", "ps", "--filter", f"label={LABEL}={lab.label}", "--format", "{{.Names}}"]
    )
    names = set(listed.split())
    return {name: host for name, host in recorded(lab).items() if lab.container(name) in names}


def recorded(lab: Lab) -> dict[str, Host]:
    """Return the hosts that were finished, whatever became of them."""
    record = lab.state / RECORD
    rows = json.loads(record.read_text()) if record.exists() else []
    return {row["name"]: Host(**{**row, "names": tuple(row["names"])}) for row in rows}


def remember(lab: Lab, host: Host) -> None:
    """Note that this host is finished."""
    hosts = {**recorded(lab), host.name: host}
    (lab.state / RECORD).write_text(json.dumps([asdict(each) for each in hosts.values()]))


def start(lab: Lab, host: Host, *, subnet: Subnet, nameserver: str) -> None:
    """Start a new host and let the lab's user in."""
    container = lab.container(host.name)
    attempt(["docker", "rm", "--force", "--volumes", container])
    address4, address6 = subnet.addresses(host)
    command = ["docker", "run", "--detach", "--name", container, "--hostname", host.name, *RIGHTS]
    command += ["--network", lab.network, "--ip", address4, "--ip6", address6]
    command += ["--label", f"{LABEL}={lab.label}"]
    command += ["--env", f"LAB_NAMESERVER={nameserver}"] if nameserver else []
    command += ["--device", TUNNEL] if Path(TUNNEL).exists() else []
    run([*command, host.image_tag])
    wait_for_boot(lab, host.name)
    put(
        lab, host.name, "/home/debian/.ssh/authorized_keys", lab.key.with_suffix(".pub").read_text()
    )
    execute(lab, host.name, "chown", "debian:debian", "/home/debian/.ssh/authorized_keys")


def wait_for_boot(lab: Lab, host: str) -> None:
    """Wait until the host's systemd has started everything; touch nothing before."""
    deadline = time.monotonic() + BOOT_TIMEOUT
    command = ["docker", "exec", lab.container(host), "systemctl", "is-system-running", "--wait"]
    while attempt(command).stdout.strip() not in {"running", "degraded"}:
        if time.monotonic() > deadline:
            last_words = attempt(["docker", "logs", "--tail", "10", lab.container(host)])
            raise LabError(
                f"The host {host} does not boot:\n{last_words.stdout}{last_words.stderr}"
            )
        time.sleep(0.2)


def execute(lab: Lab, host: str, *arguments: str, text: str | None = None) -> str:
    """Run a command as root on a host, past its firewall and ssh."""
    return run(["docker", "exec", "--interactive", lab.container(host), *arguments], text=text)


def put(
    lab: Lab, host: str, path: str, content: str, *, owner: str = "root", mode: str = "0644"
) -> None:
    """Write a file on a host."""
    quoted = shlex.quote(path)
    script = f"install -D -o {owner} -m {mode} /dev/stdin {quoted}"
    execute(lab, host, "sh", "-c", script, text=content)


def host_key(lab: Lab, host: str) -> str:
    return execute(lab, host, "cat", "/etc/ssh/ssh_host_ed25519_key.pub")
