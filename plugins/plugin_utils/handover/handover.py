# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the people of a finished server must know, as data (docs/handover.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..description.values import listed
from ..plan.operators_plan import dns_records
from ..report.report import Report
from ..report.table import verdict

FORMAT = 1
REPORT = "report.html"
"""The whole report of the verification, in the same directory."""
_TAKEN = ("domain", "hostname", "parts", "bots", "ports")
_INVITATION = "ansible-playbook -i inventory homestead.matrix.invite -e uses=1 -e expires=7d"
_ACCOUNT = "ansible-playbook -i inventory homestead.matrix.user -e user=alice"
_ADMINISTRATOR = f"{_ACCOUNT} -e admin=true"
_REGISTRATION = {
    "invite": (
        "Registration is by invitation: whoever has a token makes an account in any client, on the "
        "server {domain}. Who has this inventory makes a token, here one for one account, which is "
        "shown once with all that an invited person needs to know:",
        _INVITATION,
    ),
    "closed": (
        "Registration is closed: nobody makes an account of their own. An administrator makes each "
        "of them, and the run says where its password lies:",
        _ACCOUNT,
    ),
    "email": (
        "Whoever proves an e-mail address makes an account in any client, on the server {domain}.",
        "",
    ),
    "open": (
        "Everybody makes an account in any client, on the server {domain}. That attracts spam: "
        "look at new accounts often, or set matrix_registration to invite.",
        "",
    ),
}
_SLOW = {
    "title": "The first joins are slow",
    "text": "A new server knows no other servers yet. When the first of its users joins a room, it "
    "asks the servers of all members for their keys and for the state of the room, each of them "
    "answers at its own pace, and some not at all. A large room can take many minutes, and may "
    "seem empty meanwhile. Wait, and do not join again and again: what the server has learnt it "
    "keeps, so the next rooms come faster, soon at once.",
}
_SILENT = {
    "title": "A bot does not answer",
    "text": "Look at its Matrix ID first: clients like to suggest bots of other servers, and only "
    "those listed here belong to this one. Then look whether the chat is encrypted: bridges cannot "
    "read such chats, and encryption cannot be switched off again. Some clients encrypt each "
    "new direct chat without asking: make a room instead, switch encryption off while you make it, "
    "and invite the bot.",
}

Data = Mapping[str, Any]  # what JSON can hold, as the filter site returns it


def handover(site: Data, keys: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what follows from a site; its form is described by docs/handover.schema.json.

    `keys` are the public halves of the host's keys, by the names of the secrets.
    """
    how, command = _REGISTRATION[site["registration"]]
    return {
        "format": FORMAT,
        **{key: site[key] for key in _TAKEN},
        "dns_records": dns_records(site, keys or {}),
        "addresses": _addresses(site),
        "registration": {
            "mode": site["registration"],
            "how": _by_providers(site) + how.format(domain=site["domain"]),
            "command": command,
        },
        "next": list(_next(site)),
        "hints": [_SLOW, *([_SILENT] if site["bots"] else [])],
        "verification": None,
    }


def _by_providers(site: Data) -> str:
    """Say whose people need nothing else."""
    names = [each["name"] for each in site["single_sign_on"] if each["new_accounts"]]
    if not names:
        return ""
    return (
        f"Whoever may log in with {listed(names)} gets an account by doing so. "
        "What follows is for all others. "
    )


def with_verification(handed: Data, report: Report) -> dict[str, Any]:
    """Return it with what the verification found."""
    found = {
        "verdict": report.verdict,
        "tone": report.tone,
        "headline": verdict(report),
        "summary": report.summary,
        "checked_at": report.checked_at,
        "report": REPORT,
    }
    repair = {"text": f"Repair what the verification found: {REPORT} says how.", "command": ""}
    steps = [*([repair] if report.grave else []), *handed["next"]]
    return {**handed, "next": steps, "verification": found}


def _addresses(site: Data) -> list[dict[str, str]]:
    """Return what people type, and where."""
    domain = site["domain"]
    return [
        {"purpose": "The server, as clients ask for it", "address": domain},
        {"purpose": "Accounts", "address": f"@name:{domain}"},
        {"purpose": "Rooms", "address": f"#name:{domain}"},
        {"purpose": "For clients that want an address", "address": site["base_url"]},
        *(
            {"purpose": part["title"], "address": part["address"]}
            for part in site["parts"]
            if part["address"]
        ),
    ]


def _next(site: Data) -> Iterator[dict[str, str]]:
    """Yield what to do, in order."""
    yield _step("Create the DNS records below, as far as they do not exist yet.")
    yield _step("Make an account, and make yourself an administrator:", _ADMINISTRATOR)
    yield _step("Let people in, as this page says under Registration.")
    if site["bots"]:
        yield _step("Start a chat with each of the bots below, without encryption.")
    yield _step(
        "Save what cannot be made again: the PostgreSQL database, /var/lib/matrix-synapse, "
        "/etc/matrix-synapse and /etc/homestead, and the data of the components."
    )
    yield _step(
        "Change the inventory whenever you like, and run the same again; a run without a change "
        "takes seconds:",
        "ansible-playbook -i inventory homestead.matrix.site",
    )


def _step(text: str, command: str = "") -> dict[str, str]:
    return {"text": text, "command": command}
