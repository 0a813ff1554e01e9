# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.names import (
    ServerName,
    email_fault,
    page_fault,
    role_fault,
    user_id_fault,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "host", "port", "kind"),
    [
        pytest.param("example.org", "example.org", None, "dns", id="plain name"),
        pytest.param("example.org:8448", "example.org", 8448, "dns", id="name with port"),
        pytest.param("EXAMPLE.org", "EXAMPLE.org", None, "dns", id="upper case is legal"),
        pytest.param("localhost", "localhost", None, "dns", id="one label"),
        pytest.param("192.0.2.1", "192.0.2.1", None, "ipv4", id="IPv4"),
        pytest.param("192.0.2.1:443", "192.0.2.1", 443, "ipv4", id="IPv4 with port"),
        pytest.param("1.2.3", "1.2.3", None, "dns", id="three numbers are a name"),
        pytest.param("[::1]", "[::1]", None, "ipv6", id="IPv6"),
        pytest.param("[2001:db8::1]:8448", "[2001:db8::1]", 8448, "ipv6", id="IPv6 with port"),
        pytest.param("[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]", None, "ipv6", id="mapped IPv4"),
        pytest.param("a" * 63 + ".org", "a" * 63 + ".org", None, "dns", id="longest label"),
    ],
)
def test_server_name(text: str, host: str, port: int | None, kind: str) -> None:
    name = ServerName.parse(text)
    assert (name.host, name.port, name.kind) == (host, port, kind)
    assert name.join() == text
    assert name.is_literal is (kind != "dns")


def test_address_has_no_brackets() -> None:
    assert ServerName.parse("[2001:db8::1]:8448").address == "2001:db8::1"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(":8448", id="only a port"),
        pytest.param("https://example.com", id="URL"),
        pytest.param("example.com/", id="path"),
        pytest.param("example..com", id="empty label"),
        pytest.param("example.com.", id="trailing dot"),
        pytest.param("exa_mple.org", id="underscore"),
        pytest.param("bücher.com", id="non-ASCII"),
        pytest.param("example.com:", id="empty port"),
        pytest.param("example.com:0", id="port 0"),
        pytest.param("example.com:65536", id="port too high"),
        pytest.param("example.com:123456", id="six digits"),
        pytest.param("example.com:8448:1", id="two ports"),
        pytest.param("example.com:٣", id="digits that are not ASCII"),
        pytest.param("256.0.2.1", id="octet too high"),
        pytest.param("2001:db8::1", id="IPv6 without brackets"),
        pytest.param("[2001:db8::g]", id="no IPv6"),
        pytest.param("[fe80::1%eth0]", id="IPv6 with a zone"),
        pytest.param("[]", id="empty brackets"),
        pytest.param("[192.0.2.1]", id="IPv4 in brackets"),
        pytest.param("example.com\n", id="newline"),
        pytest.param(" example.com", id="space"),
        pytest.param("a" * 64 + ".org", id="label too long"),
        pytest.param(".".join(["a" * 50] * 6), id="name too long"),
    ],
)
def test_no_server_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ServerName.parse(text)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param("@admin:example.org", None, id="plain"),
        pytest.param("@a.b_c=d-e/f+g0:example.org", None, id="every allowed character"),
        pytest.param("@a:example.org:8448", None, id="server name with port"),
        pytest.param("@admin:[2001:db8::1]:8448", None, id="IPv6 server name"),
        pytest.param("@Admin:example.org", "mxid_historical", id="upper case"),
        pytest.param("@a!~:example.org", "mxid_historical", id="printable ASCII"),
        pytest.param("@:example.org", "mxid_non_compliant", id="empty localpart"),
        pytest.param("@ädmin:example.org", "mxid_non_compliant", id="non-ASCII"),
        pytest.param("@a b:example.org", "mxid_non_compliant", id="space"),
        pytest.param("@admin:exa_mple.org", "mxid_server_name", id="bad server name"),
        pytest.param("@admin:", "mxid_server_name", id="empty server name"),
        pytest.param("admin:example.org", "mxid_invalid", id="no @"),
        pytest.param("@admin", "mxid_invalid", id="no colon"),
        pytest.param("", "mxid_invalid", id="empty"),
        pytest.param(42, "mxid_type", id="number"),
        pytest.param("@" + "a" * 242 + ":example.org", None, id="255 bytes"),
        pytest.param("@" + "a" * 243 + ":example.org", "mxid_too_long", id="256 bytes"),
    ],
)
def test_user_id(value: object, code: str | None) -> None:
    fault = user_id_fault(value)
    assert (fault.code if fault else None) == code


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param("admin@example.org", None, id="plain"),
        pytest.param("first.last+tag@sub.example.org", None, id="dots and plus"),
        pytest.param('"a b@c"@example.org', None, id="quoted string"),
        pytest.param("", "email_invalid", id="empty"),
        pytest.param("admin at example.org", "email_invalid", id="no @"),
        pytest.param("mailto:admin@example.org", "email_invalid", id="URI scheme"),
        pytest.param("Admin <admin@example.org>", "email_invalid", id="display name"),
        pytest.param(".admin@example.org", "email_invalid", id="leading dot"),
        pytest.param("admin.@example.org", "email_invalid", id="trailing dot"),
        pytest.param("a..b@example.org", "email_invalid", id="double dot"),
        pytest.param("a@b@example.org", "email_invalid", id="two @"),
        pytest.param("admin@", "email_invalid", id="no domain"),
        pytest.param("@example.org", "email_invalid", id="no local part"),
        pytest.param("admin@-example.org", "email_invalid", id="leading hyphen"),
        pytest.param("admin@example.org.", "email_invalid", id="domain with trailing dot"),
        pytest.param("admin@exa_mple.org", "email_invalid", id="underscore in the domain"),
        pytest.param("admin@example.org\n", "email_invalid", id="newline"),
        pytest.param("admin@[192.0.2.999]", "email_invalid", id="no IPv4 literal"),
        pytest.param("admin@[192.0.2.1]", "email_literal", id="IPv4 literal"),
        pytest.param("admin@[IPv6:2001:db8::1]", "email_literal", id="IPv6 literal"),
        pytest.param("admin@localhost", "email_single_label", id="single label"),
        pytest.param("ädmin@example.org", "email_non_ascii", id="non-ASCII"),
        pytest.param("a" * 64 + "@example.org", None, id="local part of 64"),
        pytest.param("a" * 65 + "@example.org", "email_too_long", id="local part of 65"),
        pytest.param(None, "email_type", id="nothing"),
    ],
)
def test_email(value: object, code: str | None) -> None:
    fault = email_fault(value)
    assert (fault.code if fault else None) == code


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param("m.role.admin", None, id="admin"),
        pytest.param("m.role.security", None, id="security"),
        pytest.param("m.role.dpo", "role_reserved", id="reserved"),
        pytest.param("com.example.billing", "role_custom", id="own"),
        pytest.param("admin", "role_not_namespaced", id="no namespace"),
        pytest.param("M.role.admin", "role_invalid", id="upper case"),
        pytest.param("", "role_invalid", id="empty"),
        pytest.param(["m.role.admin"], "role_type", id="list"),
    ],
)
def test_role(value: object, code: str | None) -> None:
    fault = role_fault(value)
    assert (fault.code if fault else None) == code


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param("https://example.org/support?a=b#c", None, id="https"),
        pytest.param("http://example.org/", "page_http", id="http"),
        pytest.param("mailto:admin@example.org", "page_http", id="other scheme"),
        pytest.param("/support", "page_invalid", id="relative"),
        pytest.param("", "page_invalid", id="empty"),
        pytest.param("https://", "page_invalid", id="no host"),
        pytest.param("https:/example.org", "page_invalid", id="one slash"),
        pytest.param("https://example.org/a b", "page_invalid", id="space"),
        pytest.param(42, "page_type", id="number"),
    ],
)
def test_page(value: object, code: str | None) -> None:
    fault = page_fault(value)
    assert (fault.code if fault else None) == code


@given(st.text())
def test_whatever_is_accepted_is_written_back(text: str) -> None:
    try:
        name = ServerName.parse(text)
    except ValueError:
        return
    assert ServerName.parse(name.join()) == name


@given(st.one_of(st.text(), st.from_regex(r"@[^:]*:.*"), st.none(), st.integers()))
def test_judging_never_fails(value: object) -> None:
    for judge in (user_id_fault, email_fault, role_fault, page_fault):
        judge(value)
