# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A browser on a host of a lab, steered from here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from selenium import webdriver
from selenium.webdriver.remote.webdriver import WebDriver

TOPOLOGY = Path(__file__).parent / "browser.toml"
HOST = "browser"
NUMBER = 7
"""The last part of the host's addresses, as in the topology."""
CHROMIUM = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars")
LOGS = {"browser": "ALL", "performance": "ALL"}


def drive(lab: Lab, host: str = HOST) -> WebDriver:
    """Open a browser."""
    options = webdriver.ChromeOptions()
    for argument in CHROMIUM:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", LOGS)
    return webdriver.Remote(f"http://{lab.host_address(host)}:9515", options=options)


def join(lab: Lab) -> None:
    """Add the browser's host to a lab of tests/lab/topology.toml, where it stays."""
    lab.up(only=(HOST,), topology=TOPOLOGY)


@contextmanager
def browser(lab: Lab) -> Iterator[WebDriver]:
    """Open a browser beside a finished server, and close it."""
    join(lab)
    driver = drive(lab)
    try:
        yield driver
    finally:
        driver.quit()


def hindered(page: WebDriver) -> list[str]:
    """Return what the page tried and may not do (Content Security Policy Level 3, Reporting)."""
    said = page.execute("getLog", {"type": "browser"})["value"]
    return [line["message"] for line in said if "Content Security Policy" in line["message"]]
