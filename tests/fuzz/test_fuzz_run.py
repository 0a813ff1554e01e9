# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs against a network that answers anything, and what is written about them."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal

from ansible_collections.homestead.matrix.plugins.module_utils.verify.api import registration
from ansible_collections.homestead.matrix.plugins.module_utils.verify.expectations import (
    Expectations,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.scope import Scope
from ansible_collections.homestead.matrix.plugins.module_utils.verify.verification import verify
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire import transport
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.channels import (
    ClosedChannel,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Channel,
    Connection,
    Exchange,
    Fault,
    Request,
)
from ansible_collections.homestead.matrix.plugins.plugin_utils.report.report import (
    Report,
    as_json,
)
from ansible_collections.homestead.matrix.tests.fuzz.properties import (
    REPORT_LIMIT,
    assert_sound,
    fuzzed,
    run,
)
from ansible_collections.homestead.matrix.tests.fuzz.strategies import TEXTS, documents
from ansible_collections.homestead.matrix.tests.fuzz.test_fuzz_certificates import CERTIFICATES
from ansible_collections.homestead.matrix.tests.fuzz.test_fuzz_http import HEADERS
from ansible_collections.homestead.matrix.tests.fuzz.test_fuzz_ports import PLANNED, SAID, saying
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_host import (
    Spoken,
    opened,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.fake_transport import (  # noqa: E501 - one name
    FakeTransport,
    Record,
    Reply,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.healthy import (
    API,
    DOMAIN,
    EXPECTATIONS,
    HOST,
    RECORDS,
    REGISTER,
    replies,
)
from hypothesis import example
from hypothesis import strategies as st

URLS = sorted(replies())
METADATA: dict[str, Any] = {
    "issuer": "https://auth.example.com/",
    **{f"{name}_endpoint": f"{API}/{name}" for name in ("authorization", "token", "revocation")},
    "registration_endpoint": f"{API}/registration",
    "response_types_supported": ["code"],
    "grant_types_supported": ["authorization_code", "refresh_token"],
    "response_modes_supported": ["query", "fragment"],
    "code_challenge_methods_supported": ["S256"],
    "prompt_values_supported": ["login", "create"],
}
TXT = b"Contact: mailto:security@example.com\nExpires: 2030-01-01T00:00:00.000Z\n"
FAULTS = st.sampled_from(["tls", "timeout", "too_large", "protocol", "no_route", "private"])


def reply_like(url: str) -> st.SearchStrategy[Reply]:
    """Return something like what a healthy server answers here."""
    healthy = replies()[url]
    base = json.loads(healthy.body) if healthy.body else {}
    base = METADATA if url.endswith("auth_metadata") else base
    return st.builds(
        replace,
        st.just(healthy),
        status=st.just(healthy.status) | st.sampled_from([200, 204, 302, 401, 403, 404, 429, 500]),
        body=documents(base) | st.just(TXT),
        headers=st.just(healthy.headers) | HEADERS.map(tuple),
        error=st.none() | st.builds(Fault, FAULTS, TEXTS.map(lambda text: text[:200])),
        certificate=st.just(healthy.certificate) | CERTIFICATES,
    )


def damaged(url: str) -> st.SearchStrategy[tuple[str, Reply]]:
    return st.tuples(st.just(url), reply_like(url))


DAMAGE = st.lists(st.sampled_from(URLS).flatmap(damaged), max_size=6).map(dict)
STATES = st.sampled_from(["open", "refused", "timeout", "unreachable", "no_route", "private"])
EXPECTED = {
    **EXPECTATIONS,
    "turn": {"host": HOST},
    "pages": [{"url": f"https://{HOST}/page", "purpose": "Page", "served": True}],
    "ports": {"open": [opened(kind, port, name) for name, kind, port in PLANNED], "closed": []},
}


class Anything(FakeTransport):
    """A network in which a healthy server is damaged, and whose other places say anything."""

    def __init__(self, damage: Mapping[str, Reply], said: Sequence[bytes], state: Any) -> None:
        records = (*RECORDS, Record(f"_matrix-fed._tcp.{DOMAIN}", "SRV", error="SERVFAIL"))
        super().__init__(records, {**replies(), **damage})
        self._others = itertools.cycle([*damage.values(), Reply(404)])
        self._said, self._state = list(said) or [b""], state

    async def request(self, request: Request) -> Exchange:
        if f"{request.method} {request.url}" not in self._replies:
            self._replies.setdefault(request.url, next(self._others))
        return await super().request(request)

    async def connect(
        self, address: str, port: int, *, banner: bool = False, patience: float = 0
    ) -> Connection:
        assert patience < port, address
        return Connection(self._state, 1, self._said[0] if banner else b"")

    async def handshake(self, address: str, port: int, *, name: str, **_unused: bool) -> Any:
        text = self._said[0].decode("latin-1")
        fault = None if self._state == "open" else Fault("tls", f"{address} {port} {name} {text}")
        return transport.Handshake(text[:8], text[8:16], fault)

    @asynccontextmanager
    async def channel(
        self, address: str, port: int, *, kind: Literal["udp", "tcp", "tls"], name: str = ""
    ) -> AsyncIterator[Channel]:
        if self._state == "open":
            yield Spoken(saying(self._said))
        else:
            yield ClosedChannel(Fault("timeout", f"{address} {port} {kind} {name}"))


@fuzzed(DAMAGE, st.lists(SAID, max_size=4), STATES, share=0.3)
@example(
    {url: Reply(302, headers=(("Location", url + "/" + "x" * 9000),)) for url in URLS}, [], "open"
)
@example({url: Reply(200, b"[" * 40_000) for url in URLS}, [b"\xff" * 9000], "open")
@example({url: Reply(200, b'{"versions":["' + b"\x1b" * 900 + b'"]}') for url in URLS}, [], "open")
def test_a_run_ends_in_findings(damage: dict[str, Reply], said: list[bytes], state: str) -> None:
    scope = Scope(
        DOMAIN, expectations=Expectations.of(EXPECTED), ignore=("federation.reach", "client.reach")
    )
    report = run(verify(Anything(damage, said, state), scope))
    assert_sound(report.findings)
    result = {**report.as_dict(), "vantage": "here"}
    assert len(json.dumps(result, allow_nan=False)) <= REPORT_LIMIT
    written = Report.of(result, checked_at="2026-01-01T00:00:00Z")
    assert json.loads(as_json(written))["compat"]


FLOWS = {"session": "s", "flows": [{"stages": ["m.login.dummy"]}, {"stages": []}], "params": {}}


@fuzzed(
    documents(FLOWS, {"errcode": "M_FORBIDDEN"}, METADATA), st.sampled_from([200, 401, 403, 429])
)
@example(b'{"flows": [{"stages": ["m.login.dummy"]}, 7]}', 401)
@example(b'{"flows": [' + b'{"stages": ["' + b"x" * 90_000 + b'"]}]}', 401)
def test_modes_of_registration_are_told(body: bytes, status: int) -> None:
    exchange = Exchange(Request(REGISTER.split()[1]), status=status, body=body)
    for sign_up in (None, True, False):
        found = registration.classify(exchange, sign_up=sign_up)
        assert_sound(registration.judge_mode(found, "invite", exchange))


@fuzzed(TEXTS)
def test_any_server_name_ends_in_findings(server_name: str) -> None:
    assert_sound(run(verify(FakeTransport(), Scope(server_name))).findings)
