# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page on a foreign origin reads the documents exactly when the verifier says that it can."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.documents.wellknown import (
    FORGIVE,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import (
    Finding,
    Verdict,
)
from browser_lab import BrowserLab
from selenium.webdriver.remote.webdriver import WebDriver
from states import BASE, DOCUMENTS, STATES, State
from web import bring, make_certificates

# The verdicts of findings that mean: no browser can read the document. Without CORS headers a
# support document is worth a warning only, because the specification merely advises them; a
# document that is not there may well be information, or follow from a host that is not there.
# What other clients do not take, though browsers do, is an error whose evidence says so.
UNREADABLE: dict[str, frozenset[Verdict]] = {
    "well_known.{part}.status": frozenset({"error", "warning", "info", "skipped"}),
    "well_known.{part}.redirects": frozenset({"error"}),
    "well_known.{part}.cors": frozenset({"error", "warning"}),
    "well_known.{part}.json": frozenset({"error"}),
    "well_known.{part}.not_object": frozenset({"error"}),
}
PAGES = ("https://elsewhere.test/", "https://another.test/")
# What a client does in the browser (Client-Server API, Server Discovery).
SCRIPT = """
const [addresses, done] = arguments;
async function read(address) {
  const answer = await fetch(address, {cache: "no-store"});
  if (answer.status !== 200) return `status ${answer.status}`;
  const value = await answer.json();
  return value instanceof Object && !Array.isArray(value) ? "read" : "not an object";
}
Promise.all(addresses.map(address => read(address).catch(String))).then(done);
"""


@pytest.fixture(scope="module")
def pages(browser: WebDriver) -> list[str]:
    """Open a page of each foreign origin in a window of its own."""
    windows = []
    for page in PAGES:
        browser.switch_to.new_window("tab")
        browser.get(page)
        assert "Our club" in browser.page_source
        windows.append(browser.current_window_handle)
    return windows


@pytest.fixture(scope="module")
def web(lab: BrowserLab) -> Iterator[BrowserLab]:
    make_certificates(lab)
    yield lab
    bring(lab, STATES["healthy"])


def reads(browser: WebDriver, pages: list[str]) -> dict[str, list[str]]:
    """Return what the pages say of each document."""
    said = []
    for window in pages:
        browser.switch_to.window(window)
        addresses = [f"https://{BASE}/.well-known/matrix/{part}" for part in DOCUMENTS]
        said.append(browser.execute_async_script(SCRIPT, addresses))
    return {part: list(found) for part, *found in zip(DOCUMENTS, *said, strict=True)}


def blamed(findings: tuple[Finding, ...], part: str) -> list[Finding]:
    """Return the findings by which a browser cannot read a document."""
    meant = {identity.format(part=part): verdicts for identity, verdicts in UNREADABLE.items()}
    return [
        item
        for item in findings
        if item.verdict in meant.get(item.id, ()) and item.evidence.get("browsers") != FORGIVE
    ]


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_browser_and_verifier_agree(
    web: BrowserLab, browser: WebDriver, pages: list[str], state: State
) -> None:
    bring(web, state)
    said, findings = reads(browser, pages), web.verify(BASE).findings
    for part, found in said.items():
        reasons = blamed(findings, part)
        assert all(item == "read" for item in found) is state.readable, found
        assert (not reasons) is state.readable, (found, reasons)
