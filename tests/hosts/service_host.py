# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bare lab host on which a service is made true, without a play around it."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.homestead.matrix.plugins.module_utils.service.arguments import (
    ARGUMENTS,
    pack,
)
from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import Machine
from ansible_collections.homestead.matrix.tests.lab.labs import ROOT, Lab

PARTS = ("plugins/module_utils/service", "plugins/module_utils/already_there.py")
PLACE = "/run/homestead-test"
KILLED = 137

Task = dict[str, Any]

# Starts like a real program: it reads its files once, when it starts.
UNIT = """\
[Service]
Environment=VERSION={version}
RuntimeDirectory=demo
ExecStart=/bin/sh -c 'cat /etc/demo/demo.conf > /run/demo/read; echo $VERSION >> /run/demo/read; \
grep -q broken /etc/demo/demo.conf && echo "demo: cannot parse its file" && exit 3; \
grep -q dying /etc/demo/demo.conf && sleep 0.2 && echo "demo: dies a little later" && exit 4; \
exec sleep infinity'
ExecReload=/bin/sh -c 'cat /etc/demo/demo.conf > /run/demo/read; \
! grep -q unloadable /etc/demo/demo.conf'
[Install]
WantedBy=multi-user.target
"""

_SNAPSHOT = r"""
find /etc /opt /var/lib/demo -printf '%p %y %m %u:%g %l\n' 2>/dev/null
find /var/lib/homestead -not -type d -printf '%p %y %m %u:%g %l\n' 2>/dev/null
find /etc /opt /var/lib/demo /var/lib/homestead -type f -exec sha256sum {} + 2>/dev/null
true
"""


@dataclass(frozen=True)
class ServiceHost:
    """One host of a lab of its own."""

    lab: Lab
    settle: float = Machine.settle
    """For how many seconds started units are watched."""

    @classmethod
    def up(cls, release: str) -> ServiceHost:
        host = cls(Lab(f"service{release}"))
        host.lab.up(release=release, only=("matrix",))
        host.bring_parts()
        return host

    @property
    def parity(self) -> int:
        """0 or 1, so that two releases can share the work."""
        return int(self.lab.given_name[-1]) % 2

    def bring_parts(self) -> None:
        """Copy the parts under test; they need nothing but Python."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for part in PARTS:
                inside = f"ansible_collections/homestead/matrix/{part}"
                archive.add(ROOT / part, inside, filter=_without_caches)
            archive.add(ROOT / "tests/hosts/service_driver.py", "service_driver.py")
        self.run("mkdir", "-p", PLACE)
        self.run("tar", "-x", "-C", PLACE, stdin=packed.getvalue())

    def run(self, *argv: str, stdin: bytes = b"", may_fail: bool = False) -> str:
        """Return what a program on the host prints."""
        if may_fail:
            return self.lab.attempt("matrix", *argv, stdin=stdin).stdout.decode().strip()
        return self.lab.run("matrix", *argv, stdin=stdin).strip()

    def shell(self, script: str) -> str:
        return self.run("sh", "-c", script)

    def apply(self, task: Task, *, check: bool = False) -> dict[str, Any]:
        """Make the service true and return the answer."""
        done = self._drive(task, 0, check=check)
        assert done.returncode == 0, done.stderr.decode()
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def apply_and_die(self, task: Task, number: int) -> None:
        """Begin to make the service true, and be killed before the given write."""
        done = self._drive(task, number, check=False)
        assert done.returncode == KILLED, (done.stdout + done.stderr).decode()

    def _drive(self, task: Task, number: int, *, check: bool) -> subprocess.CompletedProcess[bytes]:
        request = json.dumps(
            {"params": _params(task), "check": check, "settle": self.settle}
        ).encode()
        argv = ["env", f"PYTHONPATH={PLACE}", "PYTHONDONTWRITEBYTECODE=1"]
        program = ["python3", f"{PLACE}/service_driver.py", str(number)]
        return self.lab.attempt("matrix", *argv, *program, stdin=request)

    def snapshot(self) -> frozenset[str]:
        """Return every path we could touch, with its kind, mode, owner and content."""
        return frozenset(self.shell(_SNAPSHOT).splitlines())

    def unit(self, name: str = "demo.service") -> str:
        """Return whether a unit runs and is enabled."""
        states = [self.run("systemctl", verb, name, may_fail=True) for verb in _ASKED]
        return " ".join(states)

    def invocation(self, name: str = "demo.service") -> str:
        return self.run("systemctl", "show", "--property=InvocationID", name)


_ASKED = ("is-active", "is-enabled")


def _without_caches(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in entry.name else entry


def _params(task: Task) -> dict[str, Any]:
    """Return the task as the module receives it from its action plugin."""
    files = [dict(entry) for entry in task.get("files", ())]
    contents = {e["path"]: e.pop("content").encode() for e in files if "content" in e}
    contents.update(task.get("contents", {}))  # requirements of venvs, by their paths
    given = {**task, "files": files, "contents": pack(contents)}
    validated = ArgumentSpecValidator(ARGUMENTS).validate(given)
    assert not validated.error_messages, validated.error_messages
    params: dict[str, Any] = validated.validated_parameters
    return params
