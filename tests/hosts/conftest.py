# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests on real hosts share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from service_host import ServiceHost

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", params=["12", "13"])
def bare_host(request: pytest.FixtureRequest) -> Iterator[ServiceHost]:
    """Start a bare host of each Debian release, once."""
    host = ServiceHost.up(request.param)
    yield host
    host.lab.down()


@pytest.fixture
def service_host(bare_host: ServiceHost) -> Iterator[ServiceHost]:
    """Give each test the host as bare as it was."""
    yield bare_host
    bare_host.apply({"name": "demo", "state": "absent", "units": ["demo.service"]})
    bare_host.shell("umount /etc/demo /opt/demo 2>/dev/null; rm -rf /opt/demo /var/lib/demo")
    bare_host.shell("rm -rf /etc/demo /etc/homestead /var/lib/homestead; systemctl daemon-reload")
