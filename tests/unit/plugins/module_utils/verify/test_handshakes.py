# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real handshakes and plain HTTP with servers on 127.0.0.1, new and old."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.homestead.matrix.plugins.module_utils.verify.web.tls_versions import (
    check_versions,
)
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.http1 import is_http2
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.recorder import Site
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.transport import (
    Exchange,
    Handshake,
    Request,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.authority import (
    Authority,
)
from ansible_collections.homestead.matrix.tests.unit.plugins.module_utils.verify.internet import (
    LOCAL,
    Handler,
    answer,
    serving,
    silence,
    web,
)

NAME = "matrix.example.com"
TLS1_0, TLS1_1, TLS1_3 = (f"TLSv1{minor}" for minor in ("", ".1", ".3"))
SETTINGS = bytes.fromhex("000000040000000000")
GOAWAY = bytes.fromhex("000008070000000000") + bytes(8)
NO_PROTOCOL = bytes.fromhex("15030300020278")
"""A fatal alert of TLS: no_application_protocol (RFC 7301 section 3.2)."""


def network(seconds: float = 2, ca_file: str = "") -> Network:
    guard = Guard.parse(["127.0.0.0/8"])
    return Network(guard, nameservers=[f"{LOCAL}:9"], seconds=seconds, ca_file=ca_file)


def saying(data: bytes) -> Handler:
    """Say something right away, before anything is asked."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await silence(reader, writer)

    return handle


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)
    writer.close()


def current(folder: Path, protocols: Sequence[str] = ()) -> ssl.SSLContext:
    authority = Authority.make()
    authority.write(folder)
    context = authority.issue(NAME).context(folder)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def old(folder: Path, version: str) -> ssl.SSLContext:
    """Return what a server needs to speak old versions up to this one, beside TLS 1.2."""
    context = current(folder)
    highest = {TLS1_0: ssl.TLSVersion.TLSv1, TLS1_1: ssl.TLSVersion.TLSv1_1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = highest.get(version, ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


async def greeted(
    context: ssl.SSLContext | None, handler: Handler = silence, *, outdated: bool = False
) -> Handshake:
    async with serving(handler, context) as port:
        return await network(0.5).handshake(LOCAL, port, name=NAME, outdated=outdated)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        pytest.param(["h2", "http/1.1"], "h2", id="both"),
        pytest.param(["http/1.1"], "http/1.1", id="HTTP/1.1 only"),
        pytest.param([], "", id="no ALPN"),
    ],
)
def test_protocol(tmp_path: Path, offered: list[str], chosen: str) -> None:
    found = asyncio.run(greeted(current(tmp_path, offered)))
    assert found == Handshake(TLS1_3, chosen)


@pytest.mark.parametrize(
    ("highest", "version"),
    [
        pytest.param(TLS1_0, TLS1_0, id="TLS 1.0"),
        pytest.param(TLS1_1, TLS1_1, id="TLS 1.1"),
        pytest.param("TLSv1.2", TLS1_1, id="TLS 1.0 to 1.2"),
    ],
)
def test_outdated_version_is_accepted(tmp_path: Path, highest: str, version: str) -> None:
    found = asyncio.run(greeted(old(tmp_path, highest), outdated=True))
    assert (found.tls_version, found.fault) == (version, None)


def test_outdated_version_is_refused(tmp_path: Path) -> None:
    found = asyncio.run(greeted(current(tmp_path), outdated=True))
    assert found.fault is not None
    assert found.fault.kind in ("tls", "protocol")  # asyncio's servers do not always say why


@pytest.mark.parametrize(
    ("handler", "kinds"),
    [
        pytest.param(silence, {"timeout"}, id="silence"),
        pytest.param(hang_up, {"tls", "protocol"}, id="hangs up"),
        pytest.param(saying(NO_PROTOCOL), {"alpn"}, id="alert"),
    ],
)
def test_broken_handshake(handler: Handler, kinds: set[str]) -> None:
    found = asyncio.run(greeted(None, handler, outdated=True))
    assert found.fault is not None
    assert found.fault.kind in kinds


@pytest.mark.parametrize(("address", "kind"), [(LOCAL, "refused"), ("10.0.0.1", "private")])
def test_no_handshake(address: str, kind: str) -> None:
    found = asyncio.run(network().handshake(address, 1, name=NAME))
    assert found.fault is not None
    assert found.fault.kind == kind


_TRY = """
import asyncio, sys
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.guard import Guard
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire.network import Network
network = Network(Guard.parse(["127.0.0.0/8"]), nameservers=["127.0.0.1:9"])
look = network.handshake("127.0.0.1", int(sys.argv[1]), name="a.example", outdated=True)
print(asyncio.run(look).fault.kind)
"""
_POLICY = """
openssl_conf = a
[a]
ssl_conf = b
[b]
system_default = c
[c]
Protocol = -TLSv1, -TLSv1.1
"""


def test_a_vantage_that_cannot_speak_old_versions_says_so(tmp_path: Path) -> None:
    policy = tmp_path / "openssl.cnf"
    policy.write_text(_POLICY)

    async def look() -> str:
        async with serving(silence, old(tmp_path, TLS1_1)) as port:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", _TRY, str(port)),
                env={"OPENSSL_CONF": str(policy), "PYTHONPATH": ":".join(sys.path)},
                stdout=subprocess.PIPE,
            )
            said, _unused = await asyncio.wait_for(process.communicate(), 20)
            return said.decode().strip()

    assert asyncio.run(look()) == "unable"


def test_old_and_new_servers_together(tmp_path: Path) -> None:
    async def look() -> list[tuple[str, str]]:
        async with (
            serving(silence, old(tmp_path, "TLSv1.2")) as lax,
            serving(silence, current(tmp_path)) as strict,
        ):
            sites = [Site(LOCAL, port, NAME) for port in (lax, strict, 1)]
            found = await check_versions(network(), sites)
            ports = {str(lax): "LAX", str(strict): "STRICT"}
            return [(item.verdict, _named(item.message, ports)) for item in found]

    assert asyncio.run(look()) == [
        ("warning", f"TLS 1.1 is still accepted by {NAME} at {LOCAL}:LAX."),
        ("ok", f"TLS 1.0 and 1.1 are refused by {NAME} at {LOCAL}:STRICT."),
    ]


def _named(message: str, ports: dict[str, str]) -> str:
    for port, name in ports.items():
        message = message.replace(port, name)
    return message


async def asked(url: str, handler: Handler, folder: Path | None = None) -> Exchange:
    """Ask a server, which speaks TLS if it has a folder for its certificate."""
    context = current(folder) if folder else None
    async with serving(handler, context) as port:
        ca_file = str(folder / "ca.pem") if folder else ""
        request = Request(f"{url}:{port}/", address=LOCAL)
        return await network(ca_file=ca_file).request(request)


def test_plain_http() -> None:
    page = answer(b"", f"Location: https://{NAME}/", status="301 Moved")
    exchange = asyncio.run(asked(f"http://{NAME}", web({"/": page})))
    assert (exchange.status, exchange.certificate, exchange.error) == (301, None, None)
    assert exchange.address == LOCAL


def test_plain_http_where_nothing_listens() -> None:
    exchange = asyncio.run(network().request(Request("http://127.0.0.1:1/")))
    assert exchange.error is not None
    assert exchange.error.kind == "refused"


@pytest.mark.parametrize("frame", [SETTINGS, GOAWAY])
def test_http2_only(tmp_path: Path, frame: bytes) -> None:
    exchange = asyncio.run(asked(f"https://{NAME}", saying(frame), tmp_path))
    assert exchange.error is not None
    assert (exchange.error.kind, exchange.status) == ("alpn", 0)


def test_http1_is_refused_in_the_handshake() -> None:
    exchange = asyncio.run(asked(f"https://{NAME}", saying(NO_PROTOCOL)))
    assert exchange.error is not None
    assert (exchange.error.kind, exchange.status) == ("alpn", 0)


@pytest.mark.parametrize("text", [b"", b"HTTP/1.1 200 OK", SETTINGS[:8], b"\x00\x00\x04\x01" * 4])
def test_not_http2(text: bytes) -> None:
    assert not is_http2(text)
