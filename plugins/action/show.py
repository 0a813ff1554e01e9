# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print a text as people read it, and not as a quoted result."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display


class ActionModule(ActionBase):
    """Prints on the controller; the host is not contacted."""

    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Print the text."""
        super().run(tmp, task_vars)
        _unused, arguments = self.validate_argument_spec(  # type: ignore[no-untyped-call]  # Ansible's
            {"text": {"type": "str", "required": True}}
        )
        Display().display(arguments["text"])
        return {"changed": False}
