# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.homestead.matrix.plugins.filter import site as filter_site
from ansible_collections.homestead.matrix.plugins.filter.site import plain, site, told


def test_it_is_found_by_its_name() -> None:
    assert filter_site.FilterModule().filters() == {"site": site}


def test_what_is_returned_can_be_changed_without_harm() -> None:
    first: Any = site("example.com")
    first["ports"].clear()
    second: Any = site("example.com")
    assert second["ports"]


def test_the_same_inputs_are_derived_once() -> None:
    filter_site.remembered.cache_clear()
    for _time in range(3):
        site("example.com", components=[], ssh_port=2222)
    assert filter_site.remembered.cache_info().misses == 1


def test_other_inputs_are_derived_again() -> None:
    first: Any = site("example.com", ssh_port=22)
    second: Any = site("example.com", ssh_port=2222)
    assert first["ports"] != second["ports"]


def test_one_fault_is_the_whole_message() -> None:
    with pytest.raises(AnsibleFilterError, match="matrix_domain") as raised:
        site("Example.com")
    assert raised.value.message == (
        "matrix_domain 'Example.com' has upper-case letters; write it in lower case, example.com."
    )


def test_several_faults_are_a_list() -> None:
    assert told(["One.", "Two."]) == "The description has 2 faults:\n- One.\n- Two."


class Marked(str):
    """A text with something on it, like Ansible's own."""

    __slots__ = ()


def test_marks_are_taken_off() -> None:
    value: Any = plain({Marked("key"): (Marked("text"), 1, None, True)})
    assert value == {"key": ["text", 1, None, True]}
    assert next(iter(value)).__class__ is str
