# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module `service` does."""

from __future__ import annotations

from ..request import ModuleRequest, Result
from ..service.arguments import parse
from ..service.machine import Machine
from ..service.model import (
    ServiceError,
    empty_answer,
    words,
)
from ..service.run import make_true


def answer(request: ModuleRequest) -> Result:
    """Make the service true, or say what would change or what is wrong."""
    try:
        return make_true(
            parse(request.arguments), Machine(), check=request.check, show_diff=request.diff
        )
    except (ServiceError, OSError) as error:
        return empty_answer(words(error))
