# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that each playbook loads, loaded once: warm_ansible.py forks playbooks from it."""

from __future__ import annotations

import importlib
import warnings

from ansible import constants
from ansible.plugins import loader

for _name in ("ansible.cli.playbook", "ansible.executor.process.worker"):
    importlib.import_module(_name)
loader.init_plugin_loader()
# Each playbook asks for it again.
warnings.filterwarnings("ignore", "AnsibleCollectionFinder has already been configured")
for _name in constants.INVENTORY_ENABLED:
    loader.inventory_loader.get(_name)
for _plugins, _name in [
    (loader.callback_loader, "default"),
    (loader.strategy_loader, "linear"),
    (loader.become_loader, "sudo"),
    (loader.connection_loader, "ssh"),
    (loader.shell_loader, "sh"),
    (loader.action_loader, "ansible.builtin.validate_argument_spec"),
    *(
        (loader.action_loader, f"homestead.matrix.{name}")
        for name in ("firewall", "host", "nginx_site", "service", "verify", "verify_report")
    ),
]:
    _plugins.get(_name, class_only=True)
