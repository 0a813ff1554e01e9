# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small XMPP client that reaches a server over HTTP, as browsers do: BOSH and WebSocket."""

from __future__ import annotations

import asyncio
import base64
import secrets
from abc import ABC, abstractmethod
from collections import deque
from types import TracebackType
from xml.etree import ElementTree as ET

import aiohttp

CLIENT = "jabber:client"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
HTTP_BIND = "http://jabber.org/protocol/httpbind"
BOSH = "urn:xmpp:xbosh"
MUC = "http://jabber.org/protocol/muc"
SECONDS = 15


class RefusedError(Exception):
    """The server says no, in the word of an error."""


class Channel(ABC):
    """A stream of stanzas."""

    @abstractmethod
    async def open(self, domain: str) -> None:
        """Begin the stream, or begin it anew."""

    @abstractmethod
    async def send(self, stanza: str) -> None: ...

    @abstractmethod
    async def receive(self) -> ET.Element: ...


class WebSocket(Channel):
    """RFC 7395."""

    def __init__(self, session: aiohttp.ClientSession, name: str) -> None:
        self._session, self._url = session, f"wss://{name}/xmpp-websocket"
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def open(self, domain: str) -> None:
        if self._socket is None:
            self._socket = await self._session.ws_connect(self._url, protocols=("xmpp",))
        await self.send(f"<open xmlns='{FRAMING}' to='{domain}' version='1.0'/>")
        opened = await self.receive()
        assert opened.tag == f"{{{FRAMING}}}open", ET.tostring(opened)

    async def send(self, stanza: str) -> None:
        assert self._socket is not None
        await self._socket.send_str(stanza)

    async def receive(self) -> ET.Element:
        assert self._socket is not None
        return ET.fromstring(await self._socket.receive_str(timeout=SECONDS))


class Bosh(Channel):
    """XEP-0124 and XEP-0206; one request at a time."""

    def __init__(self, session: aiohttp.ClientSession, name: str) -> None:
        self._session, self._url = session, f"https://{name}/http-bind"
        self._number, self._id = secrets.randbelow(2**32), ""
        self._received: deque[ET.Element] = deque()

    async def open(self, domain: str) -> None:
        shared = f"to='{domain}' xmlns:xmpp='{BOSH}'"
        if self._id:
            await self._post(f"{shared} xmpp:restart='true'")
            return
        how = "hold='1' wait='5' ver='1.6' content='text/xml; charset=utf-8' xmpp:version='1.0'"
        self._id = (await self._post(f"{shared} {how}")).get("sid", "")

    async def send(self, stanza: str) -> None:
        await self._post("", stanza)

    async def receive(self) -> ET.Element:
        for _attempt in range(SECONDS):
            if self._received:
                return self._received.popleft()
            await self._post("")
        raise TimeoutError

    async def _post(self, attributes: str, stanza: str = "") -> ET.Element:
        self._number += 1
        session = f" sid='{self._id}'" if self._id else ""
        body = f"<body xmlns='{HTTP_BIND}' rid='{self._number}'{session} {attributes}>"
        async with self._session.post(self._url, data=f"{body}{stanza}</body>") as answer:
            assert answer.status == 200, answer
            parsed = ET.fromstring(await answer.text())
        if parsed.get("type") == "terminate":
            raise RefusedError(parsed.get("condition"))
        self._received.extend(parsed)
        return parsed


class Client:
    """Somebody who logs in, asks, and joins rooms."""

    def __init__(self, channel: Channel, domain: str) -> None:
        self._channel, self._domain, self.address = channel, domain, ""

    async def __aenter__(self) -> Client:
        await self._channel.open(self._domain)
        return self

    async def __aexit__(
        self, _kind: type | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        return

    async def login(self, name: str = "", password: str = "") -> None:
        """Log in with a password, or without a name."""
        features = await self._channel.receive()
        offered = {each.text for each in features.iter(f"{{{SASL}}}mechanism")}
        mechanism = "PLAIN" if name else "ANONYMOUS"
        if mechanism not in offered:
            raise RefusedError(f"only {offered}")
        secret = base64.b64encode(f"\0{name}\0{password}".encode()).decode() if name else ""
        await self._channel.send(f"<auth xmlns='{SASL}' mechanism='{mechanism}'>{secret}</auth>")
        answer = await self._channel.receive()
        if answer.tag != f"{{{SASL}}}success":
            raise RefusedError(answer[0].tag.rpartition("}")[2])
        await self._channel.open(self._domain)
        await self._channel.receive()
        bound = await self.ask("", f"<bind xmlns='{BIND}'/>", kind="set")
        (address,) = bound.iter(f"{{{BIND}}}jid")
        self.address = str(address.text)

    async def ask(self, to: str, question: str, *, kind: str = "get") -> ET.Element:
        """Send a question and return its answer (RFC 6120 section 8.2.3)."""
        number = secrets.token_hex(4)
        target = f" to='{to}'" if to else ""
        await self._channel.send(
            f"<iq xmlns='{CLIENT}' type='{kind}' id='{number}'{target}>{question}</iq>"
        )
        while (answer := await self._receive()).get("id") != number:
            pass
        return answer

    async def join(self, room: str, nickname: str) -> set[str]:
        """Enter a room (XEP-0045 section 7.2) and return who is there."""
        presence = (
            f"<presence xmlns='{CLIENT}' to='{room}/{nickname}'><x xmlns='{MUC}'/></presence>"
        )
        await self._channel.send(presence)
        present: set[str] = set()
        while nickname not in present:
            stanza = await self._receive()
            if stanza.tag == f"{{{CLIENT}}}presence":
                present.add(str(stanza.get("from")).partition("/")[2])
        return present

    async def say(self, room: str, words: str) -> None:
        await self._channel.send(
            f"<message xmlns='{CLIENT}' type='groupchat' to='{room}'><body>{words}</body></message>"
        )

    async def hear(self, words: str) -> str:
        """Return who says these words."""
        while True:
            stanza = await self._receive()
            if stanza.findtext(f"{{{CLIENT}}}body") == words:
                return str(stanza.get("from")).partition("/")[2]

    async def _receive(self) -> ET.Element:
        async with asyncio.timeout(SECONDS):
            stanza = await self._channel.receive()
        if stanza.get("type") == "error":
            raise RefusedError(stanza.find(f"{{{CLIENT}}}error")[0].tag.rpartition("}")[2])
        return stanza
