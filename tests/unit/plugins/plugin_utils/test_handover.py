# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The handover page: what it says, for people and programs."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description import components
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site
from ansible_collections.homestead.matrix.plugins.plugin_utils.handover.handover import (
    handover,
    with_verification,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.handover.page import (
    as_html,
    as_json,
    as_markdown,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.report import (
    Report,
    Sighting,
)
from ansible_collections.homestead.matrix.tests.lab.example_component import ROW
from referencing import Registry, Resource

DOCS = Path(__file__).parents[4] / "docs"
SCHEMAS = {path.name: json.loads(path.read_text()) for path in DOCS.glob("*.schema.json")}
REGISTRY: Registry[Any] = Registry().with_resources(
    (name, Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)
BRIDGE = {"components": ["heisenbridge"], "bridge_admins": ["@alice:example.com"]}
CASES = {
    "the domain alone": {},
    "a bridge": BRIDGE,
    "addresses": {"addresses": ["192.0.2.1", "2001:db8::1"]},
    "nobody may register": {"registration": "closed"},
    "single sign-on": {
        "oidc_providers": [
            {"id": "google", "preset": "google", "client_id": "x", "domain": "example.com"}
        ]
    },
    "everybody may register": {"registration": "open", "registration_open_accepted": True},
    "an own port": {"extra_ports": [{"protocol": "udp", "first": 7000, "purpose": "a|b <i>"}]},
}


def found(verdict: Any) -> Report:
    finding = Sighting("a.b", "turn", verdict, "It is so.")
    return Report("example.com", (finding,), "2026-01-02T03:04:05Z", ("here",))


def handed(verdict: str = "", **inputs: object) -> dict[str, Any]:
    document = handover(site("example.com", inputs))
    return with_verification(document, found(verdict)) if verdict else document


@pytest.mark.parametrize("verdict", ["", "ok", "error"])
@pytest.mark.parametrize("inputs", CASES.values(), ids=CASES)
def test_the_form_is_the_documented_one(inputs: dict[str, object], verdict: str) -> None:
    schema = SCHEMAS["handover.schema.json"]
    validator = jsonschema.Draft202012Validator(schema, registry=REGISTRY)
    validator.validate(json.loads(as_json(handed(verdict, **inputs))))


def test_every_key_is_documented() -> None:
    schema = SCHEMAS["handover.schema.json"]
    assert set(handed()) == set(schema["properties"]) == set(schema["required"])
    guide = (DOCS / "handover.md").read_text(encoding="utf-8")
    assert all(f"`{key}`" in guide for key in handed())


def texts(value: object) -> list[str]:
    """Return all that is said in a document."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("inputs", CASES.values(), ids=CASES)
def test_pages_say_all_of_it(inputs: dict[str, object]) -> None:
    document = handed("ok", **inputs)
    spoken = {key: document[key] for key in ("addresses", "bots", "next", "hints", "dns_records")}
    html = unescape(as_html(document))
    markdown = re.sub(r"\\(.)", r"\1", as_markdown(document))
    for text in (*texts(spoken), *(port["purpose"] for port in document["ports"])):
        assert text in html
        assert text in markdown
    assert document["registration"]["how"] in html


def test_every_way_to_register_has_its_words() -> None:
    smtp = {"host": "a.test", "from": "a@b.test"}
    ways = components.REGISTRATIONS
    said = {
        handed(smtp=smtp, registration=way, registration_open_accepted=True)["registration"]["how"]
        for way in ways
    }
    assert len(said) == len(ways)


def test_the_trap_of_bots_is_told_only_where_there_are_some() -> None:
    titles = [hint["title"] for hint in handed(**BRIDGE)["hints"]]
    assert titles == ["The first joins are slow", "A bot does not answer"]
    assert len(handed()["hints"]) == 1
    assert "@heisenbridge:example.com" in as_markdown(handed(**BRIDGE))


def test_the_host_s_key_stands_in_its_record() -> None:
    mail = {"postmoogle_domains": ["example.com"], "postmoogle_sha256": "a" * 64}
    bridge = {"components": ["postmoogle"], "bridge_admins": ["@alice:example.com"]}
    document = handover(site("example.com", {**bridge, **mail}), {"postmoogle_dkim": "MIIB"})
    assert "v=DKIM1; k=rsa; p=MIIB" in [row["value"] for row in document["dns_records"]]


def test_what_is_broken_comes_first() -> None:
    assert "report.html" in handed("error")["next"][0]["text"]
    assert "report.html" not in handed("ok")["next"][0]["text"]
    assert "1 error to repair" in as_html(handed("error"))
    assert "Verified: [the report](report.html)" in as_markdown(handed("ok"))


def test_a_component_gets_its_line_from_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with a name of its own, and though its row has no words for people."""
    monkeypatch.setitem(components.COMPONENTS, ROW.name, ROW)
    document = handed(components=["example"])
    assert document["parts"] == [
        {
            "name": "example",
            "title": "Example",
            "address": "https://example.example.com",
            "about": "",
        }
    ]
    assert "| Example | https://example.example.com |" in as_markdown(document)


def test_rows_have_words_that_can_be_filled() -> None:
    words = {"domain": "d", "hostname": "h", "name": "n"}
    for row in components.COMPONENTS.values():
        assert "{" not in row.handover.format(**words)
        assert row.handover or not row.optional, row.name


def test_markdown_of_an_operator_stays_text() -> None:
    said = as_markdown(handed(**CASES["an own port"]))
    assert r"| 7000/udp | a\|b \<i\> | everybody |" in said
