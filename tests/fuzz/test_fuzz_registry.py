# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module of the verifier that sees bytes of strangers is fuzzed; a new one must say how."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import FrameType

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils import verify
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.scope import Scope
from ansible_collections.homestead.matrix.plugins.module_utils.verify.verification import (
    verify as look,
)
from ansible_collections.homestead.matrix.tests.fuzz.properties import run
from ansible_collections.homestead.matrix.tests.fuzz.test_fuzz_run import EXPECTED, Anything
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    DOMAIN,
)

PACKAGE = Path(verify.__path__[0])
FUZZED = {
    "test_fuzz_documents": "contacts delegation discovery signing strict_json wellknown",
    "test_fuzz_http": "coding cors evidence http1 redirect_chain",
    "test_fuzz_names": "addresses guard hosts lookup resolution",
    "test_fuzz_certificates": "certificates",
    "test_fuzz_stun": "stun check_turn turn_client expectations",
    "test_fuzz_ports": "dns_messages dtls check_ports",
    "test_fuzz_texts": "answers auth_metadata caching client_keys clock dns_recursion exposure hsts"
    " media query security_txt smtp",
}
"""What tests call with odd input themselves."""
IN_RUNS = (
    "causes check_api check_documents check_federation check_web client elsewhere facts families"
    " mail pages port_probes port_verdicts recorder registration response_time same_certificate"
    " sites tls_versions together"
)
"""What whole runs on odd networks go through."""
BLIND = {
    "admitted": "reads what others found",
    "catalogue": "lists checks",
    "channels": "carries bytes and reads none; tests/hostile has the servers for it",
    "findings": "holds what others judged",
    "look": "reads parameters of the operator",
    "own_addresses": "reads what others found",
    "network": "carries bytes and reads none; tests/hostile has the servers for it",
    "port_plan": "reads the plan",
    "published_ports": "sees the states of ports only",
    "scope": "holds parameters of the operator",
    "silence": "sees states and times only",
    "sockets": "carries bytes and reads none; tests/hostile has the servers for it",
    "transport": "holds what came",
    "turn_routes": "says where and by whom a server is asked",
    "turn_refusals": "sees messages that turn_client has parsed",
    "turn_relay": "sees messages that turn_client has parsed",
    "verification": "calls the others",
}


def words(texts: str) -> set[str]:
    return set(texts.split())


def test_every_module_is_accounted_for() -> None:
    modules = {path.stem for path in PACKAGE.rglob("*.py")}
    fuzzed = set().union(*map(words, FUZZED.values()))
    assert fuzzed | words(IN_RUNS) | set(BLIND) == modules


@pytest.mark.parametrize("name", FUZZED)
def test_the_tests_call_what_they_are_said_to_fuzz(name: str) -> None:
    tree = ast.parse((Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8"))
    called = {
        node.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert words(FUZZED[name]) <= called


def test_runs_go_through_what_they_are_said_to_fuzz() -> None:
    entered: set[str] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and "verify" in path.parts:
            entered.add(path.stem)

    sys.setprofile(note)
    try:
        run(
            look(
                Anything({}, [b"220 example.com\r\n"], "open"),
                Scope(DOMAIN, expectations=Expectations.of(EXPECTED)),
            )
        )
    finally:
        sys.setprofile(None)
    assert words(IN_RUNS) <= entered
