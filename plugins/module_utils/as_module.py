# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module does, done as a module of Ansible's."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .request import Answer, ModuleRequest


def run(answer: Answer, specification: dict[str, Any]) -> None:
    """Answer the request that Ansible sent."""
    module = AnsibleModule(argument_spec=specification, supports_check_mode=True)
    result = answer(ModuleRequest(module.params, check=module.check_mode, diff=module._diff))
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)
