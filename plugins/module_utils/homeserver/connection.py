# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which homeserver answers: the one place that another one would change."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..synapse.admin import http
from ..synapse.homeserver import sign_in

if TYPE_CHECKING:
    from .interface import Connect


def at(url: str) -> Connect:
    """Return how to sign in at the Synapse that listens at `url`."""
    return partial(sign_in, http(url))
