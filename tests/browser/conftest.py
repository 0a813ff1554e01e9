# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab with a browser in it, started once."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from browser_lab import Lab
from selenium.webdriver.remote.webdriver import WebDriver


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    lab = Lab(name=os.environ.get("BROWSER_LAB", "browser"))
    lab.up()
    yield lab
    if "BROWSER_KEEP" not in os.environ:
        lab.down()


@pytest.fixture(scope="session")
def browser(lab: Lab) -> Iterator[WebDriver]:
    driver = lab.drive()
    yield driver
    driver.quit()
