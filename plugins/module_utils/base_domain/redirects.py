# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true of an answer that redirects a well-known document."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Callable

CORS = "access-control-allow-origin"
SECONDS_FOR_ONE_ANSWER = 5
PAUSE = 0.2


OPTIONS = {
    "path": {"type": "str", "required": True},
    "to": {"type": "str", "required": True},
    "status": {"type": "int", "default": 302},
}
"""A redirect as the modules take it."""


@dataclass(frozen=True)
class Redirect:
    """A path that must lead somewhere else."""

    path: str
    to: str
    status: int


@dataclass(frozen=True)
class AnswerHead:
    """The head of an HTTP answer with its raw header lines, names in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


Ask = Callable[[str], AnswerHead]


def fault(redirect: Redirect, answer: AnswerHead) -> str | None:
    """Return what is wrong with the answer in half a sentence."""
    if answer.status != redirect.status:
        return f"answers with status {answer.status}, not {redirect.status}"
    if answer.values("location") != [redirect.to]:
        return f"leads to {', '.join(answer.values('location')) or 'nowhere'}, not to {redirect.to}"
    if answer.values(CORS) != ["*"]:
        found = ", ".join(answer.values(CORS)) or "missing"
        return f"must have Access-Control-Allow-Origin: * exactly once (it is {found})"
    return None


def first_fault(redirects: list[Redirect], ask: Ask) -> str | None:
    """Ask for every path and return the first fault as a sentence without its end."""
    for redirect in redirects:
        try:
            wrong = fault(redirect, ask(redirect.path))
        except (OSError, http.client.HTTPException) as error:
            wrong = f"does not answer: {error}"
        if wrong:
            return f"{redirect.path} {wrong}"
    return None


def wait(redirects: list[Redirect], ask: Ask, seconds: float) -> str | None:
    """Ask until all is right or the time is over: workers of before a reload may still answer."""
    end = time.monotonic() + seconds
    while True:
        wrong = first_fault(redirects, ask)
        if wrong is None or time.monotonic() > end:
            return wrong
        time.sleep(PAUSE)


def asker(name: str, address: str, port: int) -> Ask:
    """Return a function that asks the web server at this address for this name.

    Whether the certificate is good is not the question here, and nothing secret is sent.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    def ask(path: str) -> AnswerHead:
        plain = socket.create_connection((address, port), SECONDS_FOR_ONE_ANSWER)
        with plain, context.wrap_socket(plain, server_hostname=name) as secure:
            return _exchange(secure, name, path)

    return ask


def _exchange(secure: socket.socket, name: str, path: str) -> AnswerHead:
    request = f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
    secure.sendall(request.encode())
    response = http.client.HTTPResponse(secure)
    response.begin()
    headers = tuple((key.lower(), value) for key, value in response.getheaders())
    return AnswerHead(response.status, headers)
