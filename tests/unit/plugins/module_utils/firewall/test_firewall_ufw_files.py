# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of ufw; the texts were written by ufw 0.36.2 on Debian 13."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.ufw_files import (
    merged,
    purposes,
    setting,
    with_setting,
)

TEXTS = Path(__file__).parent / "texts"
PRISTINE = (TEXTS / "pristine.rules").read_text(encoding="utf-8")
WRITTEN = (TEXTS / "user.rules").read_text(encoding="utf-8")
WRITTEN6 = (TEXTS / "user6.rules").read_text(encoding="utf-8")
OUR_RULES = """
### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=535348
-A ufw-user-input -p tcp --dport 22 -j ACCEPT

### tuple ### allow udp 49152:49573 0.0.0.0/0 any 192.0.2.7 in comment=5455524e
-A ufw-user-input -p udp -m multiport --dports 49152:49573 -s 192.0.2.7 -j ACCEPT
"""


def file(rules: str, *, head: str = "*filter\n", foot: str = "COMMIT\n") -> str:
    """Return a file with these rules, as ufw writes it."""
    return f"{head}### RULES ###\n{rules}\n### END RULES ###\n{foot}"


def rule(line: str, chain: str = "input", verdict: str = "ACCEPT") -> str:
    return f"\n### tuple ### {line}\n-A ufw-user-{chain} -p tcp --dport 99 -j {verdict}\n"


OURS = file(OUR_RULES)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("allow tcp 99 0.0.0.0/0 any 0.0.0.0/0 in", id="open"),
        pytest.param("allow tcp 99 0.0.0.0/0 any 192.0.2.7 in comment=535348", id="comment"),
        pytest.param("allow tcp 99 0.0.0.0/0 any 0.0.0.0/0 in_eth0", id="interface"),
        pytest.param("allow tcp 99 0.0.0.0/0 any 0.0.0.0/0 OpenSSH - in", id="application"),
        pytest.param("allow_log tcp 99 0.0.0.0/0 any 0.0.0.0/0 in", id="logged"),
        pytest.param("limit tcp 99 0.0.0.0/0 any 0.0.0.0/0 in comment=6f7574", id="limited"),
        pytest.param("allow any any 0.0.0.0/0 any 198.51.100.7 in", id="everything"),
    ],
)
def test_what_admits_makes_room(line: str) -> None:
    assert merged(file(rule(line)), ours=OURS) == OURS


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(rule("deny any any 0.0.0.0/0 any 203.0.113.9 in", verdict="DROP"), id="ban"),
        pytest.param(
            rule("deny any any 0.0.0.0/0 any 203.0.113.9 in comment=616c6c6f77", verdict="DROP"),
            id="ban with a comment",
        ),
        pytest.param(
            rule("reject tcp 99 0.0.0.0/0 any 0.0.0.0/0 in", verdict="REJECT"), id="refusal"
        ),
        pytest.param(
            rule("deny tcp 23 0.0.0.0/0 any 0.0.0.0/0 Telnet - in", verdict="DROP"),
            id="closed application",
        ),
        pytest.param(rule("allow udp 123 0.0.0.0/0 any 0.0.0.0/0 out", "output"), id="outgoing"),
        pytest.param(
            rule("allow udp 123 0.0.0.0/0 any 0.0.0.0/0 out comment=696e", "output"),
            id="outgoing with a comment",
        ),
        pytest.param(
            rule("route:allow any any 0.0.0.0/0 any 0.0.0.0/0 in_wg0!out_eth0", "forward"),
            id="forwarded",
        ),
        pytest.param(
            rule("route:allow any any 0.0.0.0/0 any 0.0.0.0/0 in", "forward"), id="forwarded by all"
        ),
    ],
)
@pytest.mark.parametrize("place", ["before", "after"])
def test_what_forbids_or_concerns_others_stays_first(kept: str, place: str) -> None:
    present = file(kept + OUR_RULES if place == "before" else OUR_RULES + kept)
    assert merged(present, ours=OURS) == file(kept + OUR_RULES)


def test_a_file_as_debian_delivers_it_becomes_ours() -> None:
    assert merged(PRISTINE, ours=OURS) == OURS


def test_no_file_becomes_ours() -> None:
    assert merged("", ours=OURS) == OURS


def test_what_stands_around_the_rules_stays() -> None:
    around = {"head": "*filter\n:ufw-mine - [0:0]\n", "foot": "### LOGGING ###\nCOMMIT\n"}
    assert merged(file("", **around), ours=OURS) == file(OUR_RULES, **around)


def test_without_ports_only_what_forbids_is_left() -> None:
    ban = rule("deny any any 0.0.0.0/0 any 203.0.113.9 in", verdict="DROP")
    assert merged(file(OUR_RULES + ban), ours=file("")) == file(ban)


@pytest.mark.parametrize(
    "present",
    [
        pytest.param(PRISTINE, id="as delivered"),
        pytest.param(WRITTEN, id="IPv4"),
        pytest.param(WRITTEN6, id="IPv6"),
    ],
)
def test_ours_twice_is_ours_once(present: str) -> None:
    once = merged(present, ours=OURS)
    assert merged(once, ours=OURS) == once


def test_what_people_wrote_on_a_real_host() -> None:
    found = re.findall("^### tuple ### (.*)$", merged(WRITTEN, ours=OURS), re.MULTILINE)
    assert found == [
        "deny any any 0.0.0.0/0 any 203.0.113.9 in "
        "comment=6279204661696c3242616e206166746572203520617474656d707473",
        "deny any any 0.0.0.0/0 any 203.0.113.0/24 in",
        "reject tcp 25 0.0.0.0/0 any 0.0.0.0/0 out",
        "allow udp 123 0.0.0.0/0 any 0.0.0.0/0 out",
        "route:allow any any 0.0.0.0/0 any 0.0.0.0/0 in_wg0!out_eth0",
        "deny tcp 23 0.0.0.0/0 any 0.0.0.0/0 Telnet - in",
        "deny any 9 0.0.0.0/0 any 0.0.0.0/0 in comment=64697363617264",
        *re.findall("^### tuple ### (.*)$", OURS, re.MULTILINE),
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param(
            "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=535348", {"tcp 22": "SSH"}, id="port"
        ),
        pytest.param(
            "allow udp 49152:49573 ::/0 any ::/0 in comment=5455524e",
            {"udp 49152-49573": "TURN"},
            id="range",
        ),
        pytest.param(
            "allow tcp 22 0.0.0.0/0 any 192.0.2.7 in comment=c3a4", {"tcp 22": "ä"}, id="UTF-8"
        ),
        pytest.param("allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in", {}, id="no comment"),
        pytest.param("allow any any ::/0 any 2001:db8::1 in comment=535348", {}, id="no port"),
        pytest.param("allow tcp 80,443 ::/0 any ::/0 in comment=535348", {}, id="several ports"),
    ],
)
def test_purposes(line: str, found: dict[str, str]) -> None:
    assert purposes(file(rule(line))) == found


SETTINGS = """\
# Set to yes to start on boot: ENABLED=yes
ENABLED=no
IPV6="yes"
LOGLEVEL='low'
EMPTY=
"""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("ENABLED", "no", id="not the comment"),
        pytest.param("IPV6", "yes", id="quoted"),
        pytest.param("LOGLEVEL", "low", id="quoted once"),
        pytest.param("EMPTY", "", id="empty"),
        pytest.param("LEVEL", "", id="end of another name"),
    ],
)
def test_setting(name: str, value: str) -> None:
    assert setting(SETTINGS, name) == value


def test_a_setting_changes_where_it_stands() -> None:
    changed = SETTINGS.replace("ENABLED=no", "ENABLED=yes")
    assert with_setting(SETTINGS, "ENABLED", "yes") == changed


def test_a_setting_that_is_missing_comes_last() -> None:
    assert with_setting(SETTINGS, "MISSING", "yes") == f"{SETTINGS}MISSING=yes\n"


def test_a_setting_that_is_right_stays() -> None:
    assert with_setting(SETTINGS, "ENABLED", "no") == SETTINGS
