# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.domains import (
    domain_fault,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("example.com", id="plain"),
        pytest.param("matrix.sub.example.co.uk", id="many labels"),
        pytest.param("xn--bcher-kva.example", id="xn-- form"),
        pytest.param("4chat.example", id="digit first"),
        pytest.param("homestead.test", id="test domain"),
    ],
)
def test_a_good_name_has_no_fault(text: str) -> None:
    assert domain_fault("matrix_domain", text) is None


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        pytest.param(
            "",
            "is not set; write the part after the colon of your Matrix IDs, like example.com.",
            id="empty",
        ),
        pytest.param(
            None,
            "is not set; write the part after the colon of your Matrix IDs, like example.com.",
            id="nothing",
        ),
        pytest.param(42, "42 is not a text; write a name like example.com.", id="number"),
        pytest.param(
            "https://example.com",
            "'https://example.com' has the scheme https://; write only the name, example.com.",
            id="scheme",
        ),
        pytest.param(
            "https://Example.com:443/path",
            "'https://Example.com:443/path' has the scheme https://; "
            "write only the name, example.com.",
            id="everything at once",
        ),
        pytest.param(
            "https://bücher.example/x",
            "'https://bücher.example/x' has the scheme https://; write only the name.",
            id="no suggestion that would be refused",
        ),
        pytest.param(
            "example.com:8448",
            "'example.com:8448' has a port; write only the name, example.com.",
            id="port",
        ),
        pytest.param(
            "example.com:",
            "'example.com:' has a port; write only the name, example.com.",
            id="colon",
        ),
        pytest.param(
            "example.com/",
            "'example.com/' has a path; write only the name, example.com.",
            id="path",
        ),
        pytest.param(
            "example.com?a=b",
            "'example.com?a=b' has a path; write only the name, example.com.",
            id="query",
        ),
        pytest.param(
            "@admin:example.com",
            "'@admin:example.com' has a user before the @; write only the name.",
            id="Matrix ID",
        ),
        pytest.param(
            "admin@example.com",
            "'admin@example.com' has a user before the @; write only the name, example.com.",
            id="e-mail address",
        ),
        pytest.param(
            " example.com",
            "' example.com' has white space in it; write only the name, example.com.",
            id="space",
        ),
        pytest.param(
            "Example.com",
            "'Example.com' has upper-case letters; write it in lower case, example.com.",
            id="upper case",
        ),
        pytest.param(
            "bücher.example",
            "'bücher.example' has letters that are not ASCII; "
            "write its xn-- form, xn--bcher-kva.example.",
            id="non-ASCII",
        ),
        pytest.param(
            "example.com.",
            "'example.com.' ends with a dot; leave the dot out, example.com.",
            id="trailing dot",
        ),
        pytest.param(
            "192.0.2.1",
            "'192.0.2.1' is an address; write a name that DNS resolves to it, like example.com.",
            id="IPv4",
        ),
        pytest.param(
            "2001:db8::1",
            "'2001:db8::1' is an address; write a name that DNS resolves to it, like example.com.",
            id="IPv6",
        ),
        pytest.param(
            "[2001:db8::1]:8448",
            "'[2001:db8::1]:8448' is an address; "
            "write a name that DNS resolves to it, like example.com.",
            id="IPv6 with port",
        ),
        pytest.param(
            "localhost", "'localhost' has no dot; write a whole name like example.com.", id="no dot"
        ),
        pytest.param(
            "192.0.2",
            "'192.0.2' ends with a number; write a name like example.com.",
            id="numbers",
        ),
        pytest.param(
            "exa_mple.com",
            "'exa_mple.com' has a wrong part 'exa_mple' between its dots; each consists of "
            "1 to 63 letters a-z, digits and inner hyphens.",
            id="underscore",
        ),
        pytest.param(
            "example..com",
            "'example..com' has a wrong part '' between its dots; each consists of "
            "1 to 63 letters a-z, digits and inner hyphens.",
            id="two dots",
        ),
        pytest.param(
            "-a.com",
            "'-a.com' has a wrong part '-a' between its dots; each consists of "
            "1 to 63 letters a-z, digits and inner hyphens.",
            id="leading hyphen",
        ),
        pytest.param(
            "*.example.com",
            "'*.example.com' has a wrong part '*' between its dots; each consists of "
            "1 to 63 letters a-z, digits and inner hyphens.",
            id="wildcard",
        ),
    ],
)
def test_a_wrong_name_is_told_in_one_sentence(value: object, sentence: str) -> None:
    assert domain_fault("matrix_domain", value) == f"matrix_domain {sentence}"


def test_a_long_name_is_refused() -> None:
    assert "is too long" in str(domain_fault("matrix_domain", "a." * 120 + "com"))


@given(st.one_of(st.text(), st.from_regex(r"[a-zA-Z0-9.:/@\[\]-]{0,20}", fullmatch=True)))
def test_judging_never_fails_and_always_is_one_line(text: str) -> None:
    fault = domain_fault("matrix_domain", text)
    assert fault is None or (fault.endswith(".") and "\n" not in fault)
