# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps an older Synapse's secrets by the code that the host keeps."""

from __future__ import annotations

from ..module_utils.arguments.adopt import ARGUMENTS
from ..plugin_utils.program.kept_code import PlainKeptAction


class ActionModule(PlainKeptAction):
    """Runs the module."""

    module = "adopt"
    specification = ARGUMENTS
