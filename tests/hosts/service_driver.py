# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a service on the host itself, and dies on request right before its n-th write.

Usage: service_driver.py NUMBER < request.json; 0 never dies.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from ansible_collections.homestead.matrix.plugins.module_utils.service.arguments import parse
from ansible_collections.homestead.matrix.plugins.module_utils.service.machine import Machine
from ansible_collections.homestead.matrix.plugins.module_utils.service.model import ServiceError
from ansible_collections.homestead.matrix.plugins.module_utils.service.run import make_true

WRITES = {"os.rename", "os.link", "os.symlink", "os.mkdir", "os.remove", "os.rmdir", "os.chmod"}
READERS = ("show", "--show", "--pager", "--no-pager", "--sync")


class Death:
    """Counts what changes the host, and kills the process before the wished one."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.count = 0

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self._writes(event, arguments):
            return
        self.count += 1
        if self.count == self.number:
            os.kill(os.getpid(), signal.SIGKILL)

    def _writes(self, event: str, arguments: tuple[object, ...]) -> bool:
        if event == "open":
            path, flags = arguments[0], arguments[2]
            writing = isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))
            # every program gets the null device as its input; what is open already has a number
            return writing and path != os.devnull and not isinstance(path, int)
        if event == "subprocess.Popen":
            return not any(word in READERS for word in arguments[1])  # type: ignore[attr-defined]
        if event in ("os.remove", "os.rmdir"):
            path, folder = arguments
            return _stands(str(path), folder if isinstance(folder, int) else -1)
        return event in WRITES


def _stands(path: str, folder: int) -> bool:
    """Tell whether something stands at a path, which may begin at an open directory."""
    try:
        os.stat(path, dir_fd=None if folder < 0 else folder, follow_symlinks=False)
    except OSError:
        return False
    return True


def main() -> None:
    request = json.load(sys.stdin)
    death = Death(int(sys.argv[1]))
    try:
        service = parse(request["params"])
        sys.addaudithook(death)
        check = request["check"]
        result = make_true(service, Machine(settle=request["settle"]), check=check, show_diff=True)
    except ServiceError as error:
        result = {"failed": True, "changed": False, "msg": str(error)}
    json.dump({**result, "writes": death.count}, sys.stdout)


if __name__ == "__main__":
    main()
