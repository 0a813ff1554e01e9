# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the site by the code that the host keeps."""

from __future__ import annotations

from ..module_utils.arguments.nginx_site import ARGUMENTS
from ..plugin_utils.program.kept_code import PlainKeptAction


class ActionModule(PlainKeptAction):
    """Runs the module."""

    module = "nginx_site"
    specification = ARGUMENTS
