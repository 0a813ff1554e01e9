# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real transport against servers on 127.0.0.1 that behave well and badly."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
import zlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.redirect_chain import follow
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    DnsAnswer,
    Exchange,
    Request,
    SrvTarget,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.authority import (
    Authority,
    Issued,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.internet import (
    LOCAL,
    Handler,
    answer,
    drip,
    headers_without_end,
    naming,
    serving,
    silence,
    web,
)

Result = TypeVar("Result")
NAME = "matrix.example.com"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make()


def network(folder: Path, authority: Authority, **options: Any) -> Network:
    options = {"nameservers": [f"{LOCAL}:9"], "seconds": 2, **options}
    return Network(Guard.parse(["127.0.0.0/8"]), ca_file=authority.write(folder), **options)


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(coroutine)


async def exchanged(
    folder: Path, authority: Authority, issued: Issued, handler: Handler, **request: Any
) -> Exchange:
    """Serve, send one request for / and return the exchange."""
    seconds = request.pop("seconds", 2)
    async with serving(handler, issued.context(folder)) as port:
        url = f"https://{NAME}:{port}/"
        asked = Request(**{"url": url, "address": LOCAL, **request})
        return await network(folder, authority, seconds=seconds).request(asked)


def test_answer_with_raw_header_lines(tmp_path: Path, authority: Authority) -> None:
    page = answer(b"{}", "X-Twice: one", "x-twice: two")
    seen: list[bytes] = []
    handler = web({"/": page}, seen)
    exchange = run(
        exchanged(tmp_path, authority, authority.issue(NAME), handler, host_header="Some:443")
    )
    assert exchange.error is None
    assert (exchange.status, exchange.body, exchange.http_version) == (200, b"{}", "HTTP/1.1")
    assert exchange.headers[:2] == (("X-Twice", "one"), ("x-twice", "two"))
    assert exchange.header("X-TWICE") == ["one", "two"]
    assert b"Host: Some:443\r\n" in seen[0]


@pytest.mark.parametrize(
    ("names", "days", "fault"),
    [
        pytest.param((NAME,), 30, "", id="trusted"),
        pytest.param((NAME,), -1, "certificate has expired", id="expired"),
        pytest.param(("other.example.com",), 30, "Hostname mismatch", id="wrong name"),
        pytest.param(("*.example.com",), 30, "", id="wildcard"),
    ],
)
def test_certificate(
    tmp_path: Path, authority: Authority, names: tuple[str, ...], days: float, fault: str
) -> None:
    issued = authority.issue(*names, days=days)
    exchange = run(exchanged(tmp_path, authority, issued, web({"/": answer(b"[]")})))
    assert exchange.certificate is not None
    assert exchange.certificate.chain[0] == issued.seen().chain[0]
    assert exchange.certificate.fault[: len(fault)] == fault
    assert (exchange.error.kind if exchange.error else "") == ("tls" if fault else "")
    assert exchange.body == b"[]"


@pytest.mark.parametrize(
    ("body", "coding", "seen"),
    [
        pytest.param(gzip.compress(b"{}"), "gzip", b"{}", id="gzip"),
        pytest.param(zlib.compress(b"{}"), "Deflate", b"{}", id="deflate"),
        pytest.param(b"{}", "identity", b"{}", id="as asked"),
        pytest.param(b"", "gzip", b"", id="nothing"),
        pytest.param(gzip.compress(bytes(16384)), "gzip", bytes(16384), id="as large as it may"),
        pytest.param(gzip.compress(bytes(10**7)), "gzip", "too_large", id="a bomb"),
        pytest.param(gzip.compress(b"{}")[:-1], "gzip", "protocol", id="cut off"),
        pytest.param(b"{}", "gzip", "protocol", id="not gzip"),
        pytest.param(b"{}", "br", "protocol", id="a coding that Python cannot read"),
        pytest.param(gzip.compress(b"{}"), "gzip, gzip", "protocol", id="twice"),
    ],
)
def test_a_body_that_is_encoded_though_nobody_asked(
    tmp_path: Path, authority: Authority, body: bytes, coding: str, seen: bytes | str
) -> None:
    page = answer(body, f"Content-Encoding: {coding}")
    issued = authority.issue(NAME)
    got = run(exchanged(tmp_path, authority, issued, web({"/": page}), limit=1024 * 16))
    assert (got.error.kind if got.error else got.body) == seen


def test_a_name_to_which_this_machine_has_no_way() -> None:
    """Nobody can connect to the broadcast address; IPv6 where there is none fails alike."""

    async def ask() -> Exchange:
        zone = {f"{NAME}. A": [f"{NAME}. 60 IN A 255.255.255.255"]}
        async with naming(zone) as server:
            guard = Guard.parse(["255.255.255.255/32"])
            asking = Network(guard, nameservers=[server], seconds=2)
            return await asking.request(Request(f"https://{NAME}/"))

    assert run(ask()).no_route


def test_certificate_of_another_authority(tmp_path: Path, authority: Authority) -> None:
    issued = Authority.make("Another Authority").issue(NAME)
    exchange = run(exchanged(tmp_path, authority, issued, web({"/": answer()})))
    assert exchange.certificate is not None
    assert "issuer" in exchange.certificate.fault


def test_certificate_for_an_address(tmp_path: Path, authority: Authority) -> None:
    issued = authority.issue(LOCAL)
    exchange = run(
        exchanged(tmp_path, authority, issued, web({"/": answer()}), certificate_name=LOCAL)
    )
    assert exchange.error is None


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", "protocol", id="not HTTP"),
        pytest.param(b"", "protocol", id="nothing"),
        pytest.param(answer()[:-1], "protocol", id="cut short"),
        pytest.param(answer(b"x" * 2048), "too_large", id="larger than the limit"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
            "protocol",
            id="two lengths",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "protocol",
            id="bad chunk",
        ),
    ],
)
def test_bad_answers(tmp_path: Path, authority: Authority, page: bytes, kind: str) -> None:
    issued = authority.issue(NAME)
    exchange = run(exchanged(tmp_path, authority, issued, web({"/": page}), limit=1024))
    assert exchange.error is not None
    assert exchange.error.kind == kind
    assert len(exchange.body) <= 1024


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        pytest.param(silence, "timeout", id="silence"),
        pytest.param(drip, "timeout", id="slow drip"),
        pytest.param(headers_without_end, "protocol", id="headers without end"),
    ],
)
def test_patience_has_an_end(
    tmp_path: Path, authority: Authority, handler: Handler, kind: str
) -> None:
    started = time.monotonic()
    issued = authority.issue(NAME)
    exchange = run(exchanged(tmp_path, authority, issued, handler, seconds=0.5))
    assert exchange.error is not None
    assert exchange.error.kind == kind
    assert time.monotonic() - started < 2


def test_body_until_the_end_of_the_connection(tmp_path: Path, authority: Authority) -> None:
    handler = web({"/": b"HTTP/1.0 200 OK\r\n\r\nwhole"})
    exchange = run(exchanged(tmp_path, authority, authority.issue(NAME), handler))
    assert (exchange.body, exchange.http_version, exchange.error) == (b"whole", "HTTP/1.0", None)


def test_plain_http_behind_the_port(tmp_path: Path, authority: Authority) -> None:
    async def look() -> Exchange:
        async with serving(_greet) as port:
            request = Request(f"https://{NAME}:{port}/", address=LOCAL)
            return await network(tmp_path, authority).request(request)

    exchange = run(look())
    assert exchange.error is not None
    assert exchange.error.kind == "tls"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        pytest.param("https://127.0.0.1:1/", "refused", id="closed port"),
        pytest.param("https://10.0.0.1/", "private", id="private address"),
        pytest.param("https://[::ffff:10.0.0.1]/", "private", id="private address in IPv6"),
        pytest.param("ftp://127.0.0.1/", "protocol", id="not a web address"),
        pytest.param("https://127.0.0.1:99999/", "protocol", id="impossible port"),
        pytest.param("https://127.0.0.1:1/a b\r\nX: y", "refused", id="line breaks"),
    ],
)
def test_addresses_that_do_not_answer(
    tmp_path: Path, authority: Authority, url: str, kind: str
) -> None:
    async def look() -> Exchange:
        return await network(tmp_path, authority).request(Request(url))

    exchange = run(look())
    assert exchange.error is not None
    assert exchange.error.kind == kind


def test_redirects_are_followed_by_name(tmp_path: Path, authority: Authority) -> None:
    issued = authority.issue("example.com", NAME)

    async def look() -> list[tuple[str, int]]:
        pages: dict[str, bytes] = {"/b?x=1": answer(b"{}")}
        zone = {f"{name}. A": [f"{name}. 60 IN A {LOCAL}"] for name in ("example.com", NAME)}
        async with serving(web(pages), issued.context(tmp_path)) as port, naming(zone) as server:
            target = f"Location: https://{NAME}:{port}/b?x=1#there"
            pages["/a"] = answer(b"", target, status="302 Found")
            real = network(tmp_path, authority, nameservers=[server])
            chain = await follow(real, f"https://example.com:{port}/a")
            return [(hop.request.url.replace(f":{port}", ""), hop.status) for hop in chain.hops]

    assert run(look()) == [("https://example.com/a", 302), (f"https://{NAME}/b?x=1", 200)]


HOME: dict[str, list[str] | str | None] = {f"{NAME}. A": [f"{NAME}. 60 IN A {LOCAL}"]}


@contextmanager
def overfull() -> Iterator[int]:
    """Give the port of a server that accepts nobody any more: its kernel drops who knocks."""
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind((LOCAL, 0))
        server.listen(0)
        for guest in (first, second):
            guest.setblocking(False)
            guest.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def test_dead_address_costs_a_moment_only(tmp_path: Path, authority: Authority) -> None:
    async def look() -> Exchange:
        zone = {f"{NAME}. A": [f"{NAME}. 60 IN A 127.0.0.2", f"{NAME}. 60 IN A {LOCAL}"]}
        context = authority.issue(NAME).context(tmp_path)
        async with serving(web({"/": answer()}), context) as port, naming(zone) as server:
            real = network(tmp_path, authority, nameservers=[server])
            return await real.request(Request(f"https://{NAME}:{port}/"))

    exchange = run(look())
    assert (exchange.status, exchange.address) == (200, LOCAL)
    assert exchange.milliseconds < 1000


def test_knocks_that_wait_hold_no_request_up(tmp_path: Path, authority: Authority) -> None:
    async def look() -> Exchange:
        context = authority.issue(NAME).context(tmp_path)
        async with serving(web({"/": answer()}), context) as port, naming(HOME) as server:
            real = network(tmp_path, authority, nameservers=[server])
            with overfull() as silent:
                knocks = [real.connect(LOCAL, silent, patience=2) for _knock in range(100)]
                knocking = asyncio.gather(*knocks)
                await asyncio.sleep(0)
                exchange = await real.request(Request(f"https://{NAME}:{port}/"))
                assert not knocking.done()
                assert "timeout" in {knock.state for knock in await knocking}
                return exchange

    exchange = run(look())
    assert (exchange.status, exchange.milliseconds < 1000) == (200, True)


ZONE: dict[str, list[str] | str | None] = {
    "alias.test. A": ["alias.test. 60 IN CNAME host.test.", "host.test. 60 IN A 192.0.2.1"],
    "host.test. AAAA": [],
    "_matrix-fed._tcp.host.test. SRV": [
        "_matrix-fed._tcp.host.test. 60 IN SRV 10 5 8448 Host.test."
    ],
    "none._tcp.host.test. SRV": ["none._tcp.host.test. 60 IN SRV 0 0 0 ."],
    "broken.test. A": "SERVFAIL",
    "silent.test. A": None,
}


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("alias.test", "A", DnsAnswer("found", ("192.0.2.1",), aliases=("host.test",))),
        ("host.test", "AAAA", DnsAnswer("nodata")),
        ("gone.test", "A", DnsAnswer("nxdomain")),
        (
            "_matrix-fed._tcp.host.test",
            "SRV",
            DnsAnswer("found", services=(SrvTarget(10, 5, 8448, "Host.test"),)),
        ),
        ("none._tcp.host.test", "SRV", DnsAnswer("found", services=(SrvTarget(0, 0, 0, "."),))),
        ("broken.test", "A", DnsAnswer("servfail")),
        ("silent.test", "A", DnsAnswer("timeout")),
        ("a" * 64 + ".test", "A", DnsAnswer("nxdomain")),
    ],
)
def test_names(
    tmp_path: Path, authority: Authority, name: str, kind: Any, expected: DnsAnswer
) -> None:
    async def look() -> DnsAnswer:
        async with naming(ZONE) as server:
            real = network(tmp_path, authority, nameservers=[server], seconds=0.5)
            return await real.resolve(name, kind)

    assert run(look()) == expected


def test_wrong_input(tmp_path: Path, authority: Authority) -> None:
    async def made(**options: Any) -> Network:
        return network(tmp_path, authority, **options)

    with pytest.raises(ValueError, match="name servers are addresses"):
        run(made(nameservers=["ns.example.com"]))
    with pytest.raises(ValueError, match="CA file"):
        Network(Guard(), ca_file="/nowhere")


@pytest.mark.parametrize(("kind", "secure"), [("tcp", False), ("tls", True)])
def test_conversation(tmp_path: Path, authority: Authority, kind: Any, secure: bool) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(2):
            writer.write(data)
            await writer.drain()

    async def look() -> tuple[bytes, bytes]:
        context = authority.issue(NAME).context(tmp_path) if secure else None
        real = network(tmp_path, authority)
        async with (
            serving(echo, context) as port,
            real.channel(LOCAL, port, kind=kind, name=NAME) as channel,
        ):
            assert channel.fault is None
            whole = await channel.exchange(b"abcdef", missing=lambda data: 6 - len(data))
            return whole, await channel.exchange(b"x")

    assert run(look()) == (b"abcdef", b"x")


def test_conversation_that_does_not_open(tmp_path: Path, authority: Authority) -> None:
    async def look() -> tuple[bytes, str]:
        async with network(tmp_path, authority).channel(LOCAL, 1, kind="tcp") as channel:
            assert channel.fault is not None
            return await channel.exchange(b"x"), channel.fault.kind

    assert run(look()) == (b"", "refused")


class _Deaf(asyncio.DatagramProtocol):
    """Answers only what is sent a second time."""

    def __init__(self) -> None:
        self._heard: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data in self._heard:
            self._transport.sendto(data.upper(), addr)
        self._heard.append(data)


def test_datagrams_are_sent_again(tmp_path: Path, authority: Authority) -> None:
    async def look() -> bytes:
        loop = asyncio.get_running_loop()
        transport, _unused = await loop.create_datagram_endpoint(_Deaf, local_addr=(LOCAL, 0))
        port = transport.get_extra_info("sockname")[1]
        async with network(tmp_path, authority).channel(LOCAL, port, kind="udp") as channel:
            assert channel.local[0] == LOCAL
            said = await channel.exchange(b"hello")
        transport.close()
        return said

    assert run(look()) == b"HELLO"


class _Sender(_Deaf):
    """Answers with the port that a datagram came from."""

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._transport.sendto(data + str(addr[1]).encode(), addr)


def test_datagrams_go_on_from_another_port(tmp_path: Path, authority: Authority) -> None:
    async def look() -> list[tuple[int, bytes]]:
        loop = asyncio.get_running_loop()
        transport, _unused = await loop.create_datagram_endpoint(_Sender, local_addr=(LOCAL, 0))
        port = transport.get_extra_info("sockname")[1]
        async with network(tmp_path, authority).channel(LOCAL, port, kind="udp") as channel:
            said = [(channel.local[1], await channel.exchange(b"from "))]
            await channel.move()
            said.append((channel.local[1], await channel.exchange(b"from ")))
        transport.close()
        return said

    said = run(look())
    assert [answer for _unused, answer in said] == [f"from {port}".encode() for port, _ in said]
    assert len(set(said)) == 2


def test_closed_datagram_port_is_known_at_once(tmp_path: Path, authority: Authority) -> None:
    async def look() -> str:
        async with network(tmp_path, authority).channel(LOCAL, 1, kind="udp") as channel:
            assert await channel.exchange(b"hello") == b""
            return channel.fault.kind if channel.fault else ""

    started = time.monotonic()
    assert run(look()) == "refused"
    assert time.monotonic() - started < 2


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 hello\r\n")
    await silence(reader, writer)


@pytest.mark.parametrize(
    ("handler", "banner", "expected"),
    [
        pytest.param(_greet, True, ("open", b"220 hello\r\n"), id="greeting"),
        pytest.param(silence, False, ("open", b""), id="not listened to"),
        pytest.param(None, False, ("refused", b""), id="closed"),
    ],
)
def test_ports(
    tmp_path: Path,
    authority: Authority,
    handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] | None,
    banner: bool,
    expected: tuple[str, bytes],
) -> None:
    async def look() -> tuple[str, bytes]:
        real = network(tmp_path, authority)
        async with serving(handler or silence) as port:
            seen = await real.connect(LOCAL, port if handler else 1, banner=banner)
            return seen.state, seen.banner

    assert run(look()) == expected
