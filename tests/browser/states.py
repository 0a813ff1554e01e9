# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""States of a server: what nginx says at the addresses of two documents, on every host."""

from __future__ import annotations

from dataclasses import dataclass

BASE, MATRIX, THIRD = "homestead.test", "matrix.homestead.test", "third.test"
DOCUMENTS = {
    "client": f'{{"m.homeserver": {{"base_url": "https://{MATRIX}"}}}}',
    "support": '{"contacts": [{"role": "m.role.admin", "email_address": "admin@homestead.test"}]}',
}
NAME = "Access-Control-Allow-Origin"


def allow(origin: str, *, always: bool = True) -> str:
    return f"add_header {NAME} '{origin}'{' always' if always else ''};"


ANY = allow("*")
ECHO = allow("$http_origin")


def serve(
    headers: str = ANY,
    *,
    status: int = 200,
    body: str = "@document@",
    kind: str = "application/json",
) -> str:
    return f"default_type {kind}; {headers} return {status} '{body}';"


def redirect(
    target: str = f"https://{MATRIX}@path@", headers: str = ANY, *, status: int = 302
) -> str:
    return f"{headers} return {status} {target};"


ABSENT = serve("", status=404, body="")


@dataclass(frozen=True)
class State:
    """What each name answers, with which certificate, and whether every page may read it."""

    readable: bool
    base: str = redirect()
    matrix: str = serve()
    third: str = ABSENT
    certificates: tuple[tuple[str, str], ...] = ()

    def answers(self) -> dict[str, str]:
        return {BASE: self.base, MATRIX: self.matrix, THIRD: self.third}


def direct(answer: str, *, readable: bool) -> State:
    """Return the state in which the base domain needs nobody else."""
    return State(readable, base=answer, matrix=ABSENT)


OWN = "https://elsewhere.test"
STATES: dict[str, State] = {
    "healthy": State(True),
    "no redirect": direct(serve(), readable=True),
    "301": State(True, base=redirect(status=301)),
    "303": State(True, base=redirect(status=303)),
    "307": State(True, base=redirect(status=307)),
    "308": State(True, base=redirect(status=308)),
    "redirect without CORS": State(False, base=redirect(headers="")),
    "redirect with CORS of success only": State(
        True, base=redirect(headers=allow("*", always=False))
    ),
    "document without CORS": State(False, matrix=serve("")),
    "CORS twice": direct(serve(ANY + ANY), readable=False),
    "CORS twice on the redirect": State(False, base=redirect(headers=ANY + ANY)),
    "CORS twice in one line": direct(serve(allow("*, *")), readable=False),
    "CORS in quotes": direct(serve(allow('"*"')), readable=False),
    "another origin": direct(serve(allow("https://app.element.io")), readable=False),
    "one page's origin": direct(serve(allow(OWN)), readable=False),
    "no origin": direct(serve(allow("null")), readable=False),
    "no origin after the redirect": State(True, matrix=serve(allow("null"))),
    "an origin for each asker": direct(serve(ECHO), readable=True),
    "an origin for each asker, after the redirect": State(
        True, redirect(headers=ECHO), serve(ECHO)
    ),
    "an origin for each asker, of https only": direct(serve(allow("$https_origin")), readable=True),
    "an origin for each asker, of https only, after the redirect": State(
        False, redirect(headers=ECHO), serve(allow("$https_origin"))
    ),
    "an origin for each asker, after a redirect at home": State(
        True, base=redirect(f"https://{BASE}/moved%20to/@part@", ECHO)
    ),
    "an origin of the first asker": State(False, redirect(headers=ECHO), serve(allow(OWN))),
    "document not there": State(False, matrix=serve(status=404, body="{}")),
    "document not there, CORS of success only": direct(
        serve(allow("*", always=False), status=404), readable=False
    ),
    "fault of the server": direct(serve(status=500), readable=False),
    "login wanted": direct(serve(status=401), readable=False),
    "no content": direct(serve(status=204, body=""), readable=False),
    "another good status": direct(serve(status=203), readable=False),
    "two hops": State(True, matrix=redirect(f"https://{THIRD}@path@"), third=serve()),
    "two hops, second without CORS": State(
        False, matrix=redirect(f"https://{THIRD}@path@", headers=""), third=serve()
    ),
    "two hops, each with an origin for the asker": State(
        True,
        redirect(headers=ECHO),
        redirect(f"https://{THIRD}@path@", headers=ECHO),
        serve(ECHO),
    ),
    "loop": State(False, matrix=redirect(f"https://{BASE}@path@")),
    "redirect to itself": direct(redirect(f"https://{BASE}@path@"), readable=False),
    "redirect to nowhere": direct(
        f"{ANY} proxy_pass http://127.0.0.1/away; proxy_hide_header Location;", readable=False
    ),
    "redirect to an address with a space": direct(
        redirect(f"'https://{BASE}/moved to/@part@'"), readable=True
    ),
    "redirect to an address without host": direct(redirect("/moved%20to/@part@"), readable=True),
    "redirect to http": State(False, base=redirect(f"http://{MATRIX}@path@")),
    "redirect with a password": State(False, base=redirect(f"https://me:secret@{MATRIX}@path@")),
    "redirect to a port browsers block": State(
        False, base=redirect(f"https://{MATRIX}:6697@path@")
    ),
    "redirect to another port": State(True, base=redirect(f"https://{MATRIX}:8443@path@")),
    "redirect to a name without address": State(
        False, base=redirect("https://nowhere.homestead.test@path@")
    ),
    "redirect to a closed port": State(False, base=redirect(f"https://{MATRIX}:8444@path@")),
    "untrusted second hop": State(False, certificates=((MATRIX, "untrusted"),)),
    "expired second hop": State(False, certificates=((MATRIX, "expired"),)),
    "second hop of another name": State(False, certificates=((MATRIX, "other"),)),
    "expired base domain": State(False, certificates=((BASE, "expired"),)),
    "page instead of a document": direct(
        serve(body="<!doctype html><title>Our club</title>", kind="text/html"), readable=False
    ),
    "empty document": direct(serve(body=""), readable=False),
    "broken document": direct(serve(body='{"a": 1,}'), readable=False),
    "list instead of an object": direct(serve(body="[@document@]"), readable=False),
    "text instead of an object": direct(serve(body='"@part@"'), readable=False),
    "not a number": direct(serve(body='{"a": NaN}'), readable=False),
    "wrong content type": direct(serve(kind="text/plain"), readable=True),
    "no content type": direct(serve(kind='""'), readable=True),
    "wrong content type, nosniff": direct(
        serve(ANY + "add_header X-Content-Type-Options nosniff;", kind="text/html"), readable=True
    ),
    "document for this site only": direct(
        serve(ANY + "add_header Cross-Origin-Resource-Policy same-origin;"), readable=True
    ),
    "byte order mark": direct(serve(body="\N{ZERO WIDTH NO-BREAK SPACE}@document@"), readable=True),
    "byte order mark before a list": direct(
        serve(body="\N{ZERO WIDTH NO-BREAK SPACE}[]"), readable=False
    ),
    "another encoding": direct(
        serve(body='{"m.homeserver": {"base_url": "https://b\udcfccher.test"}, "contacts": []}'),
        readable=True,
    ),
}
