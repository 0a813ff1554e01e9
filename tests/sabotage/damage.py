# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to damage a real service; each mends what it broke when its `with` block ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_interface
from typing import Protocol

from ansible_collections.homestead.matrix.tests.lab.labs import HOSTNAME
from certificates import Shape, make
from scene import Scene

NAMES = "/etc/dnsmasq.d/lab.conf"


class Damage(Protocol):
    """Something that can be done to the scene, and undone."""

    def __call__(self, scene: Scene) -> AbstractContextManager[None]:
        """Return a context in which the damage is done."""


@dataclass(frozen=True)
class Edit:
    """Text of a file replaced by another; then the units that read it start again."""

    host: str
    path: str
    old: str
    new: str
    restart: tuple[str, ...] = ("nginx",)

    def __call__(self, scene: Scene) -> AbstractContextManager[None]:
        return Edits((self,))(scene)


@dataclass(frozen=True)
class Edits:
    """Several edits on one host, done before any unit starts again."""

    edits: tuple[Edit, ...]

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        host, damaged = self.edits[0].host, dict[str, str]()
        for edit in self.edits:
            text = damaged.get(edit.path) or scene.read(host, edit.path)
            assert edit.old in text, f"{edit.path} on {host} has no {edit.old!r}"
            damaged[edit.path] = text.replace(edit.old, edit.new, 1)
        units = tuple(dict.fromkeys(unit for edit in self.edits for unit in edit.restart))
        with _changed(scene, host, damaged, restart=units):
            yield


@dataclass(frozen=True)
class Content:
    """A file with other content."""

    host: str
    path: str
    content: str

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        with _changed(scene, self.host, {self.path: self.content}, restart=()):
            yield


@dataclass(frozen=True)
class Clock:
    """A unit of the Matrix host that lives at another time."""

    unit: str
    offset: str

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        folder = f"/run/systemd/system/{self.unit}.service.d"
        scene.shell("matrix", "apt-get install --yes libfaketime")
        files = scene.run("matrix", "dpkg", "--listfiles", "libfaketime").split()
        [library] = [path for path in files if path.endswith("/libfaketime.so.1")]
        lines = ["[Service]", f"Environment=LD_PRELOAD={library} FAKETIME={self.offset}", ""]
        scene.run("matrix", "mkdir", "--parents", folder)
        scene.write("matrix", f"{folder}/sabotage.conf", "\n".join(lines))
        try:
            scene.run("matrix", "systemctl", "daemon-reload")
            scene.restart("matrix", self.unit)
            yield
        finally:
            scene.run("matrix", "rm", f"{folder}/sabotage.conf")
            scene.run("matrix", "systemctl", "daemon-reload")
            scene.owe("matrix", self.unit)


@dataclass(frozen=True)
class Stopped:
    """A unit that does not run."""

    host: str
    unit: str

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        scene.settle()
        scene.run(self.host, "systemctl", "stop", self.unit)
        try:
            yield
        finally:
            scene.owe(self.host, self.unit)


@dataclass(frozen=True)
class Rule:
    """A rule of nftables before all others, in a table of its own."""

    host: str
    rule: str
    hook: str = "input"

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        chain = f"type filter hook {self.hook} priority -150; policy accept; {self.rule};"
        table = f"table inet sabotage {{ chain sabotage {{ {chain} }}; }}"
        scene.run(self.host, "nft", "-f", "-", text=table)
        try:
            yield
        finally:
            scene.run(self.host, "nft", "delete", "table", "inet", "sabotage")


@dataclass(frozen=True)
class Opened:
    """A port that strangers shall not reach, let through the host's own firewall."""

    host: str
    port: int
    program: str = "true"
    """What listens there, if nothing does anyhow."""
    package: str = ""

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        rule = (
            f"add rule inet homestead ports meta l4proto {{ tcp, udp }} th dport {self.port} accept"
        )
        unit = f"--unit=sabotage-{self.port} --quiet --collect"
        scene.run(self.host, "nft", "-f", "-", text=f"{rule}\n")
        if self.package:
            scene.shell(self.host, f"apt-get install --yes {self.package}")
        scene.shell(self.host, f"systemd-run {unit} {self.program}; sleep 0.5")
        try:
            yield
        finally:
            scene.shell(self.host, f"systemctl stop sabotage-{self.port} || true")
            scene.run(self.host, "nft", "-f", "/etc/homestead/firewall.nft")


@dataclass(frozen=True)
class Names:
    """Other records in the DNS: lines taken out of the zone, and lines put in."""

    without: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        scene.settle()  # a name server that was stopped, too
        lines = scene.read("ns", NAMES).splitlines()
        kept = [line for line in lines if not line.startswith(self.without or ("\0",))]
        assert len(lines) - len(kept) == len(self.without)
        ipv4, ipv6 = (scene.lab.address(HOSTNAME, family) for family in (4, 6))
        dead6 = ip_interface(f"{ipv6}/64").network[0xDEAD]
        added = [line.format(ipv4=ipv4, dead6=dead6) for line in self.added]
        zone = "\n".join([*kept, *added]) + "\n"
        with _changed(scene, "ns", {NAMES: zone}, restart=("dnsmasq",)):
            yield


@dataclass(frozen=True)
class Shown:
    """Another certificate in the place of a host's own."""

    shape: Shape
    host: str = "matrix"
    folder: str = "/etc/homestead/tls/matrix.homestead.test"
    restart: tuple[str, ...] = ("nginx", "coturn")

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        pair = make(scene.authority, self.shape)
        files = {f"{self.folder}/fullchain.pem": pair.chain, f"{self.folder}/privkey.pem": pair.key}
        with _changed(scene, self.host, files, restart=self.restart):
            yield


@dataclass(frozen=True)
class Together:
    """Several damages that make one fault."""

    damages: tuple[Damage, ...]

    @contextmanager
    def __call__(self, scene: Scene) -> Iterator[None]:
        with ExitStack() as stack:
            for damage in self.damages:
                stack.enter_context(damage(scene))
            yield


@contextmanager
def _changed(
    scene: Scene, host: str, contents: Mapping[str, str], *, restart: tuple[str, ...]
) -> Iterator[None]:
    """Give files other content, in place, and let units read it; then the same the way back."""
    healthy = {path: scene.read(host, path) for path in contents}
    try:
        _write(scene, host, contents)
        scene.restart(host, *restart)
        yield
    finally:
        _write(scene, host, healthy)
        scene.owe(host, *restart)


def _write(scene: Scene, host: str, contents: Mapping[str, str]) -> None:
    for path, content in contents.items():
        scene.write(host, path, content)
