# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homestead.matrix.plugins.filter.blocked_names import left_out
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.dnsmasq import (
    BlockList,
    block_list,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site

BOTH = {"components": ["dnsmasq", "wireguard"]}


def derived(**inputs: object) -> Any:
    return site("example.com", {**BOTH, **inputs})


def test_it_knows_the_names_that_the_host_serves() -> None:
    result = derived(serve_base_domain=True)["dnsmasq"]
    assert result == {
        "names": ["matrix.example.com", "example.com"],
        "upstreams": [],
        "block_lists": [],
    }


def test_without_it_there_is_nothing() -> None:
    result = derived(components=["wireguard"])
    assert result["dnsmasq"] == {}
    assert not [port for port in result["listens"] if " 53 " in port]


def test_it_runs_after_the_tunnel() -> None:
    assert derived()["components"][-2:] == ["wireguard", "dnsmasq"]


def test_upstreams_are_kept_in_order() -> None:
    given = ["2001:db8::53", "192.0.2.53", "2001:DB8::53", "127.0.0.1"]
    result = derived(dnsmasq_upstreams=given)["dnsmasq"]
    assert result["upstreams"] == ["2001:db8::53", "192.0.2.53", "127.0.0.1"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        pytest.param(
            {"dnsmasq_upstreams": ["dns.example.com"]},
            "dnsmasq_upstreams cannot have 'dns.example.com'; write the address of a name server, "
            "like 192.0.2.53.",
            id="name of a name server",
        ),
        pytest.param(
            {"dnsmasq_upstreams": ["192.0.2.53#5353"]},
            "dnsmasq_upstreams cannot have '192.0.2.53#5353'; write the address of a name server, "
            "like 192.0.2.53.",
            id="name server with a port",
        ),
        pytest.param(
            {"dnsmasq_upstreams": "192.0.2.53"},
            "dnsmasq_upstreams must be a list, not a text.",
            id="no list of name servers",
        ),
        pytest.param(
            {"dnsmasq_upstreams": ["10.71.0.1"]},
            "dnsmasq_upstreams cannot have '10.71.0.1', where dnsmasq itself listens and would ask "
            "itself; write another name server's address.",
            id="itself",
        ),
        pytest.param(
            {"dnsmasq_upstreams": ["0.0.0.0"]},
            "dnsmasq_upstreams cannot have '0.0.0.0', which is no single host's address.",
            id="every address",
        ),
        pytest.param(
            {"dnsmasq_block_lists": ["lists/ads.txt"]},
            "dnsmasq_block_lists has 'lists/ads.txt'; write the whole path on the controller, like "
            "{{ inventory_dir }}/lists/ads.txt.",
            id="part of a path",
        ),
        pytest.param(
            {"dnsmasq_block_lists": ["/nowhere/ads.txt"]},
            "dnsmasq_block_lists has '/nowhere/ads.txt', which the controller cannot read: No such "
            "file or directory.",
            id="no file",
        ),
        pytest.param(
            {"dnsmasq_block_lists": ["/etc"]},
            "dnsmasq_block_lists has '/etc', which the controller cannot read: Is a directory.",
            id="directory",
        ),
        pytest.param(
            {"dnsmasq_block_lists": ["/dev/null"]},
            "dnsmasq_block_lists has '/dev/null', in which no line is a name to block, like "
            "ads.example.com.",
            id="nothing in it",
        ),
    ],
)
def test_what_is_refused(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - its text is compared as a whole
        derived(**given)
    assert str(refused.value) == sentence


def test_what_is_wrong_is_refused_without_the_component_too() -> None:
    with pytest.raises(ValueError, match="dnsmasq_upstreams cannot have 'x'"):
        derived(components=[], dnsmasq_upstreams=["x"])


def test_a_block_list_is_named_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "ads.txt"
    path.write_text("# comment\nads.example.com\n", encoding="utf-8")
    assert derived(dnsmasq_block_lists=[str(path)])["dnsmasq"]["block_lists"] == [str(path)]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        pytest.param("ads.example.com", {"ads.example.com"}, id="name"),
        pytest.param("  Ads.Example.COM.  # why", {"ads.example.com"}, id="as people write it"),
        pytest.param("_tracker.my-ads.example", {"_tracker.my-ads.example"}, id="underscore"),
        pytest.param("0.0.0.0 a.example b.example", {"a.example", "b.example"}, id="hosts"),
        pytest.param("127.0.0.1\ta.example", {"a.example"}, id="hosts with loopback"),
        pytest.param(":: a.example", {"a.example"}, id="hosts with IPv6"),
        pytest.param("127.0.0.1 localhost localhost.localdomain", set(), id="localhost"),
        pytest.param("fe80::1%lo0 localhost", set(), id="localhost with a zone"),
        pytest.param("255.255.255.255 broadcasthost", set(), id="broadcasthost"),
        pytest.param("0.0.0.0 0.0.0.0", set(), id="an address of none"),
        pytest.param("", set(), id="empty line"),
        pytest.param("# a.example", set(), id="comment"),
    ],
)
def test_lines_of_block_lists(line: str, names: set[str]) -> None:
    assert block_list([line]) == BlockList(names)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("||ads.example.com^", id="of a browser"),
        pytest.param("*.ads.example.com", id="star"),
        pytest.param("ads.example.com/banner", id="path"),
        pytest.param("com", id="one label"),
        pytest.param("a.example b.example", id="two names"),
        pytest.param("192.0.2.1", id="address"),
        pytest.param("192.0.2.1 router.example", id="leads somewhere"),
        pytest.param("0.0.0.0 a.example b..example", id="one of two"),
        pytest.param(f"{'a' * 64}.example", id="long label"),
        pytest.param("local=/x.example/", id="directive"),
        pytest.param("wërbung.example", id="not ASCII"),
    ],
)
def test_other_lines_are_told_apart(line: str) -> None:
    assert block_list(["ads.example", line]) == BlockList({"ads.example"}, [(2, line)])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        pytest.param(["||x^"], "line 1, '||x^', is left out: it holds no name to block.", id="one"),
        pytest.param(
            ["||x^", "||y^"],
            "2 lines are left out, because they hold no name to block; the first is line 1, "
            "'||x^'.",
            id="more",
        ),
    ],
)
def test_what_is_left_out_is_said(wrong: list[str], sentence: str) -> None:
    assert left_out(block_list(wrong)) == sentence
