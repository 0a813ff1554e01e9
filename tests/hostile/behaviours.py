# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What servers that mean no good do: on the web, in the DNS, in TURN and in their banners."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping

import dns.message
import dns.rrset
from ansible_collections.homestead.matrix.plugins.module_utils.verify.wire import stun

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Pieces = Callable[[str], Iterator[bytes]]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nAccess-Control-Allow-Origin: *\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MEGABYTE = b"x" * 2**20
PAUSE = 0.1


def sending(pieces: Pieces, *, pause: float = 0) -> Handler:
    """Answer each request with pieces, one after the other, as long as somebody listens."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        for piece in pieces(head.split()[1].decode("latin-1")):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return handle


def page(body: bytes, *lines: bytes) -> Pieces:
    head = [OK, *(line + b"\r\n" for line in lines), b"Content-Length: %d\r\n\r\n" % len(body)]
    return lambda _path: iter([b"".join(head), body])


def forever(beginning: bytes, piece: bytes) -> Pieces:
    return lambda _path: itertools.chain([beginning], itertools.repeat(piece))


def redirect(target: str) -> Pieces:
    """Redirect, each time to an address that was not visited yet."""
    numbers = itertools.count()

    def answer(_path: str) -> Iterator[bytes]:
        location = target.format(next(numbers)).encode()
        yield b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"

    return answer


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept, take everything and say nothing."""
    while await reader.read(2**16):
        pass
    writer.close()


WEB: dict[str, Handler] = {
    "silence": silence,
    "a body without end": sending(forever(OK + b"\r\n", MEGABYTE)),
    "a body that drips": sending(forever(OK + b"Content-Length: 99999\r\n\r\n", b" "), pause=PAUSE),
    "header lines without end": sending(forever(OK, b"X-Filler: " + b"x" * 4000 + b"\r\n")),
    "short header lines without end": sending(forever(OK, b"a:\r\n" * 4000)),
    "header lines that drip": sending(forever(OK, b"a: b\r\n"), pause=PAUSE),
    "one huge header line": sending(forever(OK + b"X: ", MEGABYTE)),
    "a compressed bomb": sending(page(gzip.compress(bytes(2**25)), b"Content-Encoding: gzip")),
    "redirects without end": sending(redirect("https://example.com/{}")),
    "redirects that drip": sending(redirect("https://example.com/{}"), pause=PAUSE),
    "redirects to private addresses": sending(redirect("https://10.0.0.1/{}")),
    "redirects to the metadata": sending(redirect("https://169.254.169.254/latest/{}")),
    "redirects to another scheme": sending(redirect("file:///etc/passwd?{}")),
    "redirects to http": sending(redirect("http://example.com/{}")),
    "redirects to a huge address": sending(redirect("https://example.com/{}" + "x" * 50_000)),
    "invalid UTF-8": sending(page(b'{"m.server": "\xff\xfe"}' * 100)),
    "deep JSON": sending(page(b'{"a":' * 10_000)),
    "very deep JSON": sending(page(b"[" * 100_000)),
    "duplicate keys": sending(page(b"{" + b'"a":{},' * 1_500_000 + b'"a":0}')),
    "many duplicate keys": sending(page(b"{" + b'"a":{},' * 7000 + b'"a":0}')),
    "a huge number": sending(page(b'{"versions": ' + b"9" * 40_000 + b"}")),
    "many contacts": sending(page(b'{"contacts": [' + b"{}," * 16_000 + b"{}]}")),
    "a huge chunk": sending(forever(CHUNKED + b"fffffffffffffff\r\n", MEGABYTE)),
    "a negative chunk": sending(lambda _path: iter([CHUNKED + b"-1\r\n{}\r\n0\r\n\r\n"])),
    "small chunks without end": sending(forever(CHUNKED, b"1\r\n \r\n" * 10_000)),
    "a chunk with a comment without end": sending(forever(CHUNKED + b"1;", MEGABYTE)),
    "trailers without end": sending(forever(CHUNKED + b"0\r\n", b"a: b\r\n" * 1000)),
    "HTTP/0.9": sending(lambda _path: iter([b"<html>hello</html>"])),
    "interim answers without end": sending(forever(b"", b"HTTP/1.1 103 Early\r\n\r\n" * 1000)),
    "noise": sending(lambda _path: (os.urandom(2**16) for _unused in itertools.count())),
}
"""What a web server may do to those who ask it."""


async def handshake_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begin a TLS record of 16 KiB and let it drip."""
    await reader.read(2**12)
    writer.write(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
    while not writer.is_closing():
        writer.write(b"\x03")
        await asyncio.sleep(PAUSE)


def banner(line: bytes, *, pause: float = 0) -> Handler:
    """Greet without end and without being asked."""

    async def handle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            writer.write(line)
            await writer.drain()
            await asyncio.sleep(pause)

    return handle


BANNERS: dict[str, Handler] = {
    "mail lines without end": banner(b"220-hello\r\n" * 1000),
    "mail lines that drip": banner(b"220-hello\r\n", pause=PAUSE),
    "one line without end": banner(MEGABYTE),
    "a letter at a time": banner(b"S", pause=PAUSE),
    "silence": silence,
}


def _strays(_question: bytes) -> list[bytes]:
    """Answer with somebody else's messages."""
    return [
        stun.build(stun.Message(stun.Kind.BINDING_SUCCESS, os.urandom(12))) for _unused in range(99)
    ]


def _wrong_length(question: bytes) -> list[bytes]:
    return [b"\x01\x01\xff\xfc" + question[4:20] + b"\x00\x20\xff\xff"]


def _echo(question: bytes) -> list[bytes]:
    return [question] * 3


TURN: dict[str, Callable[[bytes], list[bytes]]] = {
    "strays": _strays,
    "wrong lengths": _wrong_length,
    "echo": _echo,
    "noise": lambda _question: [os.urandom(1200)] * 50,
}


def stun_over_tcp(answer: Callable[[bytes], list[bytes]], *, pause: float) -> Handler:
    """Answer over a stream, one message a while, whether asked or not."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = await reader.read(2**12)
        while not writer.is_closing():
            for message in answer(question.ljust(20, b"\0")):
                writer.write(message)
                await writer.drain()
                await asyncio.sleep(pause)

    return handle


Zone = Callable[[str, str], list[str]]


def plain_zone(name: str, kind: str) -> list[str]:
    return [f"{name} 1 IN A 127.0.0.1"] if kind == "A" else []


def many_addresses(name: str, kind: str) -> list[str]:
    numbers = range(3000)
    return [f"{name} 1 IN A 127.1.{n // 250}.{n % 250 + 1}" for n in numbers] if kind == "A" else []


def many_targets(name: str, kind: str) -> list[str]:
    if kind == "SRV":
        return [f"{name} 1 IN SRV {n} 0 8448 t{n}.example.com." for n in range(1000)]
    return many_addresses(name, kind)


def aliases_in_a_circle(name: str, _kind: str) -> list[str]:
    return [f"{name} 1 IN CNAME a.example.com.", f"a.example.com. 1 IN CNAME {name}"]


def aliases_without_end(name: str, kind: str) -> list[str]:
    return [f"{name} 1 IN CNAME x{hash((name, kind)) % 10**9}.example.com."]


ZONES: dict[str, Zone] = {
    "many addresses": many_addresses,
    "many targets": many_targets,
    "aliases in a circle": aliases_in_a_circle,
    "aliases without end": aliases_without_end,
}


def name_server(zone: Zone) -> Callable[[bytes], list[bytes]]:
    def answer(data: bytes) -> list[bytes]:
        query = dns.message.from_wire(data)
        reply = dns.message.make_response(query, recursion_available=True)
        question = query.question[0]
        lines = zone(question.name.to_text(), question.rdtype.name)
        sets: dict[tuple[str, str], list[str]] = {}
        for line in lines:
            name, _seconds, _class, kind, value = line.split(" ", 4)
            sets.setdefault((name, kind), []).append(value)
        reply.answer = [
            dns.rrset.from_text_list(name, 1, "IN", kind, values)
            for (name, kind), values in sets.items()
        ]
        return [reply.to_wire(max_size=65000)]

    return answer


def worst(pages: Mapping[str, bytes], *, pause: float) -> Handler:
    """Send clients to the API after redirects, and answer there with as much as will be read."""
    numbers = itertools.count()
    client = next(page for key, page in pages.items() if key.endswith("/.well-known/matrix/client"))
    big = b"{" + b'"a":{},' * (2**18 // 7 - 1) + b'"a":0}'
    large = b"".join([OK, b"Content-Length: %d\r\n\r\n" % len(big), big])

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode("latin-1")
        await asyncio.sleep(pause)
        if "/.well-known/" in path and "n=4" not in path:
            step = int(path.rpartition("n=")[2] or 0) if "n=" in path else 0
            target = f"https://example.com{path.partition('?')[0]}?{next(numbers)}&n={step + 1}"
            writer.write(
                b"HTTP/1.1 302 X\r\nContent-Length: 0\r\nAccess-Control-Allow-Origin: *\r\n"
            )
            writer.write(b"Location: " + target.encode() + b"\r\n\r\n")
        else:
            writer.write(client if path.startswith("/.well-known/matrix/client") else large)
        await writer.drain()

    return handle
