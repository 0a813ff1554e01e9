# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of the firewall commit: drop the connection, prove a new one, confirm."""

from __future__ import annotations

import time
import uuid
from functools import partial
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

from ..module_utils.arguments.firewall import ARGUMENTS
from ..plugin_utils.program.kept_code import KeptAction
from ..plugin_utils.program.packages import install

PATIENCE = 30  # seconds after the host's own undoing until we call it unreachable


class ActionModule(KeptAction):
    """Commit rules with proof."""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Apply, install what is missing, prove."""
        super().run(tmp, task_vars)
        token = uuid.uuid4().hex
        result = self._phase("apply", token=token, task_vars=task_vars)
        if result.get("packages") and not self._task.check_mode:
            packages = result["packages"]
            if failure := install(packages, partial(self._call, variables=task_vars or {})):
                return {**result, "failed": True, "changed": False, "msg": failure}
            result = self._phase("apply", token=token, task_vars=task_vars)
            result["packages"] = packages
        if result.get("pending"):
            result = {**result, "pending": False, **self._prove(token, task_vars=task_vars)}
        return result

    def _phase(self, phase: str, *, token: str, task_vars: Any) -> dict[str, Any]:
        commit = {"phase": phase, "token": token, "over_ssh": self._can_reconnect()}
        arguments = {**self._task.args, **commit}
        return self._ask("firewall", ARGUMENTS, arguments, task_vars)

    def _prove(self, token: str, *, task_vars: Any) -> dict[str, Any]:
        """Try new connections until one confirms, or hears that the host undid the change."""
        seconds = int(self._task.args.get("rollback_seconds", 45))
        deadline = time.monotonic() + seconds + PATIENCE
        last_error = ""
        while time.monotonic() < deadline:
            try:
                proof = self._confirm(token, task_vars=task_vars)
            except AnsibleConnectionFailure as error:  # noqa: PERF203 - each try is a connection
                last_error = str(error).strip()
                time.sleep(1)
            else:
                return _verdict(proof, last_error=last_error)
        raise AnsibleConnectionFailure(
            f"The host undoes a change without proof after {seconds} seconds, but "
            f"{seconds + PATIENCE} seconds after it no connection gets through: {last_error}"
        )

    def _confirm(self, token: str, *, task_vars: Any) -> dict[str, Any]:
        if self._can_reconnect():
            self._connection.reset()
        return self._phase("confirm", token=token, task_vars=task_vars)

    def _can_reconnect(self) -> bool:
        return type(self._connection).reset is not ConnectionBase.reset


def _verdict(proof: dict[str, Any], *, last_error: str) -> dict[str, Any]:
    """Return what a proof, or its failure, changes in the result of the task."""
    if not proof.get("failed"):
        return {}
    cause = f" (a try before ended with: {last_error})" if last_error else ""
    return {"failed": True, "changed": False, "msg": f"{proof['msg']}{cause}."}
