# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import (
    EVERYWHERE,
    Guard,
)


@pytest.mark.parametrize(
    ("address", "admitted"),
    [
        ("1.1.1.1", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("192.0.2.1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_public_addresses_only(address: str, admitted: bool) -> None:
    assert Guard().admits(address) is admitted


def test_allowed_networks() -> None:
    guard = Guard.parse(["10.1.0.0/16", "fd00::/8"])
    seen = [guard.admits(address) for address in ("10.1.2.3", "10.2.0.1", "fd00::1", "::1")]
    assert seen == [True, False, True, False]


def test_everywhere() -> None:
    guard = Guard.parse(EVERYWHERE)
    assert guard.admits("127.0.0.1")
    assert guard.admits("::1")


def test_what_is_not_a_network() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        Guard.parse(["nonsense"])
