# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab with a browser in it, started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser_lab import TOPOLOGY, BrowserLab
from selenium.webdriver.remote.webdriver import WebDriver


@pytest.fixture(scope="session")
def lab() -> Iterator[BrowserLab]:
    lab = BrowserLab("browser")
    lab.up(topology=TOPOLOGY)
    yield lab
    lab.down()


@pytest.fixture(scope="session")
def browser(lab: BrowserLab) -> Iterator[WebDriver]:
    driver = lab.drive()
    yield driver
    driver.quit()
