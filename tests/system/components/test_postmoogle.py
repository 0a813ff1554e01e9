# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The e-mail bridge: mail of strangers arrives in a room, and what the room answers goes out."""

from __future__ import annotations

import asyncio
import email
import json
import os

import nio
from ansible_collections.homestead.matrix.tests.lab.components import postmoogle
from ansible_collections.homestead.matrix.tests.lab.components.together import Everything
from ansible_collections.homestead.matrix.tests.lab.labs import DOMAIN, HOSTNAME, Lab
from people import PASSWORD, Gate, has_message, ok, say, until

BOT = f"@postmoogle:{DOMAIN}"
FRIEND = f"friend@{postmoogle.OTHERS_DOMAIN}"
# What a stranger's mail server does: it asks the DNS, and insists on TLS that it trusts.
SENDING = """
import json, smtplib, ssl, subprocess, sys
sender, recipient, domain = sys.argv[1:]
_preference, host = subprocess.check_output(["dig", "+short", "MX", domain], text=True).split()
codes = []

def greet():
    server = smtplib.SMTP(host.rstrip("."), timeout=20)
    server.ehlo()
    return server

for wrong in ((sender, sender), (f"boss@{domain}", recipient)):
    with greet() as server:
        code = server.mail(wrong[0])[0]
        codes.append(code if code >= 400 else server.rcpt(wrong[1])[0])
with greet() as server:
    in_the_clear = server.has_extn("auth")
    server.starttls(context=ssl.create_default_context(cafile="/etc/ssl/lab.pem"))
    server.sendmail(sender, recipient, sys.stdin.read())
print(json.dumps({"host": host, "in_the_clear": in_the_clear, "refused": codes}))
"""


def send(lab: Lab, recipient: str, text: str) -> dict[str, object]:
    """Send a mail from another mail server, and tell what that saw."""
    lab.write(postmoogle.OTHERS, "/tmp/send.py", SENDING)
    message = f"From: {FRIEND}\r\nTo: {recipient}\r\nSubject: Greetings\r\n"
    message += f"Message-Id: <{os.getpid()}@{postmoogle.OTHERS_DOMAIN}>\r\n\r\n{text}\r\n"
    words = ("python3", "/tmp/send.py", FRIEND, recipient, postmoogle.MAIL_DOMAIN)
    seen: dict[str, object] = json.loads(lab.run(postmoogle.OTHERS, *words, stdin=message))
    return seen


async def event_with(client: nio.AsyncClient, room: str, text: str) -> str:
    """Return the event of the bridge's message that holds this text."""
    answer = ok(await client.room_messages(room, limit=50))
    events = [event for event in answer.chunk if text in getattr(event, "body", "")]
    assert [event.sender for event in events] == [BOT]
    return str(events[0].event_id)


async def answer_in_thread(client: nio.AsyncClient, room: str, thread: str, text: str) -> None:
    relation = {"rel_type": "m.thread", "event_id": thread}
    content = {"msgtype": "m.text", "body": text, "m.relates_to": relation}
    ok(await client.room_send(room, "m.room.message", content))


def arrived(lab: Lab) -> str:
    return lab.shell(postmoogle.OTHERS, f"cat {postmoogle.ARRIVED} 2>/dev/null || true")


async def write_letters(lab: Lab, mailbox: str) -> dict[str, object]:
    """Take a mail from outside into a room, answer it, and tell what the stranger saw."""
    address = f"{mailbox}@{postmoogle.MAIL_DOMAIN}"
    name = postmoogle.OWNER[1:].partition(":")[0]
    async with Gate(lab).client(name, DOMAIN) as owner:
        ok(await owner.login(PASSWORD))
        room = ok(await owner.room_create(invite=[BOT])).room_id
        await until(lambda: has_message(owner, room, "!pm mailbox"), "the greeting")
        await say(owner, room, "!pm mailbox postmaster")
        await until(lambda: has_message(owner, room, "already taken"), "the refusal")
        await say(owner, room, f"!pm mailbox {mailbox}")
        await until(lambda: has_message(owner, room, address), "the mailbox")
        seen = await asyncio.to_thread(send, lab, address, f"hello Matrix {mailbox}")
        await until(lambda: has_message(owner, room, f"hello Matrix {mailbox}"), "the mail")
        thread = await event_with(owner, room, f"hello Matrix {mailbox}")
        await answer_in_thread(owner, room, thread, f"hello e-mail {mailbox}")

        async def has_left() -> bool:
            return f"hello e-mail {mailbox}" in await asyncio.to_thread(arrived, lab)

        await until(has_left, "the answer by mail")
    return seen


def test_the_bridge_to_e_mail(everything: Everything) -> None:
    """Mail comes and goes, and nobody's mail is passed on."""
    lab = everything.lab
    mailbox = f"lab{os.getpid() % 10**6}"  # the server may remember that of a run before
    seen = asyncio.run(write_letters(lab, mailbox))
    assert seen == {"host": f"{HOSTNAME}.", "in_the_clear": False, "refused": [550, 530]}
    answer = email.message_from_string(arrived(lab))
    assert answer["From"].strip("<>") == f"{mailbox}@{postmoogle.MAIL_DOMAIN}"
    assert answer["In-Reply-To"] == f"<{os.getpid()}@{postmoogle.OTHERS_DOMAIN}>"
    assert lab.exposure("matrix", "postmoogle.service") <= 2.5
