# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Jitsi's conference focus and its video bridge: XMPP and open ports, no media.

Run with the configuration of either, it logs in at Prosody. The focus opens a room for whoever asks
(jicofo, doc/conference-request.md); the bridge waits in the room for bridges, and takes WebSockets.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import ssl
import sys
from pathlib import Path

import slixmpp
from slixmpp.xmlstream.handler import CoroutineCallback
from slixmpp.xmlstream.matcher import MatchXPath

FOCUS = "http://jitsi.org/protocol/focus"
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Client(slixmpp.ClientXMPP):
    """A client of Prosody that joins rooms."""

    def __init__(self, account, nickname, rooms=(), login=""):
        super().__init__(
            f"{account['username']}@{account['domain']}/{nickname}", account["password"]
        )
        self.nickname, self.rooms, self.login = nickname, rooms, login
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE  # as the configurations say
        self.register_plugin("xep_0045")
        self.add_event_handler("session_start", self.begin)
        self.add_event_handler(
            "failed_auth", lambda _event: sys.exit("Prosody refuses the password")
        )
        asked = MatchXPath(f"{{jabber:client}}iq/{{{FOCUS}}}conference")
        self.register_handler(CoroutineCallback("conference", asked, self.open_room))

    async def begin(self, _event):
        self.send_presence()
        for room in self.rooms:
            self.join(room)

    def join(self, room):
        self.plugin["xep_0045"].join_muc(room, self.nickname)

    async def open_room(self, iq):
        """Open a room; with a login, only for those who have one."""
        reply = iq.reply()
        # Through the proxy, the sender is the resource.
        sender = slixmpp.JID(iq["from"].resource) if not iq["from"].user else iq["from"]
        if self.login and sender.domain != self.login:
            reply["type"] = "error"
            reply["error"]["condition"] = "not-authorized"
        else:
            room = iq.xml.find(f"{{{FOCUS}}}conference").get("room")
            await self.plugin["xep_0045"].join_muc_wait(room, self.nickname, timeout=10)
            answer = slixmpp.ET.Element(f"{{{FOCUS}}}conference", {"ready": "true"})
            reply.append(answer)
        reply.send()


async def answer(reader, writer):
    """Answer HTTP: agree to a WebSocket (RFC 6455 section 4.2.2), say that all is well, or 404."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:  # somebody only sees whether anything listens
        writer.close()
        return
    lines = (line.partition(": ") for line in head.splitlines()[1:])
    headers = {name.lower(): value for name, _colon, value in lines}
    if headers.get("upgrade") == "websocket":
        key = hashlib.sha1((headers["sec-websocket-key"] + GUID).encode()).digest()
        said = "101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        said += f"Sec-WebSocket-Accept: {base64.b64encode(key).decode()}"
    else:
        said = "200 OK" if "/about/health" in head else "404 Not Found"
        said += "\r\nContent-Length: 0\r\nConnection: close"
    writer.write(f"HTTP/1.1 {said}\r\n\r\n".encode())
    await writer.drain()
    if " 101 " not in f" {said}":
        writer.close()


def focus(settings):
    """Return the client of a focus and its port."""
    account = settings["xmpp"]["client"]
    asks = settings["authentication"]
    login = asks["login-url"] if asks["enabled"] else ""
    return account, Client(account, "focus", login=login), [settings["rest"]["port"]]


def bridge(settings):
    """Return the client of a bridge and its ports."""
    (account,) = settings["apis"]["xmpp-client"]["configs"].values()
    rooms = [account["muc_jids"]]
    ports = [settings["http-servers"][each]["port"] for each in ("public", "private")]
    return account, Client(account, account["muc_nickname"], rooms), ports


async def main():
    configuration = json.loads(Path(sys.argv[1]).read_text())
    is_focus = "jicofo" in configuration
    settings = configuration["jicofo" if is_focus else "videobridge"]
    account, client, ports = (focus if is_focus else bridge)(settings)
    servers = [await asyncio.start_server(answer, "127.0.0.1", port) for port in ports]
    if not is_focus:
        where = ("::", settings["ice"]["udp"]["port"])
        loop = asyncio.get_running_loop()
        servers.append(await loop.create_datagram_endpoint(asyncio.DatagramProtocol, where))
    where = (account["hostname"], int(account["port"]))
    try:
        client.connect(host=where[0], port=where[1])
    except TypeError:  # slixmpp before 1.9 (Debian 12)
        client.connect(where)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
