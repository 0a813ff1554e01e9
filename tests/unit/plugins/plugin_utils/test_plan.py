# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site
from ansible_collections.homestead.matrix.plugins.plugin_utils.plan.operators_plan import (
    columns,
    plan,
    text,
)

DOCS = Path(__file__).parents[4] / "docs"
SCHEMA = json.loads((DOCS / "plan.schema.json").read_text(encoding="utf-8"))
SUPPORT = {"contacts": [{"role": "m.role.admin", "matrix_id": "@admin:example.com"}]}

MAIL = {
    "components": ["postmoogle"],
    "bridge_admins": ["@alice:example.com"],
    "postmoogle_domains": ["example.com"],
    "postmoogle_sha256": "a" * 64,
}
CASES = [
    pytest.param({}, id="the domain alone"),
    pytest.param({"support": SUPPORT}, id="with support"),
    pytest.param({"hostname": "example.com"}, id="one name for both"),
    pytest.param(
        {"components": ["heisenbridge"], "bridge_admins": ["@alice:example.com"]}, id="a bridge"
    ),
    pytest.param(MAIL, id="e-mail"),
    pytest.param(
        {"oidc_providers": [{"id": "club", "issuer": "https://id.example.com", "client_id": "x"}]},
        id="single sign-on",
    ),
    pytest.param({"smtp": {"host": "a.test", "from": "m@b.test"}}, id="a relay for e-mail"),
    pytest.param({"serve_base_domain": True, "addresses": ["192.0.2.1"]}, id="base domain here"),
    pytest.param(
        {"sources": {"ssh": ["192.0.2.0/24"]}, "extra_ports": [{"protocol": "udp", "first": 7000}]},
        id="the operator's own ports",
    ),
]


PUBLISHED = [
    {"protocol": "tcp", "first": 443, "last": 443, "to": "172.17.0.2:443"},
    {"protocol": "tcp", "first": 8080, "last": 8080, "to": "172.17.0.2:80"},
    {"protocol": "udp", "first": 8000, "last": 8003, "to": "[fd00::2]:8000-8003"},
]


def planned(**inputs: object) -> Any:
    return plan(site("example.com", inputs))


def test_the_host_s_key_stands_in_the_plan_once_there_is_one() -> None:
    site_with_mail = site("example.com", MAIL)
    unknown, known = plan(site_with_mail), plan(site_with_mail, None, {"postmoogle_dkim": "MIIB"})
    name = "postmoogle._domainkey.example.com"
    values = [
        [row["value"] for row in each["dns_records"] if row["name"] == name]
        for each in (unknown, known)
    ]
    assert values == [[None], ["v=DKIM1; k=rsa; p=MIIB"]]
    for each in (unknown, known):
        jsonschema.validate(each, SCHEMA)
    assert f"{name}  TXT   (made on the host by the first run" in text(unknown)


def planned_with(published: list[dict[str, object]] | None) -> Any:
    return plan(site("example.com", {}), published)


@pytest.mark.parametrize("inputs", CASES)
def test_the_form_is_the_documented_one(inputs: dict[str, object]) -> None:
    jsonschema.validate(planned(**inputs), SCHEMA)


def test_every_key_is_documented() -> None:
    assert set(planned()) == set(SCHEMA["properties"]) == set(SCHEMA["required"])
    guide = (DOCS / "plan.md").read_text(encoding="utf-8")
    assert all(f"`{key}`" in guide for key in planned())


def test_the_example_of_the_guide_is_true() -> None:
    guide = (DOCS / "plan.md").read_text(encoding="utf-8")
    tcp = [port for port in planned()["ports"] if port["protocol"] == "tcp"]
    assert "\n".join(f"{port['first']}-{port['last']}" for port in tcp) + "\n```" in guide


def test_snippets_exist_only_for_redirects() -> None:
    assert list(planned()["snippets"]) == ["nginx", "caddy", "apache", "static"]
    assert planned(hostname="example.com")["snippets"] == {}


def test_every_snippet_names_every_redirect() -> None:
    result = planned(support=SUPPORT)
    for name in ("nginx", "caddy", "apache"):
        for redirect in result["redirects"]:
            assert redirect["to"] in result["snippets"][name]
        assert "Access-Control-Allow-Origin" in result["snippets"][name]


def test_static_hosts_get_the_documents() -> None:
    snippet = planned(support=SUPPORT)["snippets"]["static"]
    documents = [line for line in snippet.splitlines() if line.startswith("{")]
    assert [json.loads(line) for line in documents] == list(
        planned(support=SUPPORT)["well_known"].values()
    )


@pytest.mark.parametrize("inputs", CASES)
def test_the_text_says_everything(inputs: dict[str, object]) -> None:
    result = planned(**inputs)
    said = text(result)
    for port in result["ports"]:
        assert str(port["first"]) in said
        assert port["purpose"] in said
    for record in result["dns_records"]:
        assert record["name"] in said
    for redirect in result["redirects"]:
        assert redirect["to"] in said
    for provider in result["single_sign_on"]:
        assert f"{provider['name']}  {provider['redirect_uri']}" in said
    for bot in result["bots"]:
        assert f"{bot['matrix_id']} ({bot['purpose']}): {bot['start']}" in said


def test_the_text_for_people() -> None:
    said = text(planned(hostname="example.com", sources={"ssh": ["192.0.2.0/24"]}))
    assert said.splitlines()[:8] == [
        "Plan for example.com on example.com",
        "",
        "Ports that the firewall of your provider must let through",
        "  22/tcp           SSH                                        only from 192.0.2.0/24",
        "  80/tcp           HTTP: certificates and redirects to HTTPS",
        "  443/tcp          HTTPS: clients",
        "  8448/tcp         HTTPS: federation with other servers",
        "  3478/tcp         TURN: calls",
    ]
    assert "Redirects" not in said


@pytest.mark.parametrize(
    ("published", "listed"),
    [
        pytest.param(None, None, id="nobody looked"),
        pytest.param([], [], id="nothing published"),
        pytest.param(PUBLISHED, PUBLISHED[1:], id="all but what is open anyway"),
    ],
)
def test_published_ports_as_data(
    published: list[dict[str, object]] | None, listed: list[dict[str, object]] | None
) -> None:
    result = planned_with(published)
    jsonschema.validate(result, SCHEMA)
    assert result["published"] == listed


def test_published_ports_for_people() -> None:
    lines = text(planned_with(PUBLISHED)).splitlines()
    start = lines.index("Ports that Docker publishes past the firewall")
    assert lines[start + 1 : start + 4] == [
        "  8080/tcp to 172.17.0.2:80. Publish it on 127.0.0.1 in the container's settings, "
        "like -p 127.0.0.1:8080:80, or list it in firewall_extra_ports if it shall be open.",
        "  8000-8003/udp to [fd00::2]:8000-8003. Publish it on ::1 in the container's settings, "
        "like -p [::1]:8000-8003:8000-8003/udp, "
        "or list it in firewall_extra_ports if it shall be open.",
        "",
    ]


@pytest.mark.parametrize("published", [None, [], PUBLISHED[:1]])
def test_without_published_ports_there_is_no_section(
    published: list[dict[str, object]] | None,
) -> None:
    assert "Docker" not in text(planned_with(published))


def test_columns_are_aligned() -> None:
    assert columns([["a", "bb", "c"], ["dddd", "e", ""]]) == ["a     bb  c", "dddd  e"]
