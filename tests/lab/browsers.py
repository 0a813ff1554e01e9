# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A browser on a host of a lab, steered from here."""

from __future__ import annotations

from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from selenium import webdriver
from selenium.webdriver.remote.webdriver import WebDriver

CHROMIUM = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars")
LOGS = {"browser": "ALL", "performance": "ALL"}


def drive(lab: Lab, host: str = "browser") -> WebDriver:
    """Open a browser."""
    options = webdriver.ChromeOptions()
    for argument in CHROMIUM:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", LOGS)
    return webdriver.Remote(f"http://{lab.host_address(host)}:9515", options=options)
