# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host goes from every registration mode to every other, and nobody loses anything.

In each mode the verifier reports it, and strangers try every way to an account; all of that once
more with single sign-on beside it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import pairwise, permutations
from typing import Any
from uuid import uuid4

import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.components import (
    REGISTRATIONS,
)
from ansible_collections.homestead.matrix.tests.lab import identity
from ansible_collections.homestead.matrix.tests.lab.labs import Lab
from ansible_collections.homestead.matrix.tests.lab.relays import SMTP
from changing import assert_verified_and_settled
from sign_ups import Resident, newcomers

VARIABLES: dict[str, dict[str, Any]] = {
    "invite": {},
    "closed": {},
    "email": {"matrix_smtp": SMTP},
    "open": {"matrix_registration_open_accepted": True},
}
LET_IN = {"invite": {"a good token"}, "closed": set(), "email": set(), "open": {"nothing"}}
SEEN = {"invite": "token"}
"""The verifier's word for a mode, where it is another."""
CIRCUIT = "invite closed invite email invite open closed email closed open email open invite"
CHANGES = list(pairwise(CIRCUIT.split()))


def test_the_circuit_has_every_change_once() -> None:
    assert sorted(CHANGES) == sorted(permutations(REGISTRATIONS, 2))


def made(server: Lab, **given: object) -> str:
    module = "homestead.matrix.registration_token"
    return str(
        server.module("matrix", module, name=uuid4().hex, return_token=True, **given)["token"]
    )


@pytest.fixture(scope="module")
def tokens(server: Lab) -> dict[str, str]:
    """Return tokens of which only one is good for more than one account."""
    used_up = made(server, uses_allowed=1)
    assert set(newcomers(server, {"the last use": used_up})) == {"the last use"}
    good = made(server)
    expiry = datetime.now(timezone.utc) + timedelta(seconds=30)
    expired = made(server, expiry=expiry.strftime("%Y-%m-%dT%H:%M:%SZ"))
    time.sleep(max(0, expiry.timestamp() - time.time()))
    return {
        "a good token": good,
        "an expired token": expired,
        "a token that is used up": used_up,
        "a token of another server": "of-another-server",
    }


@pytest.fixture(scope="module")
def residents(resident: Resident) -> Iterator[list[Resident]]:
    """Return everybody who has got in so far; all of them stay logged in."""
    people = [resident]
    yield people
    assert len(people) > len(LET_IN)


@pytest.fixture(scope="module", params=["by itself", "with single sign-on"])
def beside(request: pytest.FixtureRequest, server: Lab) -> Iterator[dict[str, Any]]:
    """Return what stands beside the mode in the inventory."""
    if request.param == "by itself":
        yield {}
    else:
        with identity.surroundings(server):
            yield identity.variables()


@pytest.mark.usefixtures("post")
@pytest.mark.parametrize(("before", "mode"), CHANGES)
def test_a_change_of_the_mode(
    changing: Lab,
    beside: dict[str, Any],
    residents: list[Resident],
    tokens: dict[str, str],
    before: str,
    mode: str,
) -> None:
    del before  # the changes follow each other
    assert_verified_and_settled(changing, matrix_registration=mode, **VARIABLES[mode], **beside)
    findings = {item["id"]: item for item in changing.report("report")["findings"]}
    found = findings["registration.mode"]
    assert (found["verdict"], found["evidence"]["mode"]) == ("ok", SEEN.get(mode, mode))
    people = newcomers(changing, tokens)
    assert set(people) == LET_IN[mode]
    residents += people.values()
    for resident in residents:
        resident.assert_at_home()
