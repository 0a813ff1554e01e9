# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs where the collection's code is kept: a request comes in, a result goes out."""

from __future__ import annotations

import importlib
import json
import sys

from .request import ModuleRequest

_ANSWERS = "ansible_collections.homestead.matrix.plugins.module_utils.answers"


def main() -> None:
    """Answer one request from standard input, as one line of JSON."""
    told = json.load(sys.stdin)
    module = importlib.import_module(f"{_ANSWERS}.{told.pop('module')}")
    json.dump(module.answer(ModuleRequest(**told)), sys.stdout)
