# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module homestead.matrix.host, and makes the filters ready for all later tasks.

Ansible runs each task in a process of its own and compiles the Python of a collection anew in
each. It imports this file before it forks for the first task, so what is loaded here is ready in
every process: about 40 ms less of the controller's processor for each task.
"""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.loader import filter_loader

from ..module_utils.arguments.host import ARGUMENTS
from ..plugin_utils.program.kept_code import KeptAction

for _name in ("site", "secret"):
    filter_loader.get(f"homestead.matrix.{_name}")


class ActionModule(KeptAction):
    """Runs the module; with `refuse: false` a host that is not there is no failure."""

    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run the module."""
        super().run(tmp, task_vars)
        _unused, arguments = self.validate_argument_spec(ARGUMENTS)  # type: ignore[no-untyped-call]  # Ansible's
        is_optional = not (arguments["refuse"] or arguments["turn_credentials"])
        try:
            result = self._ask("host", ARGUMENTS, self._task.args, task_vars or {})
        except AnsibleError:
            if not is_optional:
                raise
            result = {"failed": True}
        if result.get("failed") and is_optional:
            return {"changed": False, "published": None}
        return result
