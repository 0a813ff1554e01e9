# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cases of server-name resolution beyond the vectors, in their form."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.vectors import (
    resolution_fault,
)

URL = "https://example.com/.well-known/matrix/server"
BODY = '{"m.server":"matrix.example.com:443"}'
ERROR = {"error": "any"}
FALLBACK = {"step": "6", "connect": ["192.0.2.1:8448"], "host_header": "example.com"}
DELEGATED = {"step": "3.2", "connect": ["192.0.2.2:443"], "certificate_name": "matrix.example.com"}


def fault(
    expect: dict[str, Any], *, name: str = "example.com", https: Any = None, dns: Any = ()
) -> str:
    case = {"server_name": name, "dns": list(dns), "https": https, "expect": expect}
    return resolution_fault(case)


def srv(name: str, *target: Any) -> dict[str, Any]:
    priority, weight, port, host = target
    record = {"priority": priority, "weight": weight, "port": port, "target": host}
    return {"name": name, "type": "SRV", **record}


WRONG = [
    *("example.com:0", "example.com:65536", "example.com:123456", "example.com:", "exa_mple.com"),
    *("256.1.1.1", "[::1", "::1", "[1.2.3.4]", "a b", "a" * 64 + ".com", "a." * 128 + "com"),
    *("example.com/", "user@example.com", "example.com:80:80", " example.com", "example.com\n"),
]


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_a_server_name(name: str) -> None:
    assert fault(ERROR, name=name, https="not_requested") == ""


@pytest.mark.parametrize(
    ("name", "expect"),
    [
        pytest.param(
            "[2001:db8::1]:443",
            {"step": "1", "connect": ["[2001:db8::1]:443"], "host_header": "[2001:db8::1]:443"},
            id="IPv6 with port",
        ),
        pytest.param(
            "1.2.3.4",
            {"step": "1", "connect": ["1.2.3.4:8448"], "host_header": "1.2.3.4"},
            id="IPv4 without port",
        ),
        pytest.param(
            "example.com:00443",
            {"step": "2", "connect": ["192.0.2.1:443"], "host_header": "example.com:00443"},
            id="the host header is as written",
        ),
    ],
)
def test_names_that_say_where_to_go(name: str, expect: dict[str, Any]) -> None:
    assert fault(expect, name=name, https="not_requested") == ""


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"status": 200, "body": body}, id=body[:20] or "empty")
        for body in (
            "",
            "[]",
            "null",
            '"matrix.example.com"',
            "\ufeff" + BODY,
            '{"m.server":null}',
            '{"m.server":""}',
            '{"m.server":" matrix.example.com"}',
            '{"m.server":"matrix.example.com:"}',
            '{"m.server":"matrix.example.com:99999"}',
            '{"m.server":"bücher.example"}',
            '{"m.server":"matrix.example.com:443","a":NaN}',
            '{"m_server":"matrix.example.com:443"}',
        )
    ]
    + [pytest.param({"status": status, "body": BODY}, id=str(status)) for status in (204, 404, 500)]
    + [
        pytest.param({"status": 302, "location": "http://example.com/a"}, id="downgrade"),
        pytest.param({"status": 302}, id="nowhere"),
        pytest.param("no_connection", id="no connection"),
    ],
)
def test_documents_that_peers_ignore(answer: Any) -> None:
    https = {URL: answer, "http://example.com/a": {"status": 200, "body": BODY}}
    assert fault(FALLBACK, https=https) == ""


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_relative_redirects(status: int) -> None:
    https = {
        URL: {"status": status, "location": "/a"},
        "https://example.com/a": {"status": 200, "body": BODY},
    }
    assert fault(DELEGATED, https=https) == ""


@pytest.mark.parametrize(("count", "expect"), [(5, DELEGATED), (6, FALLBACK)])
def test_number_of_redirects(count: int, expect: dict[str, Any]) -> None:
    urls = [URL, *(f"https://example.com/{number}" for number in range(count))]
    https: dict[str, Any] = {
        here: {"status": 302, "location": there} for here, there in zip(urls, urls[1:])
    }
    https[urls[-1]] = {"status": 200, "body": BODY}
    assert fault(expect, https=https) == ""


FED, OLD = "_matrix-fed._tcp.example.com", "_matrix._tcp.example.com"


@pytest.mark.parametrize(
    ("dns", "expect"),
    [
        pytest.param([srv(FED, 0, 0, 0, ".")], ERROR, id="no service here"),
        pytest.param(
            [srv(FED, 1, 1, 8449, "gone.example.net"), srv(FED, 2, 1, 8450, "fed2.example.net")],
            {"step": "4", "connect": ["192.0.2.4:8450"]},
            id="one target of two is gone",
        ),
        pytest.param(
            [srv(FED, 1, 1, 1, "fed.example.net"), srv(FED, 1, 9, 2, "fed2.example.net")],
            {"step": "4", "connect": ["192.0.2.4:2", "192.0.2.3:1"]},
            id="heavier targets first",
        ),
        pytest.param(
            [srv(FED, 1, 1, 1, "fed.example.net"), srv(FED, 1, 1, 1, "fed.example.net")],
            {"step": "4", "connect": ["192.0.2.3:1"]},
            id="the same target twice",
        ),
        pytest.param(
            [{"name": OLD, "type": "SRV", "error": "TIMEOUT"}], ERROR, id="old name in doubt"
        ),
        pytest.param(
            [
                srv(FED, 1, 1, 1, "fed.example.net"),
                {"name": OLD, "type": "SRV", "error": "SERVFAIL"},
            ],
            {"step": "4", "connect": ["192.0.2.3:1"]},
            id="old name not needed",
        ),
        pytest.param(
            [{"name": "example.com", "type": "A", "error": "SERVFAIL"}], ERROR, id="no addresses"
        ),
        pytest.param(
            [
                {"name": "example.com", "type": "A", "error": "SERVFAIL"},
                {"name": "example.com", "type": "AAAA", "value": "2001:db8::a"},
            ],
            {"step": "6", "connect": ["[2001:db8::a]:8448"]},
            id="half of the addresses",
        ),
        pytest.param(
            [{"name": "example.com", "type": "CNAME", "value": "example.com"}],
            ERROR,
            id="CNAME loop",
        ),
    ],
)
def test_records(dns: list[dict[str, Any]], expect: dict[str, Any]) -> None:
    assert fault(expect, https={URL: {"status": 404}}, dns=dns) == ""
