# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the description is said alone, not behind what Ansible did when it came up.

`matrix_site` is evaluated where it is used: in an argument of the first task. What fails there,
Ansible says behind the task, the argument and the filter.
"""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError, AnsibleFilterError
from ansible.plugins.action import ActionBase


class DescriptionError(AnsibleFilterError):
    """The description is wrong; the message says how, and what would be right."""


class Refusal(str):
    """The fault of a description, in the place of an argument that follows from it."""

    __slots__ = ()


class RefusingAction(ActionBase):
    """An action that fails with the fault of the description and nothing else."""

    @classmethod
    def finalize_task_arg(cls, name: str, value: Any, templar: Any, context: Any) -> Any:
        """Evaluate an argument; Ansible calls this before `run`."""
        try:
            return super().finalize_task_arg(name, value, templar, context)
        except AnsibleError as error:
            fault: BaseException | None = error
            while fault:
                if isinstance(fault, DescriptionError):
                    return Refusal(fault.message)
                fault = fault.__cause__
            raise

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Fail if an argument could not be had."""
        for given in self._task.args.values():
            if isinstance(given, Refusal):
                raise AnsibleActionFail(str(given))
        result: dict[str, Any] = super().run(tmp, task_vars)
        return result
