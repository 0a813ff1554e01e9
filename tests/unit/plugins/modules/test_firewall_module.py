# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.homestead.matrix.plugins.module_utils.answers import firewall
from ansible_collections.homestead.matrix.plugins.module_utils.arguments.firewall import ARGUMENTS
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.backends import backends
from ansible_collections.homestead.matrix.plugins.module_utils.firewall.commit import Survey
from ansible_collections.homestead.matrix.plugins.modules.firewall import DOCUMENTATION, RETURN
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.firewall.paper import (
    PaperHost,
)

NAMES = list(backends(PaperHost()))
LIMIT, UFW = {"firewall.nft": "the limit"}, {"user.rules": "IPv4", "user6.rules": "IPv6"}
PARAMETERS: dict[str, Any] = {
    "ports": [{"protocol": "tcp", "first": 22, "last": 22, "purpose": "SSH", "sources": []}],
    "rules": {"nftables": {"firewall.nft": "the rules"}},
    "packages": ["nftables"],
    "rollback_seconds": 45,
}


@pytest.mark.parametrize(
    ("rules", "wished"),
    [
        pytest.param({}, {}, id="none"),
        pytest.param({"ufw": UFW}, {"ufw": UFW}, id="one"),
        pytest.param(
            {"nftables": LIMIT, "ufw": UFW}, {"nftables": LIMIT, "ufw": UFW}, id="side by side"
        ),
        pytest.param({"nftables": {}, "ufw": UFW}, {"ufw": UFW}, id="one without a file"),
        pytest.param(
            {"nftables": None, "ufw": UFW, "firewalld": None}, {"ufw": UFW}, id="as Ansible fills"
        ),
    ],
)
def test_every_backend_gets_its_rules_or_none(
    rules: dict[str, Any], wished: dict[str, Any]
) -> None:
    found = firewall.wish({**PARAMETERS, "rules": rules}, names=NAMES)
    assert found.rules == {"nftables": {}, "ufw": {}, "firewalld": {}, **wished}


def test_the_ports_are_wished() -> None:
    assert [str(port) for port in firewall.wish(PARAMETERS, names=NAMES).ports] == ["tcp 22 SSH"]


@pytest.mark.parametrize("seconds", [0, 9, 46, 300])
def test_the_host_undoes_within_a_minute(seconds: int) -> None:
    with pytest.raises(ValueError, match="between 10 and 45"):
        firewall.wish({**PARAMETERS, "rollback_seconds": seconds}, names=NAMES)


@pytest.mark.parametrize(
    ("report", "diff"),
    [
        pytest.param(Survey(), "", id="nothing"),
        pytest.param(
            Survey(due=["x"], changes=["+ tcp 22 SSH", "- tcp 9"], faults=["rules differ"]),
            "+ tcp 22 SSH\n- tcp 9\n",
            id="ports",
        ),
        pytest.param(Survey(due=["x"], faults=["no unit"]), "~ no unit\n", id="no port"),
    ],
)
def test_the_diff_tells_ports_or_else_reasons(report: Survey, diff: str) -> None:
    found = firewall.result(report, parameters=PARAMETERS)
    assert found["diff"] == {"prepared": diff}
    assert found["changed"] is bool(diff)


def test_the_result_has_the_documented_shape() -> None:
    documented = set(yaml.safe_load(RETURN)) - {"msg"}
    found = firewall.result(Survey(), parameters=PARAMETERS)
    assert set(found) == documented | {"changed", "diff"}


def test_the_documented_options_are_the_real_ones() -> None:
    documented = yaml.safe_load(DOCUMENTATION)["options"]
    assert _kinds(documented, inner="suboptions") == _kinds(ARGUMENTS, inner="options")


def test_every_backend_has_its_option() -> None:
    assert list(ARGUMENTS["rules"]["options"]) == NAMES


def _kinds(options: dict[str, Any], *, inner: str) -> dict[str, Any]:
    keys = ("type", "elements", "choices", "default", "required")
    return {
        name: {
            **{key: option[key] for key in keys if key in option},
            "inner": _kinds(option.get(inner, {}), inner=inner),
        }
        for name, option in options.items()
    }
