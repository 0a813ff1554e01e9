# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All components on one server, at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ansible_collections.homestead.matrix.tests.lab.components.together import ALL, Everything
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, Lab
from ansible_collections.homestead.matrix.tests.lab.runs import Run
from changing import change
from gathered import gathered
from ports_outside import assert_exactly_these_answer, be_talkative

EACH = 3
"""Tasks that a component takes in a run without change: its role, what it may say, what it is."""
LEFT = """
ls -d /etc/heisenbridge /etc/postmoogle /etc/admin-ui /opt/admin-ui/current 2>/dev/null
ls -d /etc/homestead/wireguard /etc/homestead/dnsmasq /run/homestead-wire* 2>/dev/null
ls /etc/matrix-synapse/appservices /etc/systemd/system /etc/apt/sources.list.d
ls /etc/jitsi/*/homestead* 2>/dev/null
ls /etc/prosody/conf.d
systemctl list-units --no-legend --plain --state=active
cat /etc/nginx/conf.d/homestead.conf /var/lib/homestead/well-known/client
nft list ruleset
ss -Hlntu
ip -o link
"""
"""What a host has that could be of a component."""
OF_COMPONENTS = (
    r".*(?:heisenbridge|postmoogle|wireguard|wg-|dnsmasq|admin-ui|location /_synapse/admin"
    r"|jitsi|jicofo|prosody\.service|homestead\.json"
    r"|\b(?:113|587|51820|10000|4443)\b|:(?:25|53|5222|5280|9898)\s).*"
)


def run_without_change(lab: Lab, **variables: Any) -> Run:
    run = change(lab, "--skip-tags", "verify", **variables)
    assert run.recap("matrix")["changed"] == 0
    return run


def test_all_components_at_once(
    everything: Everything, record_property: Callable[[str, object], None]
) -> None:
    """Exactly the right ports answer, a run has few tasks more, and what goes leaves copies."""
    lab, variables = everything.lab, everything.variables
    handed = lab.report("handover")
    assert [part["name"] for part in handed["parts"]] == list(ALL)
    assert handed["verification"]["verdict"] in ("ok", "info", "skipped", "unknown")
    assert all(bot["matrix_id"].endswith(f":{DOMAIN}") for bot in handed["bots"])
    be_talkative(lab)
    assert_exactly_these_answer(lab, lab.site(**variables)["ports"])
    with_all = run_without_change(lab, **variables)
    data = gathered(lab, ALL)
    assert {name for name, *_more in data} >= {"heisenbridge", "postmoogle", "wireguard"}
    off = change(lab, "--skip-tags", "verify", matrix_retired_data="remove")
    assert off.status == 0, off.output[-8000:]
    with_none = run_without_change(lab)
    seconds = {"all": with_all.seconds, "none": with_none.seconds}
    record_property("seconds without change", seconds)
    more = with_all.recap("matrix")["ok"] - with_none.recap("matrix")["ok"]
    assert more <= 1 + EACH * len(ALL)  # and one that includes them
    assert_copied(lab, data)
    assert_nothing_is_left(lab)


def assert_copied(lab: Lab, data: set[tuple[str, ...]]) -> None:
    """See that data is no more where it was, and in the copies."""
    copies = lab.shell("matrix", "cd /var/lib/homestead/retired; find */*")
    shared = {path for _name, path, _seen in gathered(lab, ("synapse", "coturn"))}
    for name, path in {(name, path) for name, path, _seen in data if path not in shared}:
        assert lab.attempt("matrix", "test", "-e", path).returncode, path
        assert re.search(rf"(?m)^[^/]+/{name}[^/]*{re.escape(path)}$", copies), path


def assert_nothing_is_left(lab: Lab) -> None:
    """See that no file, unit, rule, route, key or listening socket stays of any component."""
    left = lab.shell("matrix", LEFT)
    assert not re.findall(OF_COMPONENTS, left), left
