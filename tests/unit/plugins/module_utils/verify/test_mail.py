# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talks with real mail servers (aiosmtpd) over real sockets, and with what is none."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from aiosmtpd.smtp import SMTP
from ansible_collections.homestead.matrix.plugins.module_utils.verify.findings import Finding
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports.mail import smtp
from ansible_collections.homestead.matrix.plugins.module_utils.verify.ports.port_probes import (
    Place,
    Seen,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import Channel
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.authority import (
    Authority,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.internet import (
    LOCAL,
    Handler,
    serving,
    silence,
)

NAME = "matrix.example.com"
AUTHORITY = Authority.make()
OK = {("ok", "mail.starttls"), ("ok", "mail.certificate"), ("ok", "mail.relay")}


class Ports(Network):
    """The real network, on which one low port is a free one that the test listens on."""

    def __init__(self, folder: Path, *, at: int, seconds: float) -> None:
        ca_file = AUTHORITY.write(folder)
        super().__init__(Guard.parse(["127.0.0.0/8"]), ca_file=ca_file, seconds=seconds)
        self._at_port = at

    @asynccontextmanager
    async def channel(
        self, address: str, port: int, *, kind: Literal["udp", "tcp", "tls"], name: str = ""
    ) -> AsyncIterator[Channel]:
        assert port in (25, 587)
        async with super().channel(address, self._at_port, kind=kind, name=name) as channel:
            yield channel


@dataclass
class Mailbox:
    """Decides what the server takes; `heard` are its senders and recipients, `mail` what came."""

    relays: bool = False
    recipient: str = "550 5.7.1 relay access denied"
    sender: str = "250 OK"
    heard: list[str] = field(default_factory=list)
    mail: list[Any] = field(default_factory=list)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        self.heard.append(address)
        if self.sender.startswith("2"):
            envelope.mail_from = address
        return self.sender

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        self.heard.append(address)
        if not (self.relays or address.endswith(f"@{NAME}")):
            return self.recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.mail.append(envelope)
        return "250 OK"


@asynccontextmanager
async def mailing(
    box: Mailbox, *, wrapped: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[int]:
    """Run a mail server, `wrapped` in TLS if so wanted."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(box, hostname=NAME, loop=loop, **options), LOCAL, 0, ssl=wrapped
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def talk(
    folder: Path, serve: AbstractAsyncContextManager[int], *, port: int = 25, seconds: float = 2
) -> Seen:
    async def talked() -> Seen:
        async with serve as real:
            network = Ports(folder, at=real, seconds=seconds)
            return await smtp(Place(network, NAME, LOCAL, port))

    return asyncio.run(talked())


def findings(seen: Seen) -> list[Finding]:
    return [sight.finding for sight in seen.sights]


def verdicts(seen: Seen) -> set[tuple[str, str]]:
    return {(finding.verdict, finding.id) for finding in findings(seen)}


def tls(folder: Path, name: str = NAME, days: float = 30) -> ssl.SSLContext:
    return AUTHORITY.issue(name, days=days).context(folder)


@pytest.mark.parametrize("port", [25, 587])
def test_a_good_server(tmp_path: Path, port: int) -> None:
    box = Mailbox()
    seen = talk(tmp_path, mailing(box, tls_context=tls(tmp_path)), port=port)
    assert (seen.state, verdicts(seen)) == ("answers", OK)
    assert box.heard == [f"verify@{NAME}", "verify@example.net"]
    assert box.mail == []


def test_a_server_that_wants_tls_first(tmp_path: Path) -> None:
    serve = mailing(Mailbox(), tls_context=tls(tmp_path), require_starttls=True)
    assert verdicts(talk(tmp_path, serve)) == OK


def test_a_server_that_speaks_tls_at_once(tmp_path: Path) -> None:
    """Postmoogle does so on its second port; RFC 8314 section 3."""
    seen = talk(tmp_path, mailing(Mailbox(), wrapped=tls(tmp_path)), port=587)
    assert (seen.state, verdicts(seen)) == ("answers", OK)
    assert "speaks TLS at once" in findings(seen)[0].message


def test_an_open_relay(tmp_path: Path) -> None:
    box = Mailbox(relays=True)
    seen = talk(tmp_path, mailing(box, tls_context=tls(tmp_path)))
    assert verdicts(seen) == {*OK, ("error", "mail.relay")} - {("ok", "mail.relay")}
    assert box.mail == []


@pytest.mark.parametrize(
    ("box", "verdict", "heard"),
    [
        pytest.param(
            Mailbox(recipient="450 4.2.0 greylisted"),
            "unknown",
            [f"verify@{NAME}", "verify@example.net"],
            id="not now",
        ),
        pytest.param(
            Mailbox(sender="550 no such sender"),
            "ok",
            [f"verify@{NAME}", "verify@example.net"],
            id="no sender is good enough",
        ),
        pytest.param(
            Mailbox(sender="530 log in first"), "ok", [f"verify@{NAME}"], id="log in first"
        ),
        pytest.param(
            Mailbox(sender="451 later"),
            "unknown",
            [f"verify@{NAME}", "verify@example.net"],
            id="senders are put off",
        ),
    ],
)
def test_refusals(tmp_path: Path, box: Mailbox, verdict: str, heard: list[str]) -> None:
    seen = talk(tmp_path, mailing(box, tls_context=tls(tmp_path)))
    assert (verdict, "mail.relay") in verdicts(seen)
    assert box.heard == heard


@pytest.mark.parametrize(
    ("name", "days", "said"),
    [
        pytest.param("other.example.com", 30, "Hostname mismatch", id="another name"),
        pytest.param(NAME, -1, "certificate has expired", id="expired"),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_certificate_that_nobody_trusts(
    tmp_path: Path, name: str, days: float, said: str, wrapped: bool
) -> None:
    """The rest is looked at all the same."""
    context = tls(tmp_path, name, days)
    way: dict[str, Any] = {"wrapped": context} if wrapped else {"tls_context": context}
    box = Mailbox(relays=True)
    seen = talk(tmp_path, mailing(box, **way), port=587)
    assert verdicts(seen) == {
        ("ok", "mail.starttls"),
        ("warning", "mail.certificate"),
        ("error", "mail.relay"),
    }
    assert said in findings(seen)[1].message


@pytest.mark.parametrize(("port", "verdict"), [(25, "warning"), (587, "error")])
def test_no_tls_at_all(tmp_path: Path, port: int, verdict: str) -> None:
    seen = talk(tmp_path, mailing(Mailbox()), port=port)
    assert verdicts(seen) == {(verdict, "mail.starttls"), ("ok", "mail.relay")}


def scripted(*lines: bytes, tail: Handler | None = None) -> Handler:
    """Say a line at first, and one more for each that is heard; then fall silent or do `tail`."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for line in lines:
            writer.write(line)
            await writer.drain()
            await reader.readline()
        await (tail or silence)(reader, writer)

    return handle


async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not writer.is_closing():
        writer.write(b"250-" + b"x" * 500 + b"\r\n")
        await writer.drain()


GREETING, OFFER, PLAIN = b"220 mail\r\n", b"250-mail\r\n250 STARTTLS\r\n", b"250 mail\r\n"


@pytest.mark.parametrize(
    ("handler", "state", "expected"),
    [
        pytest.param(silence, "open", set(), id="silence"),
        pytest.param(scripted(b"SSH-2.0-OpenSSH\r\n"), "open", set(), id="another protocol"),
        pytest.param(scripted(b"554 go away\r\n"), "open", set(), id="no service"),
        pytest.param(scripted(tail=endless), "open", set(), id="a greeting without end"),
        pytest.param(
            scripted(GREETING, b"500 what\r\n"),
            "answers",
            {("unknown", "mail.starttls"), ("unknown", "mail.relay")},
            id="no EHLO",
        ),
        pytest.param(
            scripted(GREETING, tail=endless),
            "answers",
            {("unknown", "mail.starttls"), ("unknown", "mail.relay")},
            id="extensions without end",
        ),
        pytest.param(
            scripted(GREETING, OFFER, b"454 not now\r\n"),
            "answers",
            {("error", "mail.starttls"), ("unknown", "mail.relay")},
            id="STARTTLS is refused",
        ),
        pytest.param(
            scripted(GREETING, OFFER, b"220 go\r\n", tail=endless),
            "answers",
            {("error", "mail.starttls"), ("unknown", "mail.relay")},
            id="no TLS after STARTTLS",
        ),
        pytest.param(
            scripted(GREETING, OFFER, b"220 go\r\n250 injected\r\n"),
            "answers",
            {("unknown", "mail.starttls"), ("unknown", "mail.relay")},
            id="more than TLS after STARTTLS",
        ),
        pytest.param(
            scripted(GREETING, PLAIN, b"250 ok\r\n", b"250 ok\r\n"),
            "answers",
            {("warning", "mail.starttls"), ("error", "mail.relay")},
            id="silence after RCPT",
        ),
        pytest.param(
            scripted(GREETING, PLAIN, b"250 ok\r\n"),
            "answers",
            {("warning", "mail.starttls"), ("unknown", "mail.relay")},
            id="silence after MAIL",
        ),
    ],
)
def test_whatever_answers(
    tmp_path: Path, handler: Handler, state: str, expected: set[tuple[str, str]]
) -> None:
    seen = talk(tmp_path, serving(handler), seconds=0.3)
    assert (seen.state, verdicts(seen)) == (state, expected)


def test_a_broken_starttls_leaves_the_relay_to_be_looked_at(tmp_path: Path) -> None:
    spoken = {b"EHLO": OFFER, b"STAR": b"454 not now\r\n"}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        while line := await reader.readline():
            writer.write(spoken.get(line[:4], b"250 ok\r\n"))

    seen = talk(tmp_path, serving(handle), seconds=0.5)
    assert verdicts(seen) == {("error", "mail.starttls"), ("error", "mail.relay")}


def test_a_closed_port_is_the_business_of_the_ports(tmp_path: Path) -> None:
    async def talked() -> Seen:
        network = Ports(tmp_path, at=1, seconds=1)
        return await smtp(Place(network, NAME, LOCAL, 25))

    seen = asyncio.run(talked())
    assert (seen.state, seen.sights) == ("refused", ())
