# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One server for all components; each file leaves it without its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from changing import changes


@pytest.fixture(scope="session")
def changing(server: Lab) -> Iterator[Lab]:
    """Return the finished server, and see at the end that it is as it was."""
    yield server
    assert changes(server) == 0
