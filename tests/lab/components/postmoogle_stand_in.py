# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Postmoogle, for tests only: as much of it as the role's own work needs.

It reads the same environment variables, logs in with its password, is a mail server on both ports,
and bridges one mailbox a room; without encryption, attachments, logins of programs and DKIM.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import json
import os
import smtplib
import socket
import ssl
import struct
import urllib.request
from collections.abc import Iterator
from email.message import Message
from email.utils import parseaddr
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

PREFIX = "!pm mailbox"
GREETING = f"This stands in for Postmoogle. To begin, say {PREFIX} NAME."


def setting(name: str) -> str:
    return os.environ[f"POSTMOOGLE_{name}"]


class Matrix:
    """The account at the homeserver."""

    def __init__(self) -> None:
        self.token, self.batch = "", ""
        identifier = {"type": "m.id.user", "user": setting("LOGIN")}
        password = {"type": "m.login.password", "password": setting("PASSWORD")}
        answer = self.ask("POST", "login", {**password, "identifier": identifier})
        self.token, self.user = answer["access_token"], answer["user_id"]

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Ask the client-server API."""
        address = f"{setting('HOMESERVER')}/_matrix/client/v3/{path}"
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        request = urllib.request.Request(address, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return cast("dict[str, Any]", json.load(answer))

    def sync(self) -> dict[str, Any]:
        since = f"&since={self.batch}" if self.batch else ""
        answer = self.ask("GET", f"sync?timeout=10000{since}")
        self.batch = answer["next_batch"]
        return cast("dict[str, Any]", answer.get("rooms", {}))

    def say(self, room: str, text: str, kind: str = "m.notice") -> str:
        path = f"rooms/{quote(room)}/send/m.room.message/{os.urandom(8).hex()}"
        return str(self.ask("PUT", path, {"msgtype": kind, "body": text})["event_id"])


class Bridge:
    """Which mailbox is in which room, and which mail became which event."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix, self.place = matrix, Path(f"{setting('DB_DSN')}.json")
        kept = json.loads(self.place.read_text()) if self.place.exists() else {}
        self.mailboxes: dict[str, str] = kept.get("mailboxes", {})
        self.mails: dict[str, dict[str, str]] = kept.get("mails", {})
        self.keep()

    def keep(self) -> None:
        self.place.write_text(json.dumps({"mailboxes": self.mailboxes, "mails": self.mails}))

    def room_of(self, address: str) -> str | None:
        """Return the room of a mailbox of ours."""
        name, _at, domain = address.lower().partition("@")
        return self.mailboxes.get(name) if is_ours(domain) else None

    def deliver(self, sender: str, recipient: str, mail: Message) -> None:
        """Write a mail into the room of its recipient."""
        part = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
        text = cast("bytes", part.get_payload(decode=True)).decode(errors="replace")
        said = f"{sender} to {recipient}\n\n# {mail['Subject']}\n\n{text}"
        event = self.matrix.say(self.mailboxes[recipient.partition("@")[0].lower()], said, "m.text")
        known = {"from": recipient, "to": parseaddr(str(mail["From"]))[1]}
        self.mails[event] = {**known, "id": str(mail["Message-Id"]), "about": str(mail["Subject"])}
        self.keep()

    def hear(self, room: str, event: dict[str, Any]) -> None:
        """Obey a command, or send an answer to a mail."""
        content = event.get("content", {})
        text, thread = content.get("body", ""), content.get("m.relates_to", {}).get("event_id")
        if text.startswith(PREFIX):
            self.claim(room, text.removeprefix(PREFIX).strip().lower())
        elif mail := self.mails.get(thread):
            self.answer(mail, text)
            self.matrix.say(room, f"Sent to {mail['to']}.")

    def claim(self, room: str, name: str) -> None:
        address = f"{name}@{setting('DOMAINS').split()[0]}"
        if name in setting("MAILBOXES_RESERVED").split() or self.mailboxes.get(name, room) != room:
            self.matrix.say(room, f"{address} is already taken.")
            return
        self.mailboxes[name] = room
        self.keep()
        self.matrix.say(room, f"This room has the mailbox {address}.")

    def answer(self, mail: dict[str, str], text: str) -> None:
        answer = Message()
        headers = {"From": mail["from"], "To": mail["to"], "In-Reply-To": mail["id"]}
        for name, value in {**headers, "Subject": f"Re: {mail['about']}"}.items():
            answer[name] = value
        answer.set_payload(text)
        host = mail_server(mail["to"].partition("@")[2])
        with smtplib.SMTP(host, local_hostname=mail["from"].partition("@")[2]) as server:
            server.send_message(answer)

    def watch(self) -> None:
        """Go into rooms to which people of this server invite, and listen there."""
        old = True  # what was said before it started was heard then, or is lost
        while True:
            rooms = self.matrix.sync()
            for room, invited in rooms.get("invite", {}).items():
                self.join(room, invited["invite_state"]["events"])
            for room, joined in ({} if old else rooms.get("join", {})).items():
                for event in joined["timeline"]["events"]:
                    if event["type"] == "m.room.message" and event["sender"] != self.matrix.user:
                        self.hear(room, event)
            old = False

    def join(self, room: str, state: list[dict[str, Any]]) -> None:
        home = self.matrix.user.partition(":")[2]
        inviters = {item["sender"] for item in state if item.get("state_key") == self.matrix.user}
        allowed = all(user.endswith(f":{home}") for user in inviters - {*setting("ADMINS").split()})
        self.matrix.ask("POST", f"rooms/{quote(room)}/{'join' if allowed else 'leave'}", {})
        if allowed:
            self.matrix.say(room, GREETING)


def is_ours(domain: str) -> bool:
    return domain.lower() in setting("DOMAINS").split()


def mail_server(domain: str) -> str:
    """Ask the DNS where mail for a domain goes (RFC 5321 section 5.1, RFC 1035 section 4.1)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in domain.split("."))
    question = struct.pack("!6H", 1, 0x100, 1, 0, 0, 0) + labels + b"\0\0\x0f\0\x01"
    lines = Path("/etc/resolv.conf").read_text().splitlines()
    resolver = next(line.split()[1] for line in lines if line.startswith("nameserver"))
    family = socket.AF_INET6 if ":" in resolver else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        asking.sendto(question, (resolver, 53))
        answer = asking.recv(4096)
    (found,) = struct.unpack_from("!H", answer, 6)
    if not found:
        return domain
    start = len(question)
    start += 2 if answer[start] & 0xC0 else answer.index(b"\0", start) - start + 1
    return ".".join(labels_at(answer, start + 12))


def labels_at(message: bytes, place: int) -> Iterator[str]:
    """Yield the parts of a name in an answer of the DNS, which may lead to earlier ones."""
    while size := message[place]:
        if size & 0xC0:
            yield from labels_at(message, struct.unpack_from("!H", message, place)[0] & 0x3FFF)
            return
        yield message[place + 1 : place + 1 + size].decode()
        place += 1 + size


class Session:
    """A stranger who talks SMTP; nobody can log in, so mail for other domains is refused."""

    def __init__(
        self, bridge: Bridge, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.bridge, self.reader, self.writer = bridge, reader, writer
        self.sender, self.recipients = "", list[str]()

    def reply(self, *lines: str) -> None:
        for number, line in enumerate(lines, 1):
            mark = " " if number == len(lines) else "-"
            self.writer.write(f"{line[:3]}{mark}{line[4:]}\r\n".encode())

    async def talk(self) -> None:
        self.reply("220 stand-in ESMTP")
        while line := (await self.reader.readline()).decode(errors="replace").strip():
            verb, _space, rest = line.partition(" ")
            known = getattr(self, f"do_{verb.lower()}", None)
            if verb.upper() == "QUIT":
                self.reply("221 bye")
                break
            await known(rest) if known else self.reply("250 ok")
            await self.writer.drain()

    async def do_ehlo(self, _rest: str) -> None:
        encrypted = self.writer.get_extra_info("ssl_object") is not None
        offers = bool(setting("TLS_CERT")) and not encrypted
        self.reply("250 stand-in", *(["250 STARTTLS"] if offers else []), "250 8BITMIME")

    async def do_starttls(self, _rest: str) -> None:
        self.reply("220 go on")
        await self.writer.start_tls(certificate())

    async def do_mail(self, rest: str) -> None:
        self.sender, self.recipients = rest.partition("<")[2].partition(">")[0], []
        if is_ours(self.sender.partition("@")[2]):
            self.reply("530 authentication required")
        else:
            self.reply("250 ok")

    async def do_rcpt(self, rest: str) -> None:
        recipient = rest.partition("<")[2].partition(">")[0]
        if self.bridge.room_of(recipient):
            self.recipients.append(recipient)
            self.reply("250 ok")
        else:
            self.reply("550 no such user here")

    async def do_data(self, _rest: str) -> None:
        if not self.recipients:
            self.reply("503 nobody is to get it")
            return
        self.reply("354 go on")
        lines = []
        while (line := await self.reader.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        mail = email.message_from_bytes(b"".join(lines))
        for recipient in self.recipients:
            await asyncio.to_thread(self.bridge.deliver, self.sender, recipient, mail)
        self.reply("250 delivered")


def certificate() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(setting("TLS_CERT"), setting("TLS_KEY"))
    return context


async def main() -> None:
    bridge = Bridge(Matrix())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            await Session(bridge, reader, writer).talk()
        writer.close()

    listeners = {"PORT": None, **({"TLS_PORT": certificate()} if setting("TLS_CERT") else {})}
    for port, context in listeners.items():
        await asyncio.start_server(serve, port=int(setting(port)), ssl=context)
    await asyncio.to_thread(bridge.watch)


if __name__ == "__main__":
    asyncio.run(main())
