# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that the operator gives are in their files on the host, and nowhere else."""

from __future__ import annotations

from ansible_collections.homestead.matrix.tests.lab import identity
from ansible_collections.homestead.matrix.tests.lab.components.together import Everything
from canaries import CAPTCHA, on_controller, on_host, read_by_others, seen

GIVEN = {"oidc_google": identity.SECRET, "captcha": CAPTCHA}
PLACES = ("/etc/homestead/secrets", "/etc/matrix-synapse/secrets")


def test_what_is_given_is_in_its_file_only(everything: Everything) -> None:
    lab = everything.lab
    found = on_host(lab, "matrix", GIVEN)
    assert found == {f"{place}/{name}" for place in PLACES for name in GIVEN}
    assert read_by_others(lab, "matrix", found) == set()
    assert on_controller(lab, GIVEN) == set()


def test_nobody_is_shown_what_is_given(everything: Everything) -> None:
    journal = everything.lab.ssh("matrix", "journalctl --no-pager --output=cat")
    for text in (everything.first.output, everything.command_lines, journal):
        assert text
        assert seen(text, GIVEN) == set()
