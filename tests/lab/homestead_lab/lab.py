# Copyright: the homestead.matrix contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab: its name, its place on disk, its network."""

from __future__ import annotations

import fcntl
import json
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from homestead_lab import CHECKOUT
from homestead_lab.shell import LabError, attempt, run, step
from homestead_lab.topology import LABS, Subnet

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[3]
CACHE = REPOSITORY / ".cache/lab"
LABEL = "homestead-lab"


@contextmanager
def alone() -> Iterator[None]:
    """Let others that start a lab at the same time wait: engine and images belong to all."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Lab:
    """A lab belongs to the checkout that made it, and everything of it bears both their names."""

    name: str

    @property
    def label(self) -> str:
        return f"{self.name}-{CHECKOUT}"

    @property
    def state(self) -> Path:
        return CACHE / self.name

    @property
    def network(self) -> str:
        return f"{self.label}-net"

    @property
    def key(self) -> Path:
        return self.state / "ssh_key"

    @property
    def sockets(self) -> Path:
        """Where ssh keeps its shared connections: the path of a socket must be short."""
        return Path(tempfile.gettempdir()) / f"homestead-lab-{self.label}"

    def container(self, host: str) -> str:
        return f"{self.label}-{host}"


def prepare(lab: Lab) -> None:
    """Make the lab's folder and the key that opens its hosts."""
    lab.state.mkdir(parents=True, exist_ok=True)
    lab.sockets.mkdir(mode=0o700, exist_ok=True)
    if not lab.key.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", lab.name, "-f", str(lab.key)])


def network(lab: Lab) -> Subnet:
    """Return the lab's network; make it, on the first free addresses, if there is none."""
    if subnet := existing_network(lab):
        return subnet
    with step(f"make the network {lab.network}"):
        for index in range(LABS):
            if create_network(lab, Subnet(index)):
                return Subnet(index)
    raise LabError(
        "No addresses are free for another lab; `lab down --name NAME` those you do not need."
    )


def existing_network(lab: Lab) -> Subnet | None:
    """Return the lab's network if it exists."""
    result = attempt(["docker", "network", "inspect", "--format", "{{json .Labels}}", lab.network])
    if result.returncode:
        return None
    labels: dict[str, str] = json.loads(result.stdout)
    return Subnet(int(labels[f"{LABEL}.index"]))


def create_network(lab: Lab, subnet: Subnet) -> bool:
    """Make the network unless something else has these addresses."""
    command = ["docker", "network", "create", "--ipv6"]
    for addresses in subnet.ranges:
        command += ["--subnet", addresses]
    command += ["--label", f"{LABEL}={lab.label}", "--label", f"{LABEL}.index={subnet.index}"]
    result = attempt([*command, lab.network])
    if result.returncode and "overlap" not in result.stderr.lower():
        raise LabError(result.stderr.strip())
    return not result.returncode


def remove(lab: Lab) -> None:
    """Remove everything that bears this lab's name."""
    if existing_network(lab):
        listed = run(["docker", "ps", "--all", "--quiet", "--filter", f"label={LABEL}={lab.label}"])
        if listed:
            run(["docker", "rm", "--force", "--volumes", *listed.split()])
        run(["docker", "network", "rm", lab.network])
    for socket in lab.sockets.glob("*"):
        attempt(["ssh", "-O", "exit", "-S", str(socket), "lab"])
    for folder in (lab.sockets, lab.state):
        shutil.rmtree(folder, ignore_errors=True)
