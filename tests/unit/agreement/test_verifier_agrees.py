# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the description can express, the verifier finds nothing wrong with."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from ansible_collections.homestead.matrix.plugins.filter.site import plain
from ansible_collections.homestead.matrix.plugins.module_utils.names import PGP_KEYS, ServerName
from ansible_collections.homestead.matrix.plugins.module_utils.verify.documents.discovery import (
    url_fault,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.documents.wellknown import (
    NAMES,
    Wanted,
    judge,
    judge_copy,
    url,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding
from ansible_collections.homestead.matrix.plugins.module_utils.verify.redirect_chain import Chain
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Exchange,
    Request,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.site import site
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    JSON_HEADERS,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

TEXTS = st.sampled_from(
    [
        *("m.role.admin", "m.role.security", "m.role.other", "com.example.billing", "admin", ""),
        *("@admin:example.com", "@Old!:example.com", "@a b:example.com", "@:example.com"),
        *("admin@example.com", "admin@localhost", "admin@[192.0.2.1]", "ädmin@example.com"),
        *("https://example.com/a?b#c", "https://example.com/", "http://example.com"),
        *(
            "javascript:alert(1)",
            "mailto:admin@example.com",
            "https://",
            "https://user@example.com",
        ),
        *("openpgp4fpr:5F2D", "5F2D E552", "example.com", "livekit", "\ud800", "msc1"),
    ]
)
LEAVES = TEXTS | st.none() | st.booleans() | st.integers() | st.floats()
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
OWN = st.sampled_from(["com.example.key", "m.other", "msc1", "key", "m.msc9999.x", *PGP_KEYS])
USERS = st.sampled_from(["@admin:example.com", "@Old!:example.com", "@a b:example.com"])
ADDRESSES = st.sampled_from(["admin@example.com", "admin@localhost", "ädmin@example.com"])
KEYS = st.sampled_from(["https://example.com/key", "openpgp4fpr:5F2D", "5F2D E552", None])
CONTACTS = st.fixed_dictionaries(
    {"role": st.just("m.role.admin") | TEXTS},
    optional={"matrix_id": USERS, "email_address": ADDRESSES, "com.example.x": VALUES}
    | dict.fromkeys(PGP_KEYS, KEYS),
)
SUPPORT = st.fixed_dictionaries(
    {}, optional={"contacts": st.lists(CONTACTS, max_size=2), "support_page": TEXTS, "a.b": VALUES}
)
CLIENT = st.dictionaries(
    OWN
    | st.sampled_from(
        [
            *("m.identity_server", "m.integrations", "m.tile_server", "io.element.e2ee"),
            *("io.element.jitsi", "org.matrix.msc4143.rtc_foci", "org.matrix.msc3575.proxy"),
        ]
    ),
    VALUES
    | st.fixed_dictionaries({"base_url": TEXTS})
    | st.fixed_dictionaries({"preferredDomain": TEXTS})
    | st.lists(st.fixed_dictionaries({"type": TEXTS, "livekit_service_url": TEXTS}), max_size=2),
    max_size=2,
)
NAME = st.from_regex(r"[a-z0-9-]{1,10}(\.[a-z0-9-]{1,10}){1,3}", fullmatch=True) | st.sampled_from(
    ["example.com", "a.b", "xn--bcher-kva.example", "1.2.3.4", f"{'a' * 63}.{'b' * 63}.example"]
)
ADDRESS = st.ip_addresses().map(str) | st.sampled_from(["10.0.0.1", "192.0.2.1", "fd00::1", "::1"])
PORT = st.fixed_dictionaries(
    {"protocol": st.sampled_from(["tcp", "udp"]), "first": st.integers(1, 65535)},
    optional={"last": st.integers(1, 65535), "purpose": TEXTS},
)
GIVEN = st.fixed_dictionaries(
    {},
    optional={
        "hostname": NAME,
        "support": SUPPORT,
        "well_known_client": CLIENT,
        "serve_base_domain": st.booleans(),
        "ssh_port": st.integers(1, 65535),
        "addresses": st.lists(ADDRESS, max_size=2),
        "extra_ports": st.lists(PORT, max_size=2),
        "max_upload_mb": st.integers(1, 10240),
    },
)
FEW = settings(
    max_examples=40, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


def described(domain: str, given: dict[str, Any]) -> Any:
    """Return what the filter returns; a description that is refused is not of interest."""
    try:
        return json.loads(json.dumps(site(domain, json.loads(json.dumps(plain(given))))))
    except ValueError:
        assume(False)


def served(documents: dict[str, Any]) -> list[Finding]:
    """Serve documents as our roles do, on two hosts, and judge all of them."""
    found = []
    for name in NAMES:
        base, copy = (_got(url(host, name), documents[name]) for host in ("a.example", "b.example"))
        wanted = Wanted.of(documents, name)
        found += [*judge(name, base, wanted), *judge_copy(name, base, copy, wanted)]
    return found


def _got(address: str, document: dict[str, Any]) -> Chain:
    body = json.dumps(document, indent=2, ensure_ascii=False).encode() if document else b""
    return Chain((Exchange(Request(address), 200 if document else 404, JSON_HEADERS, body),))


def wrong(findings: list[Finding]) -> list[str]:
    return [
        f"{item.id}: {item.message}" for item in findings if item.verdict in ("error", "warning")
    ]


@FEW
@given(SUPPORT)
def test_the_support_document(support: dict[str, Any]) -> None:
    assert wrong(served(described("example.com", {"support": support})["well_known"])) == []


@FEW
@given(CLIENT)
def test_the_client_document(client: dict[str, Any]) -> None:
    documents = described("example.com", {"well_known_client": client})["well_known"]
    assert wrong(served(documents)) == []
    assert set(documents["client"]) == {"m.homeserver", *client}


@FEW
@given(NAME, GIVEN)
def test_everything_else(domain: str, given: dict[str, Any]) -> None:
    found = described(domain, given)
    expected = Expectations.of(found["expectations"])
    assert ServerName.parse(found["domain"]).kind == "dns"
    assert not url_fault(expected.base_url)
    assert wrong(served(found["well_known"])) == []
    opened = {number for port in expected.opened for number in port.numbers}
    assert not opened & {port.number for port in expected.closed}
    values = [item["value"] for item in found["dns_records"] if item["type"] in ("A", "AAAA")]
    assert all(value is None or _is_public(value) for value in values)


def _is_public(value: str) -> bool:
    address = ipaddress.ip_address(value)
    examples = ("192.0.2.", "198.51.100.", "203.0.113.", "2001:0db8:")
    return address.is_global or address.exploded.startswith(examples)
