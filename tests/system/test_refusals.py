# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input gets one clear sentence before anything on a host changes."""

from __future__ import annotations

import json

import pytest
from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from conftest import Story

# One of each piece that refuses; tests/rendering/test_plan_playbook.py has every sentence.
WRONG_INPUT = [
    pytest.param({"matrix_ssh_port": 443}, "collides with 443/tcp", id="description"),
    pytest.param({"matrix_reverse_proxy": "iis"}, "matrix_reverse_proxy", id="choice"),
    pytest.param({"matrix_domain": "other.test"}, "every account would be lost", id="record"),
    pytest.param({"matrix_minimum_memory_mb": 10**7}, "MB of memory", id="host"),
]


@pytest.mark.parametrize(("variables", "sentence"), WRONG_INPUT)
def test_wrong_input_is_refused(
    story: Story, lab: Lab, variables: dict[str, object], sentence: str
) -> None:
    assert story.first.status == 0
    refused = lab.play("site", "--limit", "matrix", "--extra-vars", json.dumps(variables))
    assert refused.status != 0
    assert sentence in refused.output
    assert refused.recap("matrix")["changed"] == 0
    assert "Open the ports of this host" not in refused.output


def test_a_host_with_another_web_server_is_refused(lab: Lab) -> None:
    with pytest.raises(AssertionError, match="nginx already listens on tcp 80"):
        lab.module("base", "homestead.matrix.host", server_name="homestead.test")


@pytest.mark.parametrize(
    ("service", "words"),
    [
        pytest.param("synapse", "a Synapse that this collection did not set up", id="homeserver"),
        pytest.param("coturn", "a TURN server that this collection did not set up", id="relay"),
    ],
)
def test_a_host_with_servers_of_others_is_refused(
    story: Story, lab: Lab, service: str, words: str
) -> None:
    """What no record knows is somebody else's: here our own, whose record is away for a while."""
    assert story.first.status == 0
    record = f"/var/lib/homestead/services/{service}.json"
    lab.run("matrix", "mv", record, "/root/record")
    try:
        with pytest.raises(AssertionError, match=words):
            lab.module("matrix", "homestead.matrix.host", server_name="homestead.test")
    finally:
        lab.run("matrix", "mv", "/root/record", record)


def test_a_host_name_in_another_domain_is_fine(story: Story, lab: Lab) -> None:
    assert story.first.status == 0
    variables = json.dumps({"matrix_hostname": "homestead.provider.test"})
    assert lab.play("plan", "--extra-vars", variables).status == 0
