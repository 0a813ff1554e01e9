# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a report as a person sees it: readable for everybody, everywhere, asking nobody."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from axe_core_python.selenium import Axe
from browser_lab import BrowserLab
from reports import HANDOVER, HOSTILE, PAGES, REPORTS
from selenium.webdriver.remote.webdriver import WebDriver

PHONE, DESK = 360, 1100
FOLDER = "/var/lib/report"
UNFOLD = "document.querySelectorAll('details').forEach(each => each.open = true)"
Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class Viewer:
    """A person with a browser, in front of one page."""

    browser: WebDriver
    page: str

    @property
    def address(self) -> str:
        return f"file://{FOLDER}/{self.page}.html"

    def look(self, *, scheme: Scheme = "light", width: int = DESK, unfold: bool = False) -> None:
        """Open the page on a screen of this width, liking these colours."""
        liked = [{"name": "prefers-color-scheme", "value": scheme}]
        self.command("Emulation.setEmulatedMedia", features=liked)
        screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width == PHONE}
        self.command("Emulation.setDeviceMetricsOverride", **screen)
        self.browser.get(self.address)
        if unfold:
            self.browser.execute_script(UNFOLD)

    def command(self, name: str, **parameters: Any) -> dict[str, Any]:
        """Give the browser a command that WebDriver has no word for."""
        given = {"cmd": name, "params": parameters}
        answer: dict[str, Any] = self.browser.execute("executeCdpCommand", given)["value"]
        return answer

    def log(self, kind: Literal["browser", "performance"]) -> list[dict[str, Any]]:
        """Return what the browser noted since the last call."""
        lines: list[dict[str, Any]] = self.browser.execute("getLog", {"type": kind})["value"]
        return lines

    def asked(self) -> list[str]:
        """Return the addresses that were asked since the last call."""
        logged = (json.loads(line["message"]) for line in self.log("performance"))
        events = [entry["message"] for entry in logged]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def tell(self, expression: str) -> Any:
        return self.browser.execute_script(f"return {expression}")


@pytest.fixture(scope="module")
def screen(lab: BrowserLab, browser: WebDriver) -> Iterator[WebDriver]:
    """Bring the pages to the browser's host, and open a window."""
    lab.put({("browser", f"{FOLDER}/{name}.html"): page.encode() for name, page in PAGES.items()})
    before = browser.current_window_handle
    browser.switch_to.new_window("tab")
    yield browser
    browser.close()
    browser.switch_to.window(before)


@pytest.fixture(params=REPORTS)
def viewer(screen: WebDriver, request: pytest.FixtureRequest) -> Viewer:
    return Viewer(screen, request.param)


def test_the_page_asks_nobody(viewer: Viewer) -> None:
    viewer.look()
    viewer.log("browser")
    viewer.asked()
    viewer.look(unfold=True)
    asked = [address for address in viewer.asked() if not address.startswith("data:")]
    assert asked == [viewer.address]
    assert viewer.log("browser") == []


SINGLE_SIGNS = {"nonBmp", "shortTextContent"}
FOLDED_AWAY = {"bgOverlap", "elmPartiallyObscured", "elmPartiallyObscuring"}


@pytest.mark.parametrize(
    ("scheme", "width", "unfold"),
    [
        pytest.param("light", DESK, False, id="light"),
        pytest.param("dark", DESK, True, id="dark, unfolded"),
        pytest.param("light", PHONE, True, id="light phone, unfolded"),
        pytest.param("dark", PHONE, False, id="dark phone"),
    ],
)
def test_the_page_is_accessible(viewer: Viewer, scheme: Scheme, width: int, unfold: bool) -> None:
    viewer.look(scheme=scheme, width=width, unfold=unfold)
    found = Axe().run(viewer.browser, options={"resultTypes": ["violations", "incomplete"]})
    assert "color-contrast" in {rule["id"] for rule in found["passes"]}
    assert [violation(rule) for rule in found["violations"]] == []
    assert set(undecided(found["incomplete"])) <= SINGLE_SIGNS | (set() if unfold else FOLDED_AWAY)


def violation(rule: dict[str, Any]) -> str:
    """Return what is violated, and where first."""
    return f"{rule['help']}: {rule['nodes'][0]['html'][:200]}"


def undecided(rules: list[dict[str, Any]]) -> list[str]:
    """Return why rules could not be decided: single signs, which have the colour of their words."""
    checks = [check for rule in rules for node in rule["nodes"] for check in node["any"]]
    return [str((check["data"] or {}).get("messageKey", check["id"])) for check in checks]


def brightness(color: str) -> float:
    """Return how bright a colour like rgb(255, 0, 0) is, between 0 and 1."""
    return sum(int(part) for part in re.findall(r"\d+", color)[:3]) / 3 / 255


def test_dark_mode_is_dark(viewer: Viewer) -> None:
    seen = {}
    for scheme in ("light", "dark"):
        viewer.look(scheme=scheme)
        style = "getComputedStyle(document.{}).{}"
        paper = viewer.tell(style.format("body", "backgroundColor"))
        ink = viewer.tell(style.format("querySelector('h2')", "color"))
        seen[scheme] = brightness(paper), brightness(ink)
    assert seen["light"][0] > 0.9 > 0.3 > seen["light"][1]
    assert seen["dark"][0] < 0.1 < 0.8 < seen["dark"][1]


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_nothing_stands_beside_the_screen(viewer: Viewer, width: int) -> None:
    viewer.look(width=width, unfold=True)
    assert viewer.tell("innerWidth") == width
    assert viewer.tell("document.documentElement.scrollWidth") == width


def test_the_verdict_is_seen_at_once(viewer: Viewer) -> None:
    viewer.look(width=PHONE)
    bottom = viewer.tell("document.querySelector('.headline').getBoundingClientRect().bottom")
    assert bottom < 200
    expected = {"healthy": "Verified", "faulty": "errors to repair"}[viewer.page]
    assert expected in viewer.tell("document.querySelector('.headline').innerText")


def test_the_page_prints(viewer: Viewer) -> None:
    viewer.look(scheme="dark")
    assert base64.b64decode(viewer.command("Page.printToPDF")["data"]).startswith(b"%PDF")
    viewer.command("Emulation.setEmulatedMedia", media="print")
    shown = "[...document.querySelectorAll('.row .message')].map(each => each.checkVisibility())"
    assert viewer.tell(f"new Set({shown}).has(false)") is False
    assert brightness(viewer.tell("getComputedStyle(document.body).backgroundColor")) == 1


def test_hostile_text_stays_text(screen: WebDriver) -> None:
    viewer = Viewer(screen, "faulty")
    viewer.look(unfold=True)
    assert viewer.tell("document.body.innerText").count(HOSTILE) >= 5
    assert viewer.tell("document.querySelectorAll('script, img, iframe, object').length") == 0
    assert "taken" not in viewer.tell("document.title")


def test_every_link_leads_somewhere(viewer: Viewer) -> None:
    viewer.look()
    links = viewer.tell("[...document.links].map(each => each.getAttribute('href'))")
    assert len(links) > 3
    for link in links:
        assert link.startswith("#")
        assert viewer.tell(f"document.getElementById({json.dumps(link[1:])}) !== null"), link


@pytest.mark.parametrize(("scheme", "width"), [("light", DESK), ("dark", PHONE)])
def test_the_handover_page(screen: WebDriver, scheme: Scheme, width: int) -> None:
    """It is accessible, fits the screen, asks nobody, and leads to the report beside it."""
    viewer = Viewer(screen, HANDOVER)
    viewer.asked()
    viewer.look(scheme=scheme, width=width)
    assert [each for each in viewer.asked() if not each.startswith("data:")] == [viewer.address]
    assert viewer.tell("document.documentElement.scrollWidth") == width
    found = Axe().run(viewer.browser, options={"resultTypes": ["violations", "incomplete"]})
    assert "color-contrast" in {rule["id"] for rule in found["passes"]}
    assert [violation(rule) for rule in found["violations"]] == []
    assert set(undecided(found["incomplete"])) <= SINGLE_SIGNS
    assert HOSTILE in viewer.tell("document.body.innerText")
    assert viewer.tell("document.querySelectorAll('script, img').length") == 0
    viewer.tell("document.querySelector('.when a').click()")
    assert "seen from outside" in viewer.tell("document.body.innerText")
